"""Records of benchmarks that never ran, their numbers chosen so that the answers can be worked by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def perturbation(seed: int, kind: str = "deletion") -> dict[str, Any]:
    return {
        "kind": kind,
        "selection": "random",
        "item_choice": None if kind == "deletion" else "random",
        "ratio": 0.001,
        "count": None,
        "seed": seed,
    }


def record(
    method: str,
    jaccard: float,
    ndcg: float = 0.1,
    perturbed: float | None = None,
    model: str = "SASRec",
    dataset: str = "toy",
    seed: int = 0,
    which: int | None = 0,
    kind: str = "deletion",
    order: str = "stable",
    cost: float = 1.0,
) -> dict[str, Any]:
    """One record; ``which`` is the seed of its test perturbation, None for a control."""
    cell = f"{dataset}-{order}-{model}-{method}-{seed}-{kind}-{which}"
    return {
        "model": model,
        "dataset": dataset,
        "method": method,
        "seed": seed,
        "shuffle_order": order,
        "perturbation": None if which is None else perturbation(which, kind),
        "accuracy": {"recall@10": 2 * ndcg, "ndcg@10": ndcg, "mrr@10": ndcg / 2},
        "accuracy_perturbed": {
            "recall@10": 2 * ndcg,
            "ndcg@10": ndcg if perturbed is None else perturbed,
            "mrr@10": ndcg / 2,
        },
        "stability": {
            "rbo@10": (1 + jaccard) / 2,
            "jaccard@10": jaccard,
            "churn@10": 1 - jaccard,
        },
        "similarity_to_base": {"jaccard@10": 1.0 if method == "none" else 0.9},
        "lists": {"coverage@10": 0.5, "popularity@10": 12.0},
        "epochs": {"base": 10, "method": 5},
        "seconds": {"base": 100.0, "reference": 1.0, "method": 49.0, "evaluation": 2.0},
        "cost_ratio": cost,
        "cost_seconds": 100.0 * cost,
        "inference_ratio": 1.0,
        "inference_seconds": 2.0,
        "cell": cell,
        "values": f"cells/{cell}/values.npz",
    }


def write_records(folder: Path, records: list[dict[str, Any]], **contents: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    whole = {
        "grid": {},
        "versions": {"recbole": "1.2.1", "torch": "2.13.0"},
        "seconds": 3725.0,
        "failed": [],
        "records": records,
        **contents,
    }
    (folder / "records.json").write_text(json.dumps(whole), encoding="utf-8")
    return folder
