"""Which values of a measure mean agreement, and how much of the way to it was gone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import overload

import numpy as np

from recbole_finest.evaluator.measures.table import MEASURES

EXACT = 1e-12


def smaller_is_better(key: str) -> bool:
    """Whether a smaller value of ``churn@10`` and the like means more agreement; not of accuracy."""
    name = key.partition("@")[0]
    return name in MEASURES and MEASURES[name].smaller


def full_agreement(key: str) -> float:
    """The value that identical lists have."""
    return 0.0 if smaller_is_better(key) else 1.0


def distance(key: str, values: np.ndarray) -> np.ndarray:
    """Distance of stability values ``[n]`` from identical lists: ``1 - jaccard``, or ``churn`` itself."""
    return values if smaller_is_better(key) else 1 - values


def in_full_agreement(values: Mapping[str, float]) -> bool:
    """Whether measures, by ``jaccard@10`` and the like, say that the lists are identical."""
    return all(abs(value - full_agreement(key)) <= EXACT for key, value in values.items())


@overload
def share_removed(key: str, base: float, other: float) -> float: ...
@overload
def share_removed(key: str, base: np.ndarray, other: np.ndarray) -> np.ndarray: ...
def share_removed(
    key: str, base: float | np.ndarray, other: float | np.ndarray
) -> float | np.ndarray:
    """The part of base's instability, its distance from identical lists, that another model removes.

    Args:
        key: the measure, such as ``jaccard@10``.
        base, other: its values, of any one shape.

    Returns:
        1 where nothing is left, below 0 where more was added; NaN where base is in full agreement.
    """
    best = full_agreement(key)
    gap = np.subtract(base, best)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(gap == 0, np.nan, np.subtract(base, other) / gap)
    return share if share.ndim else float(share)
