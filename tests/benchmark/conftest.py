"""A small grid on small data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import write_toy


@pytest.fixture
def small_grid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Two methods of one model; the working directory is a temporary one."""
    monkeypatch.chdir(tmp_path)
    return {
        "models": ["GRU4Rec"],
        "datasets": ["toy"],
        "methods": ["none", "finest"],
        "perturbations": ["deletion"],
        "perturbation_seeds": [0],
        "seeds": [0],
        "output_dir": str(tmp_path / "out"),
        "settings": {
            "data_path": str(write_toy(tmp_path / "data")),
            "epochs": 1,
            "finest_epochs": 1,
            "MAX_ITEM_LIST_LENGTH": 8,
            "train_batch_size": 128,
            "hidden_size": 8,
            "embedding_size": 8,
            "reference_k": 5,
            "list_depth": 20,
            "perturbation_ratio": 0.02,
            "simulation_ratio": 0.05,
        },
    }


@pytest.fixture
def write_grid(tmp_path: Path):
    """Write a grid to a YAML file; returns its path."""

    def write(grid: dict[str, Any]) -> str:
        path = tmp_path / "grid.yaml"
        path.write_text(yaml.safe_dump(grid))
        return str(path)

    return write
