"""Logs, runs and tables of the benchmarks about nights: each run is made once and kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from tabulate import tabulate

from recbole_finest import run_finest, update_model
from recbole_finest.evaluator.lists.ranklists import RankLists

USER, ITEM, TIME = "user_id:token", "item_id:token", "timestamp:float"
HELD_OUT = 2  # leave-one-out: a person's last two interactions are no training
QUIET = {"show_progress": False, "state": "WARNING", "baselines": []}
Row = list[Any]


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


def table(rows: list[Row], headers: list[str]) -> str:
    return tabulate(rows, headers, tablefmt="pipe", floatfmt=".4f", missingval="–")
