"""What the models of a run are called in tables and figures."""

from __future__ import annotations

from collections.abc import Iterable

from recbole_finest.evaluator.measures import MEASURES

PERTURBED = "_perturbed"
CONTROLS = ("control", "seed_control", "base_recbole_order")  # measured beside base and the methods
CONTROL_FAILED = (
    "Control failed: base trained once more, without a perturbation, gives other lists, so that a part "
    "of the differences is noise of this machine, or base was trained by another version or on another "
    "device (base_checkpoint, resume)."
)

_LABELS = {
    "base_recbole_order": "base, RecBole's order",
    "control": "control (same seed)",
    "seed_control": "other seed",
}


def label(name: str) -> str:
    """The words for a model's file name; ``base_perturbed`` is ``base'``."""
    stem = name[: -len(PERTURBED)] if name.endswith(PERTURBED) else name
    return _LABELS.get(stem, stem) + ("'" if name.endswith(PERTURBED) else "")


def methods_of(names: Iterable[str]) -> list[str]:
    """Base and the methods among the models' names, in their order: no control, no other side."""
    return [name for name in names if name not in CONTROLS and not name.endswith(PERTURBED)]


def measure_label(key: str) -> str:
    """``jaccard@10`` as people write it, ``Jaccard@10``; other names as they are."""
    name, at, k = key.partition("@")
    return f"{MEASURES[name].display}{at}{k}" if name in MEASURES else f"{name.upper()}{at}{k}"
