"""A sweep: which settings of a method are tried."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

METHOD = "finest"  # whose settings are swept where the sweep names no method


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


def _values(setting: str, given: Any, mistakes: list[str]) -> list[Any]:
    values = list(given) if isinstance(given, (list, tuple)) else [given]
    if not values or any(value is None for value in values):
        mistakes.append(f"sweep: {setting} is {given!r}, but must be a list of values to try")
    return values


def _product(axes: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(axes, values)) for values in itertools.product(*axes.values())]


def _one_at_a_time(axes: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    return [{name: value} for name, values in axes.items() for value in values]
