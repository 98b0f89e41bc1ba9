"""Two nights that are two separate runs: how far people's lists move, and what can be done about it.

    python benchmarks/nights.py apart                                   # ml-100k, and the same less 98 rows
    python benchmarks/nights.py newcomer                                # … and one row with a new item more
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

import numpy as np
import pandas as pd
import recbole
from tabulate import tabulate

from recbole_finest import compare, run_finest, update_model
from recbole_finest.evaluator.lists.ranklists import RankLists

USER, ITEM, TIME = "user_id:token", "item_id:token", "timestamp:float"
ML = Path(recbole.__file__).parent / "dataset_example/ml-100k/ml-100k.inter"
HELD_OUT = 2  # leave-one-out: a person's last two interactions are no training
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
FOURSQUARE: dict[str, Any] = {
    "epochs": 12,
    "eval_step": 12,
    "finest_epochs": 3,
    "finest_learning_rate": 3e-4,
    "train_batch_size": 1024,
    "hidden_size": 64,
    "embedding_size": 64,
    "reference_k": 100,
}
QUIET = {"show_progress": False, "state": "WARNING", "baselines": []}
Row = list[Any]


# Logs -----------------------------------------------------------------------------------------------


def read(path: Path) -> pd.DataFrame:
    """User, item and time of an atomic file."""
    return pd.read_csv(path, sep="\t", dtype={USER: str, ITEM: str})[[USER, ITEM, TIME]]


def write(log: pd.DataFrame, folder: Path, name: str) -> None:
    (folder / name).mkdir(parents=True, exist_ok=True)
    log.to_csv(folder / name / f"{name}.inter", sep="\t", index=False)


def training_rows(log: pd.DataFrame) -> pd.Index:
    """The rows that leave-one-out trains on: all but each person's last two."""
    ordered = log.sort_values([USER, TIME], kind="stable")
    return ordered.index[ordered.groupby(USER).cumcount(ascending=False) >= HELD_OUT]


def without(log: pd.DataFrame, changes: list[dict[str, Any]]) -> pd.DataFrame:
    """The log less the interactions that a ``perturbation.json`` deletes."""
    gone = pd.MultiIndex.from_tuples([(c["user"], c["item_before"]) for c in changes])
    return log[~pd.MultiIndex.from_frame(log[[USER, ITEM]]).isin(gone)]


def with_newcomer(log: pd.DataFrame) -> pd.DataFrame:
    """The log and one training interaction more, of the first person with a new item."""
    train = log.loc[training_rows(log)]
    last = train[train[USER] == log[USER].iloc[0]].iloc[-1]
    return pd.concat([log, pd.DataFrame([{USER: last[USER], ITEM: "new", TIME: last[TIME]}])])


def yesterday_of(log: pd.DataFrame, news: float) -> pd.DataFrame:
    """The log less the newest share of its training interactions."""
    train = log.loc[training_rows(log)].sort_values(TIME, kind="stable")
    return log.drop(train.index[len(train) - int(news * len(train)) :])


# Runs -----------------------------------------------------------------------------------------------


