"""Groups of test instances whose stability is reported on its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from recbole_finest.evaluator.statistics.summary import bands, by_slice


@dataclass(frozen=True)
class Slicing:
    """One way to divide the instances.

    Attributes:
        title: what they are divided by.
        axis: the same with its unit, short, for an axis.
        labels: the group of each instance, ``[n]``.
        order: the groups as they are to be listed.
    """

    title: str
    axis: str
    labels: np.ndarray
    order: list[str]


def by_accuracy(base_rank: np.ndarray, k: int, depth: int) -> Slicing:
    """By the place of the target in base's list: ``base_rank`` ``[n]``, 0 where not listed."""
    order = [f"top {k}", f"{k + 1} to {depth}", f"beyond {depth}"]
    listed = np.where(base_rank <= k, order[0], order[1])
    labels = np.where(base_rank > 0, listed, order[2])
    title = "Place of the true next item in base's list"
    return Slicing(title, "rank of the true next item", labels, order)


def by_number(title: str, axis: str, values: np.ndarray) -> Slicing:
    """By terciles of a whole number, ``[n]``; the groups' names say their ranges."""
    band = bands(values, ("0", "1", "2")).astype(int)
    labels = np.empty(len(values), dtype=object)
    order = []
    for number in range(3):
        chosen = band == number
        if chosen.any():
            low, high = int(values[chosen].min()), int(values[chosen].max())
            order.append(str(low) if low == high else f"{low} to {high}")
            labels[chosen] = order[-1]
    return Slicing(title, axis, labels.astype(str), order)


def by_touch(touched: np.ndarray) -> Slicing:
    """By whether the user has a changed interaction, ``[n]`` bool."""
    labels = np.where(touched, "perturbed", "untouched")
    return Slicing("Users with a changed interaction", "user", labels, ["perturbed", "untouched"])


@dataclass(frozen=True)
class Sliced:
    """Stability by group.

    Attributes:
        title, axis: as in :class:`Slicing`.
        groups: ``{group: {"n": instances, "metrics": {method: {mean, low, high, …}}}}``, in order.
    """

    title: str
    axis: str
    groups: dict[str, dict[str, Any]]


def by_group(
    slicing: Slicing, values: Mapping[str, np.ndarray], users: np.ndarray, rng: np.random.Generator
) -> Sliced:
    """Summarise each method's values ``{method: [n]}`` in each group; empty groups are left out."""
    found = by_slice(values, slicing.labels, users, rng)
    groups = {name: found[name] for name in slicing.order if name in found}
    return Sliced(slicing.title, slicing.axis, groups)
