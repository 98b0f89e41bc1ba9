"""Two nights that are two separate runs: how far people's lists move, and what can be done about it.

    python benchmarks/nights.py apart                                   # ml-100k, and the same less 98 rows
    python benchmarks/nights.py held [--seeds 0 1 2]                    # … by seed, validation and test
    python benchmarks/nights.py newcomer                                # … and one row with a new item more
    python benchmarks/nights.py two_days                                # two days more, with newcomers
    python benchmarks/nights.py foursquare [--data_path=../shared/data] [--news=0.01]

Each prints a table in Markdown. Yesterday's run, today's log and every way to make tonight's model are
kept in ``--folder`` and taken from there when the same command comes again. GRU4Rec, or ``--model``; one
training at a time.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import recbole
from held import held
from logs import ITEM, TIME, USER, Folder, Row, read, table, training_rows, write
from one_night import foursquare
from two_days import two_days

from recbole_finest import compare
from recbole_finest.evaluator.lists.ranklists import RankLists

ML = Path(recbole.__file__).parent / "dataset_example/ml-100k/ml-100k.inter"
SMALL: dict[str, Any] = {  # as in properties/benchmark/small.yaml
    "epochs": 5,
    "eval_step": 5,
    "finest_epochs": 3,
    "finest_learning_rate": 3e-4,
    "train_batch_size": 512,
    "MAX_ITEM_LIST_LENGTH": 15,
    "reference_k": 50,
    "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
}
SIZES = {
    "GRU4Rec": {"hidden_size": 32, "embedding_size": 32},
    "SASRec": {"hidden_size": 32, "inner_size": 64},
}


# Logs -----------------------------------------------------------------------------------------------


def without(log: pd.DataFrame, changes: list[dict[str, Any]]) -> pd.DataFrame:
    """The log less the interactions that a ``perturbation.json`` deletes."""
    gone = pd.MultiIndex.from_tuples([(c["user"], c["item_before"]) for c in changes])
    return log[~pd.MultiIndex.from_frame(log[[USER, ITEM]]).isin(gone)]


def with_newcomer(log: pd.DataFrame) -> pd.DataFrame:
    """The log and one training interaction more, of the first person with a new item."""
    train = log.loc[training_rows(log)]
    last = train[train[USER] == log[USER].iloc[0]].iloc[-1]
    return pd.concat([log, pd.DataFrame([{USER: last[USER], ITEM: "new", TIME: last[TIME]}])])


# Runs -----------------------------------------------------------------------------------------------


def alike(one: RankLists, other: RankLists) -> float:
    """Jaccard@10 of the instances that both have."""
    found = compare(one, other, metrics=["Jaccard"], topk=[10], intersect=True)
    return float(found.values["jaccard@10"].mean())


WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "retrain": ("retrain", {}),
    "warm_start": ("warm_start", {}),
    **{
        f"distillation, weight {w}": ("distillation", {"distillation_weight": w})
        for w in (1, 10, 100)
    },
    **{
        f"finest, weight {w}": ("finest", {"rank_weight": w, "rank_margin": 0.1}) for w in (10, 100)
    },
}


def update_rows(folder: Folder, deployed: Path, dataset: str) -> Iterator[Row]:
    for name, (method, changed) in WAYS.items():
        run = f"{deployed.stem}-{name.replace(', ', '-').replace(' ', '-')}"
        found = folder.update(run, deployed, dataset, method, **changed)["update"]
        moved = found["similarity_to_deployed"]["all"]["jaccard@10"]
        accuracy = found["accuracy"]["updated"]["ndcg@10"]
        yield [f"update of {deployed.stem}: {name}", moved, accuracy, found["cost"]["ratio"]]


def two_runs(
    folder: Folder, change: Callable[[pd.DataFrame], pd.DataFrame], inside: bool
) -> list[Row]:
    """Yesterday's run, one on the changed log, and all updates."""
    log = read(ML)
    write(log, folder.path / "data", "whole")
    kept = {} if inside else {"perturbation_ratio": 0}
    first = folder.run("yesterday", "whole", **kept)
    write(change(log), folder.path / "data", "changed")
    second = folder.run("today", "changed", perturbation_ratio=0)
    rows: list[Row] = []
    for name in ("base", "finest"):
        moved = alike(folder.lists("yesterday", name), folder.lists("today", name))
        rows.append(
            [f"two runs, {name} against {name}", moved, second["accuracy"][name]["ndcg@10"], None]
        )
        if inside:
            moved, other = first["stability"][name]["jaccard@10"], f"{name}_perturbed"
            rows.append(
                [
                    f"the same inside one run, {name}",
                    moved,
                    first["accuracy"][other]["ndcg@10"],
                    None,
                ]
            )
    for name in ("base", "finest"):
        rows += update_rows(folder, folder.path / f"yesterday/{name}.pth", "changed")
    return rows


HEADERS = ["", "Jaccard@10", "NDCG@10", "cost"]


def apart(args: argparse.Namespace) -> str:
    folder = Folder(args.folder / "apart", args.model, {**SMALL, **SIZES[args.model]})

    def less(log: pd.DataFrame) -> pd.DataFrame:
        drawn = json.loads((folder.path / "yesterday/perturbation.json").read_text())
        return without(log, drawn["changes"])

    return table(two_runs(folder, less, inside=True), HEADERS)


def newcomer(args: argparse.Namespace) -> str:
    folder = Folder(args.folder / "newcomer", args.model, {**SMALL, **SIZES[args.model]})
    return table(two_runs(folder, with_newcomer, inside=False), HEADERS)


# ----------------------------------------------------------------------------------------------------


COMMANDS = {
    "apart": apart,
    "newcomer": newcomer,
    "held": lambda args: held(
        ML, args.folder, args.model, {**SMALL, **SIZES[args.model]}, args.seeds, without
    ),
    "two_days": lambda args: two_days(ML, args.folder, args.model, {**SMALL, **SIZES[args.model]}),
    "foursquare": lambda args: foursquare(args.data_path, args.folder, args.news),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--model", default=None, choices=SIZES)
    parser.add_argument("--data_path", type=Path, default=Path("../shared/data"))
    parser.add_argument("--folder", type=Path, default=Path("runs/nights"))
    parser.add_argument("--news", type=float, default=0.01, help="newest share of training rows")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of held")
    args = parser.parse_args()
    args.model = args.model or ("SASRec" if args.command == "newcomer" else "GRU4Rec")
    print(COMMANDS[args.command](args))


if __name__ == "__main__":
    main()
