"""Fixtures shared by all tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.report.chromium import Chromium, find_chromium

torch.set_num_threads(1)  # tiny models: threads only cost

SMALL = {  # settings of a small, quick and quiet run
    "epochs": 2,
    "finest_epochs": 2,
    "MAX_ITEM_LIST_LENGTH": 8,
    "train_batch_size": 64,
    "reference_k": 5,
    "list_depth": 20,
    "simulation_ratio": 0.05,
    "perturbation_ratio": 0.02,
    "show_progress": False,
    "state": "WARNING",
}


def write_toy(folder: Path, name: str = "toy", users: int = 30, items: int = 40) -> Path:
    """Write a small data set of items in cycles, so that there is something to learn."""
    rng = np.random.default_rng(0)
    lines = ["user_id:token\titem_id:token\ttimestamp:float"]
    for user in range(users):
        item, length = int(rng.integers(items)), int(rng.integers(6, 16))
        begin = 1_000_000_000 + int(rng.integers(1000))
        for step in range(length):
            lines.append(f"u{user}\ti{item}\t{begin + 60 * step}")
            item = (item + (1 if rng.random() < 0.8 else int(rng.integers(items)))) % items
    path = folder / name
    path.mkdir(parents=True)
    (path / f"{name}.inter").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict:
    """Settings of a small, quick run; the working directory is a temporary one."""
    monkeypatch.chdir(tmp_path)
    return {
        **SMALL,
        "data_path": str(write_toy(tmp_path / "data")),
        "output_dir": str(tmp_path / "run"),
    }


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory):
    """Headless Chromium; the test is skipped where there is none."""
    if find_chromium() is None:
        pytest.skip("no Chromium on the path")
    with Chromium(tmp_path_factory.mktemp("profile")) as opened:
        yield opened
