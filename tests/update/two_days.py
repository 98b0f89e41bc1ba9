"""Yesterday's log, today's, and models of yesterday."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recbole_finest import run_finest
from recbole_finest.config.config import Config
from recbole_finest.data.prepare import prepare
from recbole_finest.model.build import build_model
from recbole_finest.train.checkpoint import origin, save_checkpoint
from tests.conftest import write_toy

SMALL: dict[str, Any] = {
    "epochs": 2,
    "finest_epochs": 1,
    "MAX_ITEM_LIST_LENGTH": 8,
    "train_batch_size": 64,
    "reference_k": 5,
    "list_depth": 20,
    "topk": [10],
    "simulation_ratio": 0.05,
    "perturbation_ratio": 0,
    "baselines": [],
    "show_progress": False,
    "state": "ERROR",
}
HEADER = "user_id:token\titem_id:token\ttimestamp:float"
WITH_NEWS = ("u3", "u7", "u8")  # have two more interactions today
NEW_USERS = ("u30", "v1")
LATER = 2_000_000_000


def write_log(folder: Path, name: str, rows: list[str]) -> None:
    """Write ``<folder>/<name>/<name>.inter``."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / name / f"{name}.inter").write_text("\n".join([HEADER, *rows]) + "\n")


def rows_of(folder: Path, name: str = "toy") -> list[str]:
    return (folder / name / f"{name}.inter").read_text().splitlines()[1:]


def today(rows: list[str]) -> list[str]:
    """Yesterday's rows in another order, so that all ids move, and what happened since."""
    shuffled = [rows[i] for i in np.random.default_rng(5).permutation(len(rows))]
    news = [f"{u}\t{i}\t{LATER + t}" for u in WITH_NEWS for t, i in enumerate(("new", "i4"))]
    news += [f"{u}\ti{t}\t{LATER + t}" for u in NEW_USERS for t in range(4)]
    return news + shuffled


def write_days(folder: Path) -> Path:
    """``toy``, yesterday: 30 users, 40 items; ``today``: two users and the item ``new`` more."""
    write_toy(folder)
    write_log(folder, "today", today(rows_of(folder)))
    return folder


def train(model: str, folder: Path, data_path: Path, **settings: Any) -> Path:
    """A finished run on yesterday's log; returns its folder."""
    given = {**SMALL, "data_path": str(data_path), "output_dir": str(folder), **settings}
    run_finest(model, "toy", config_dict=given)
    return folder


def untrained(model: str, folder: Path, data_path: Path, **settings: Any) -> Path:
    """A checkpoint of a model with its initial weights, as if it had been trained on yesterday's log."""
    given = {**SMALL, "data_path": str(data_path), "output_dir": str(folder), **settings}
    config = Config(model, "toy", config_dict=given)
    data = prepare(config)
    net = build_model(config, data.train)
    path = folder / f"{model}.pth"
    save_checkpoint(path, net, config, stage="base", epochs=4, **origin(data, None))
    return path


@pytest.fixture(scope="package")
def days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of data sets with ``toy`` and ``today``."""
    return write_days(tmp_path_factory.mktemp("days"))


@pytest.fixture(scope="package")
def deployed_run(days: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of SASRec on yesterday's log: base and finest."""
    return train("SASRec", tmp_path_factory.mktemp("runs") / "yesterday", days)
