"""What a run's files must look like for a report, whoever wrote them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recbole_finest.evaluator.statistics.replicates import KINDS
from recbole_finest.folders.shapes import VALUES, check, maybe, number, plain, whole
from recbole_finest.names import BASE, methods_of

MODELS = {str: VALUES}  # figures by model and name
COSTS = {f"{what}_ratio": maybe(number) for what in ("training", "inference")}
RESULT = {
    "model": str,
    "dataset": str,
    "accuracy": MODELS,
    "stability": MODELS,
    "perturbation": maybe(
        {"kind": str, "selection": plain, "count": whole, "n_interactions": whole, "seed": plain}
    ),
    "seed?": maybe(whole),
    "why_not_packed?": maybe(str),
    "forward_passes?": {str: whole},
    "lists?": MODELS,
    "epochs?": {str: whole},
    "seconds?": VALUES,
    "cost?": {str: COSTS},
    "versions?": {str: plain},
    "replicates?": [
        {
            "seed": whole,
            "perturbation_seed": maybe(whole),
            "stability": MODELS,
            **{f"{kind}?": MODELS for kind in KINDS if kind != "stability"},
        }
    ],
}
CURVES = {str: [{"epoch": whole}]}
CHANGES = {"changes?": [{"user": lambda value: isinstance(value, str | int)}]}
SETTINGS = {
    "topk?": maybe([lambda value: whole(value) and value > 0]),
    "metrics?": maybe([str]),
    "rbo_p?": maybe(lambda value: number(value) and 0 < value < 1),
    "explicit?": [str],
}


def check_result(found: Any) -> None:
    """Check the contents of ``result.json``.

    Raises:
        ValueError: something is of another kind, is missing, or does not fit the rest.
    """
    check(found, RESULT, "it")
    check(found, {str: plain}, "it")
    accuracy = found["accuracy"]
    if BASE not in accuracy:
        raise ValueError(f"accuracy lacks '{BASE}'")
    for name, metrics in accuracy.items():
        if metrics.keys() != accuracy[BASE].keys():
            raise ValueError(f"accuracy of {name[:40]!r} has other metrics than that of '{BASE}'")
        if name != Path(name).name or not name.isprintable():
            raise ValueError(f"accuracy holds {name[:40]!r}, which cannot be a model's name")
    _check_replicates(found.get("replicates", []))


def _check_replicates(rows: Sequence[Mapping[str, Any]]) -> None:
    """All pairs of the seeds once, each with the figures of the first."""
    pairs = [(row["seed"], row["perturbation_seed"]) for row in rows]
    seeds, draws = ({pair[side] for pair in pairs} for side in (0, 1))
    if len(set(pairs)) != len(pairs) or len(pairs) != len(seeds) * len(draws):
        raise ValueError("replicates are not every pair of their seeds, each once")
    for row in rows:
        for kind, models in rows[0].items():
            if kind in KINDS:
                _check_alike(row.get(kind, {}), models, kind)


def _check_alike(row: Mapping[str, Any], first: Mapping[str, Any], kind: str) -> None:
    """Every method, and whatever else both have, with the same figures; of stability all with base's."""
    methods = methods_of(first)
    for model, figures in first.items():
        wanted = first.get(BASE, {}) if kind == "stability" and model in methods else figures
        found = row.get(model)
        if wanted.keys() != figures.keys() or (found is None and model in methods):
            raise ValueError(f"replicates do not all have the same {kind} of {model[:40]!r}")
        if found is not None and found.keys() != figures.keys():
            raise ValueError(f"replicates do not all have the same {kind} of {model[:40]!r}")


def check_curves(found: Any) -> None:
    """Check the contents of ``curves.json``.

    Raises:
        ValueError: as :func:`check_result`.
    """
    check(found, {str: [VALUES]}, "it")
    check(found, CURVES, "it")


def check_settings(found: Any) -> None:
    """Check the contents of ``config.yaml``.

    Raises:
        ValueError: as :func:`check_result`.
    """
    check(found, SETTINGS, "it")
    check(found, {str: plain}, "it")


def check_changes(found: Any) -> None:
    """Check what is read of ``perturbation.json``.

    Raises:
        ValueError: as :func:`check_result`.
    """
    check(found, CHANGES, "it")
