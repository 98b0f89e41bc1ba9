"""Which settings the result of each kind of work depends on.

A setting that is named nowhere here counts as one that matters to everything: a new one can make work be
done once too often, but never hand back the result of another setting.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from recbole_finest.config.config import RUN_SETTINGS
from recbole_finest.method import METHODS, Finest, Method

Settings = Mapping[str, Any]

# Of the run or the machine. The data's files are hashed instead of their place.
FREE = (RUN_SETTINGS - {"model", "dataset", "device"}) | {
    "loss_decimal_place",
    "save_dataset",
    "dataset_save_path",
    "save_dataloaders",
    "dataloaders_save_path",
}
# Which cells there are, and between which models.
_CHOICE = {
    "baselines",
    "control",
    "seed_control",
    "recbole_order_baseline",
    "reference_model",
    "ensemble_size",
    "filter_seen",  # the benchmark compares the models' own lists
}
_EVALUATION = {"metrics", "topk", "list_depth"}
_COMPARISON = {"metrics", "topk", "rbo_p"}
_REFERENCE = {"reference_k", "reference_source"}
_RANK = {"rank_weight", "rank_margin", "rank_reduction"}
_FINE_TUNING = ("finest_", "rank_", "simulation_")


@lru_cache(maxsize=None)
def _base(name: str) -> bool:
    """Whether base depends on a setting; a perturbed log's perturbation comes beside."""
    of_methods = tuple(f"{method}_" for method in METHODS)
    return not (
        name in FREE | _CHOICE | _EVALUATION | _COMPARISON | _REFERENCE
        or name.startswith((*_FINE_TUNING, "perturbation_", *of_methods))
    )


def of_base(settings: Settings) -> dict[str, Any]:
    """What training base depends on."""
    return {name: value for name, value in settings.items() if _base(name)}


def of_reference(settings: Settings) -> dict[str, Any]:
    """What reference lists depend on, beside the model."""
    return {n: v for n, v in settings.items() if _base(n) or n in _REFERENCE}


def of_method(settings: Settings, name: str, method: Method) -> dict[str, Any]:
    """What fine-tuning with a method depends on, beside the models and the reference lists.

    One of ours does not depend on the settings that start with another's name, on those of the
    rank-preserving loss where it has none, nor on the simulation's where it simulates nothing.
    """
    skipped = _skipped(name, method) if name in METHODS else ()
    found = {n: v for n, v in settings.items() if not n.startswith((*skipped, "perturbation_"))}
    never = FREE | _CHOICE | _EVALUATION | _COMPARISON | _REFERENCE
    return {n: v for n, v in found.items() if n not in never}


def _skipped(name: str, method: Method) -> tuple[str, ...]:
    """Beginnings of the names of the fine-tuning settings that a method of ours does not read."""
    skipped = [f"{other}_" for other in METHODS if other != name and not other.startswith("finest")]
    if not isinstance(method, Finest) or not method.needs_lists:
        skipped += sorted(_RANK)
    if not method.needs_lists:
        skipped.append("rank_instances_per_batch")
    if not method.follows_dropout:
        skipped.append("finest_dropout")
    if method.simulation() is None:
        skipped.append("simulation_")
    return tuple(skipped)


def of_evaluation(settings: Settings) -> dict[str, Any]:
    """What a model's lists and accuracy depend on, beside the model."""
    return {n: v for n, v in settings.items() if _base(n) or n in _EVALUATION}


def of_comparison(settings: Settings) -> dict[str, Any]:
    """What the similarity of given lists depends on."""
    return {name: settings[name] for name in sorted(_COMPARISON)}


def of_perturbation(settings: Settings) -> dict[str, Any]:
    """What the test perturbation depends on, beside the log."""
    return {n: v for n, v in settings.items() if _is_perturbation(n)}


def _is_perturbation(name: str) -> bool:
    return name.startswith("perturbation_")