class Folder:
    """What is kept of the runs, each made once.

    Args:
        path: where.
        model: name.
        settings: of the runs; updates take theirs from what is deployed.
    """

    def __init__(self, path: Path, model: str, settings: dict[str, Any]):
        self.path, self.model = path, model
        self.settings = settings
        self.common = {**QUIET, "data_path": str(path / "data")}

    def _made(self, name: str, make: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        folder = self.path / name
        if not (folder / "result.json").is_file():
            make({**self.common, "output_dir": str(folder), "overwrite": folder.exists()})
        return json.loads((folder / "result.json").read_text())

    def run(self, name: str, dataset: str, **changed: Any) -> dict[str, Any]:
        """A run of base and finest; its result."""
        return self._made(
            name,
            lambda given: run_finest(
                self.model, dataset, config_dict={**self.settings, **given, **changed}
            ),
        )

    def update(
        self, name: str, deployed: Path, dataset: str, method: str, **changed: Any
    ) -> dict[str, Any]:
        """An update; its result."""
        settings = {n: v for n, v in changed.items()}
        return self._made(
            name,
            lambda given: update_model(
                deployed, dataset, method, config_dict={**given, **settings}
            ),
        )

    def lists(self, run: str, name: str) -> RankLists:
        return RankLists.load(self.path / run / "ranklists" / f"{name}.npz")


def alike(one: RankLists, other: RankLists) -> float:
    """Jaccard@10 of the instances that both have."""
    found = compare(one, other, metrics=["Jaccard"], topk=[10], intersect=True)
    return float(found.values["jaccard@10"].mean())


def update_rows(folder: Folder, deployed: Path, dataset: str) -> Iterator[Row]:
    for method in ("retrain", "warm_start", "distillation", "finest"):
        found = folder.update(f"{deployed.stem}-{method}", deployed, dataset, method)["update"]
        moved = found["similarity_to_deployed"]["all"]["jaccard@10"]
        accuracy = found["accuracy"]["updated"]["ndcg@10"]
        yield [f"update {method} of {deployed.stem}", moved, accuracy, found["cost"]["ratio"]]


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


# One night on Foursquare ----------------------------------------------------------------------------


def brought(
    deployed: np.ndarray, retrained: np.ndarray, tonight: np.ndarray, people: np.ndarray
) -> float:
    """Share of what retraining newly brings into people's top ten that another model brings, too.

    Args:
        deployed, retrained, tonight: item tokens best first, ``[n, depth]``.
        people: which lists count, ``[n]``.
    """
    new = both = 0
    for row in np.flatnonzero(people):
        fresh = set(retrained[row, :10]) - set(deployed[row, :10])
        new += len(fresh)
        both += len(fresh & set(tonight[row, :10]))
    return both / new if new else float("nan")


def ndcg(lists: RankLists, people: np.ndarray) -> float:
    """NDCG@10 of some lists."""
    hit = lists.items[people, :10] == lists.targets[people, None]
    return float((hit / np.log2(np.arange(10) + 2)).sum(1).mean())


WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "RecBole's retraining": ("retrain", {"shuffle_order": "recbole", "training_mode": "auto"}),
    "stable retraining": ("retrain", {}),
    "stable retraining, another seed": ("retrain", {"seed": 7}),
    "warm start": ("warm_start", {}),
    "distillation, weight 1": ("distillation", {"distillation_weight": 1}),
    "distillation, weight 10": ("distillation", {"distillation_weight": 10}),
    "finest, weight 1": ("finest", {"rank_weight": 1}),
    "finest, weight 10": ("finest", {"rank_weight": 10}),
    "finest, weight 10, all lists alike": ("finest", {"rank_weight": 10, "update_news_power": 0}),
}


def foursquare(args: argparse.Namespace) -> str:
    folder = Folder(args.folder / f"foursquare-{args.news}", "GRU4Rec", FOURSQUARE)
    log = read(args.data_path / "foursquare/foursquare.inter")
    write(yesterday_of(log, args.news), folder.path / "data", "yesterday")
    write(log, folder.path / "data", "today")
    folder.run("yesterday", "yesterday", perturbation_ratio=0, finest_epochs=0, simulation_ratio=0)
    deployed = folder.path / "yesterday/base.pth"
    found = {
        name: folder.update(name.replace(" ", "_"), deployed, "today", method, **changed)
        for name, (method, changed) in WAYS.items()
    }
    was = folder.lists("stable_retraining", "deployed")
    retrained = folder.lists("stable_retraining", "updated")
    train = log.loc[training_rows(log)]
    then = set(map(tuple, yesterday_of(log, args.news)[[USER, ITEM, TIME]].to_numpy()))
    fresh = {row[0] for row in map(tuple, train[[USER, ITEM, TIME]].to_numpy()) if row not in then}
    news = np.isin(was.users, list(fresh))
    seconds = found["stable retraining"]["update"]["cost"]["seconds"]
    rows: list[Row] = [
        ["yesterday's model", 1.0, 1.0, ndcg(was, news | True), ndcg(was, news), 0.0, 0.0]
    ]
    for name, result in found.items():
        lists = folder.lists(name.replace(" ", "_"), "updated")
        moved = result["update"]["similarity_to_deployed"]
        rows.append(
            [
                name,
                *(moved[group].get("jaccard@10") for group in ("without_news", "with_news")),
                ndcg(lists, news | True),
                ndcg(lists, news),
                brought(was.items, retrained.items, lists.items, news),
                result["update"]["cost"]["seconds"] / seconds,
            ]
        )
    headers = ["", "Jaccard@10, people without news", "with news", "NDCG@10", "with news"]
    text = table(rows, [*headers, "new items of retraining", "cost"])
    return f"{text}\n\n{len(news)} people, {int(news.sum())} of them with news."


# ----------------------------------------------------------------------------------------------------


def table(rows: list[Row], headers: list[str]) -> str:
    return tabulate(rows, headers, tablefmt="pipe", floatfmt=".4f", missingval="–")


COMMANDS = {"apart": apart, "newcomer": newcomer, "foursquare": foursquare}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--model", default=None, choices=SIZES)
    parser.add_argument("--data_path", type=Path, default=Path("../shared/data"))
    parser.add_argument("--folder", type=Path, default=Path("runs/nights"))
    parser.add_argument("--news", type=float, default=0.01, help="newest share of training rows")
    args = parser.parse_args()
    args.model = args.model or ("SASRec" if args.command == "newcomer" else "GRU4Rec")
    print(COMMANDS[args.command](args))


if __name__ == "__main__":
    main()
