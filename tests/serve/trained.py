"""Trained runs, each made once; tests only read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from recbole_finest import run_finest
from tests.conftest import write_toy

SMALL = {
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


def train(model: str, folder: Path, data_path: Path, **settings) -> Path:
    """Train a small model on the toy data; returns the run's folder."""
    given = {**SMALL, "data_path": str(data_path), "output_dir": str(folder), **settings}
    run_finest(model, "toy", config_dict=given)
    return folder


@pytest.fixture(scope="package")
def toy_path(tmp_path_factory) -> Path:
    """Folder of data sets that holds ``toy``: 30 users u0 …, 40 items i0 …."""
    return write_toy(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="package")
def gru_run(toy_path, tmp_path_factory) -> Path:
    """A finished run of GRU4Rec."""
    return train("GRU4Rec", tmp_path_factory.mktemp("runs") / "run", toy_path)


@pytest.fixture(scope="package")
def caser_run(toy_path, tmp_path_factory) -> Path:
    """A finished run of Caser, which has a vector for each user."""
    return train("Caser", tmp_path_factory.mktemp("runs") / "caser", toy_path)


def interactions(path: Path) -> dict[str, list[tuple[str, float]]]:
    """Items and times of each user of the toy data, oldest first."""
    rows = [line.split("\t") for line in (path / "toy/toy.inter").read_text().splitlines()[1:]]
    found: dict[str, list[tuple[str, float]]] = {}
    for user, item, time in rows:
        found.setdefault(user, []).append((item, float(time)))
    return {user: sorted(part, key=lambda pair: pair[1]) for user, part in found.items()}
