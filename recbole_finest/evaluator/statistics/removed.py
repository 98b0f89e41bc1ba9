"""The part of base's instability that a method takes away, with its interval over users."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np

from recbole_finest.evaluator.measures.direction import distance
from recbole_finest.evaluator.statistics.summary import by_user, ratio_interval


def removed_intervals(
    key: str,
    base: np.ndarray,
    others: Mapping[str, np.ndarray],
    users: np.ndarray | None,
    rng: np.random.Generator,
    level: float = 0.95,
) -> dict[str, dict[str, float]]:
    """The part of base's instability that each model takes away, with its paired interval.

    One less the mean distance from identical lists over base's. Interval, ``users``, ``rng`` and
    ``level`` as in :func:`~recbole_finest.evaluator.statistics.summary.mean_interval`; all models'
    values of a user are drawn together.

    Args:
        key: the measure, such as ``jaccard@10``.
        base: its values of base's two lists, ``[n]``.
        others: those of each model, ``{name: [n]}``, of the same instances.

    Returns:
        ``{name: {"mean", "low", "high"}}``; NaN where base is in full agreement, and an end NaN where
        it is in a resample, or for fewer than two users.
    """
    table = distance(key, np.stack([base, *others.values()]))
    (first, *sums), _ = by_user(table, users)
    if not others or first.sum() == 0:
        return {name: dict.fromkeys(("mean", "low", "high"), np.nan) for name in others}
    with warnings.catch_warnings():  # a resample in full agreement has no ratio
        warnings.simplefilter("ignore", RuntimeWarning)
        ends = np.stack(ratio_interval(np.stack(sums), first, rng, level))
    high, low = 1 - np.where(np.isfinite(ends), ends, np.nan)
    means = 1 - np.array([row.sum() for row in sums]) / first.sum()
    return {
        name: {"mean": float(means[i]), "low": float(low[i]), "high": float(high[i])}
        for i, name in enumerate(others)
    }
