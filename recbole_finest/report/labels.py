"""What the models of a run are called in tables and figures."""

from __future__ import annotations

from recbole_finest.evaluator.measures import MEASURES
from recbole_finest.names import PERTURBED, RECBOLE_ORDER, is_perturbed

_LABELS = {
    RECBOLE_ORDER: "base, RecBole's order",
    "control": "control (same seed)",
    "seed_control": "other seed",
}


def label(name: str) -> str:
    """The words for a model's file name; ``base_perturbed`` is ``base'``."""
    stem = name.removesuffix(PERTURBED)
    return _LABELS.get(stem, stem) + ("'" if is_perturbed(name) else "")


def measure_label(key: str) -> str:
    """``jaccard@10`` as people write it, ``Jaccard@10``; other names as they are."""
    name, at, k = key.partition("@")
    return f"{MEASURES[name].display}{at}{k}" if name in MEASURES else f"{name.upper()}{at}{k}"
