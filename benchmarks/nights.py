"""How far two separate runs agree, as of two nights, on files that differ in a few rows of MovieLens-100k.

    python benchmarks/nights.py [--epochs=5] [--seed=2020]

Everything here is *retrained alone*: base against base, nobody's lists are known. Each line compares the
lists of all test instances of two runs, and beside it what the same change gives inside one run.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import recbole
from tabulate import tabulate

from recbole_finest import compare, run_finest
from recbole_finest.evaluator.lists.ranklists import RankLists

# properties/benchmark/small.yaml
SMALL = {
    "eval_step": 1000,
    "train_batch_size": 512,
    "MAX_ITEM_LIST_LENGTH": 15,
    "hidden_size": 32,
    "reference_k": 50,
    "finest_epochs": 0,
    "baselines": ["none"],
    "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
    "filter_seen": False,
    "show_progress": False,
    "state": "WARNING",
}
OWN = {"GRU4Rec": {"embedding_size": 32}, "SASRec": {"inner_size": 64}}


def rows_of_ml_100k() -> tuple[str, list[str]]:
    """Header and rows of the file that comes with RecBole."""
    path = Path(recbole.__file__).parent / "dataset_example/ml-100k/ml-100k.inter"
    head, *rows = path.read_text(encoding="utf-8").splitlines()
    return head, [row for row in rows if row]


class Nights:
    """Runs of one model on several files in one folder."""

    def __init__(self, model: str, epochs: int, seed: int, folder: Path):
        self.model, self.folder = model, folder
        self.settings = {**SMALL, **OWN[model], "epochs": epochs, "seed": seed}

    def run(self, name: str, head: str, rows: list[str], **settings: Any) -> dict[str, Any]:
        """Train on these rows, in a run of its own."""
        path = self.folder / name
        path.mkdir()
        (path / f"{name}.inter").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
        own = {"data_path": str(self.folder), "output_dir": str(self.folder / f"run-{name}")}
        return run_finest(self.model, name, None, {**self.settings, **own, **settings})

    def agreement(self, one: str, other: str, side: str = "base") -> float:
        """Mean Jaccard@10 of a list of the first run with base's of the second."""
        files = [f"run-{one}/ranklists/{side}.npz", f"run-{other}/ranklists/base.npz"]
        lists = [RankLists.load(self.folder / file) for file in files]
        return compare(*lists).to_dict()["metrics"]["jaccard@10"]["mean"]


def less_98_rows(nights: Nights) -> list[Any]:
    head, rows = rows_of_ml_100k()
    inside = nights.run("full", head, rows, perturbation_ratio=0.001)
    file = nights.folder / "run-full/perturbation.json"
    changes = json.loads(file.read_text(encoding="utf-8"))["changes"]
    gone = {(change["user"], change["item_before"]) for change in changes}
    left = [row for row in rows if tuple(row.split("\t")[:2]) not in gone]
    nights.run("less", head, left, perturbation_ratio=0)
    return [
        f"{len(rows) - len(left)} of {len(rows)} rows less",
        nights.agreement("full", "less"),
        inside["stability"]["base"]["jaccard@10"],
        nights.agreement("full", "less", "base_perturbed"),
        inside["accuracy"]["base"]["ndcg@10"],
    ]


def one_new_item(nights: Nights) -> list[Any]:
    head, rows = rows_of_ml_100k()
    user = rows[0].split("\t")[0]
    times = sorted(float(row.split("\t")[3]) for row in rows if row.split("\t")[0] == user)
    new = f"{user}\tnew item\t3\t{times[len(times) // 2]}"
    first = nights.run("full", head, rows, perturbation_ratio=0)
    nights.run("more", head, [*rows, new], perturbation_ratio=0)
    agreed = nights.agreement("full", "more")
    return ["1 row more, with a new item", agreed, None, None, first["accuracy"]["base"]["ndcg@10"]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=2020)
    given = parser.parse_args()
    lines = []
    for model, change in (("GRU4Rec", less_98_rows), ("SASRec", one_new_item)):
        with tempfile.TemporaryDirectory() as folder:
            nights = Nights(model, given.epochs, given.seed, Path(folder))
            lines.append([model, *change(nights)])
    header = [
        "model",
        "change",
        "two runs",
        "inside one run",
        "base' against its own run",
        "NDCG@10",
    ]
    print(tabulate(lines, header, tablefmt="github", floatfmt=".4f", missingval="–"))


if __name__ == "__main__":
    main()
