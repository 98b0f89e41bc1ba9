"""A sweep: which settings of a method are tried."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

METHOD = "finest"  # whose settings are swept where the sweep names no method
MAX_ACCURACY_LOSS = 0.01
# entries of a grid's file, and options of the command
KEYS = {
    "sweep": "(dict) Settings of finest and their values, {rank_weight: [1, 10]}, or by method.",
    "sweep_full": "(bool) All combinations instead of one setting at a time [False].",
    "max_accuracy_loss": "(float) Share of accuracy that the recommended setting may cost [0.01].",
}


def read_sweep(
    raw: Mapping[str, Any], mistakes: list[str]
) -> tuple[list[tuple[str, str, dict[str, Any]]], float]:
    """The variants of a grid's sweep and the accuracy that a recommended one may cost.

    Args:
        raw: the grid's file, with ``KEYS`` where there is a sweep.
        mistakes: gets a sentence for each mistake in the sweep's form.

    Returns:
        ``[(name, method, its settings)]``, and ``max_accuracy_loss`` as a share.
    """
    given, full = raw.get("sweep") or {}, raw.get("sweep_full", False)
    loss = raw.get("max_accuracy_loss", MAX_ACCURACY_LOSS)
    if not isinstance(given, Mapping):
        mistakes.append(f"sweep is {given!r}, but must hold 'setting: [value, …]' lines")
        given = {}
    if not isinstance(full, bool):
        mistakes.append(f"sweep_full is {full!r}, but must be True or False")
    if not isinstance(loss, (int, float)) or isinstance(loss, bool) or not 0 <= loss <= 1:
        mistakes.append(f"max_accuracy_loss is {loss!r}, but must be a share from 0 to 1")
        loss = MAX_ACCURACY_LOSS
    variants = swept(given, full is True, mistakes)
    return [(name_of(*variant), *variant) for variant in variants], float(loss)


def name_of(method: str, settings: Mapping[str, Any]) -> str:
    """What tables call a variant.

    >>> name_of("finest", {"rank_weight": 30, "reference_k": 50})
    'finest(rank_weight=30, reference_k=50)'
    """
    return f"{method}({', '.join(f'{name}={value}' for name, value in settings.items())})"


def swept(
    sweep: Mapping[str, Any], full: bool, mistakes: list[str]
) -> list[tuple[str, dict[str, Any]]]:
    """The variants that a sweep adds to the methods.

    Args:
        sweep: ``{setting: [value, …]}`` of ``finest``, or ``{method: {setting: [value, …]}}``.
        full: whether every combination is tried instead of one setting at a time, the others at
            their defaults.
        mistakes: gets a sentence for each mistake in the sweep's form.

    Returns:
        ``[(method, its settings)]``.

    >>> swept({"rank_weight": [1, 10], "reference_k": [50]}, False, [])
    [('finest', {'rank_weight': 1}), ('finest', {'rank_weight': 10}), ('finest', {'reference_k': 50})]
    >>> swept({"finest": {"rank_weight": [1, 10], "reference_k": [50]}}, True, [])
    [('finest', {'rank_weight': 1, 'reference_k': 50}), ('finest', {'rank_weight': 10, 'reference_k': 50})]
    """
    methods: dict[str, dict[str, list[Any]]] = {}
    for name, given in sweep.items():
        if isinstance(given, Mapping):
            for setting, values in given.items():
                methods.setdefault(str(name), {})[str(setting)] = _values(setting, values, mistakes)
        else:
            methods.setdefault(METHOD, {})[str(name)] = _values(name, given, mistakes)
    return [
        (method, settings)
        for method, axes in methods.items()
        for settings in (_product(axes) if full else _one_at_a_time(axes))
    ]


def _values(setting: str, given: object, mistakes: list[str]) -> list[Any]:
    values = list(given) if isinstance(given, (list, tuple)) else [given]
    if not values or any(value is None for value in values):
        mistakes.append(f"sweep: {setting} is {given!r}, but must be a list of values to try")
    return values


def _product(axes: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(axes, values)) for values in itertools.product(*axes.values())]


def _one_at_a_time(axes: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    return [{name: value} for name, values in axes.items() for value in values]
