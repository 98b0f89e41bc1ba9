"""How still an update holds the lists of a log that hardly changed, over seeds, on validation and on test.

python benchmarks/nights.py held [--seeds 0 1 2] [--model=GRU4Rec]
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from logs import Folder, Row, read, table, write

DEPLOYED = ("base", "finest")  # whose updates
WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "retrain": ("retrain", {}),
    **{
        f"finest, margin {m}, weight {w}": ("finest", {"rank_margin": m, "rank_weight": w})
        for m, w in ((0.1, 10), (0, 10), (0, 100))
    },
    "distillation, weight 100": ("distillation", {"distillation_weight": 100}),
}
PARTS = ("valid", "test")
HEADERS = ["", *(f"{n}, {part}" for part in PARTS for n in ("Jaccard@10", "NDCG@10"))]


def held(
    source: Path,
    folder: Path,
    model: str,
    settings: dict[str, Any],
    seeds: Sequence[int],
    less: Callable[[pd.DataFrame, list[dict[str, Any]]], pd.DataFrame],
) -> str:
    """The table: mean and standard deviation over the seeds of each way to update.

    Args:
        source: an atomic file.
        folder: where runs are kept.
        model, settings: of the runs.
        seeds: of training.
        less: the log without the interactions that a ``perturbation.json`` deletes.
    """
    rows: dict[str, list[list[float]]] = {}
    for seed in seeds:
        kept = Folder(folder / f"held/{model}-{seed}", model, {**settings, "seed": seed})
        log = read(source)
        write(log, kept.path / "data", "whole")
        kept.run("yesterday", "whole", control=False)
        drawn = json.loads((kept.path / "yesterday/perturbation.json").read_text())
        write(less(log, drawn["changes"]), kept.path / "data", "changed")
        for deployed in DEPLOYED:
            for name, (method, changed) in WAYS.items():
                found = _measured(kept, deployed, name, method, changed)
                rows.setdefault(f"update of {deployed}: {name}", []).append(found)
    return table([[name, *map(_spread, zip(*found))] for name, found in rows.items()], HEADERS)


def _measured(
    folder: Folder, deployed: str, name: str, method: str, changed: dict[str, Any]
) -> list[float]:
    """Jaccard@10 to the deployed model and NDCG@10, on each of ``PARTS``."""
    found: list[float] = []
    for part in PARTS:
        run = "-".join([deployed, *name.replace(",", "").split(), part])
        path = folder.path / f"yesterday/{deployed}.pth"
        given = {**changed, "measured_on": part}
        one = folder.update(run, path, "changed", method, **given)["update"]
        alike = one["similarity_to_deployed"]["all"]["jaccard@10"]
        found += [alike, one["accuracy"]["updated"]["ndcg@10"]]
    return found


def _spread(values: Row) -> str:
    return f"{np.mean(values):.4f} ± {np.std(values, ddof=1):.4f}"
