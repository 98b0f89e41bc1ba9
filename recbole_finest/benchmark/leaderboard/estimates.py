"""Means, shares and their intervals over replicates, and the test between two methods.

A replicate is one training: model, seed and test perturbation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from recbole_finest.evaluator.statistics import wilcoxon_p
from recbole_finest.evaluator.summary import RESAMPLES, mean_interval

NAN = float("nan")
LEVEL = 0.05
ENOUGH = 6  # replicates: Wilcoxon's smallest two-sided p-value is 2 / 2^n, 0.0625 for five


@dataclass(frozen=True)
class Estimate:
    """A value with its bootstrap 95 % interval, NaN where unknown, from ``n`` replicates."""

    mean: float
    low: float
    high: float
    n: int


NONE = Estimate(NAN, NAN, NAN, 0)


def mean_of(values: np.ndarray, rng: np.random.Generator) -> Estimate:
    """Mean of values ``[n]`` over replicates; NaNs are left out, one replicate has no interval."""
    values = values[~np.isnan(values)]
    if not len(values):
        return NONE
    if np.ptp(values) == 0:  # nothing to resample
        return _constant(float(values[0]), len(values))
    low, high = mean_interval(values[None], None, rng)
    return Estimate(float(values.mean()), float(low[0]), float(high[0]), len(values))


def change_of(method: np.ndarray, none: np.ndarray, rng: np.random.Generator) -> Estimate:
    """``mean(method) / mean(none) - 1`` over paired replicates ``[n]``, resampled in pairs.

    A ratio of means and not a mean of ratios, so that a replicate in which ``none`` is near 0 does
    not decide. NaN where ``none`` is 0 throughout.
    """
    known = ~(np.isnan(method) | np.isnan(none))
    method, none = method[known], none[known]
    if not len(none) or not none.any():
        return NONE
    if np.ptp(method) == 0 and np.ptp(none) == 0:
        return _constant(float(method[0] / none[0] - 1), len(none))
    change = float(method.mean() / none.mean() - 1)
    if np.array_equal(method, none):
        return _constant(0.0, len(none))

    def ratio(one: np.ndarray, other: np.ndarray, axis: int = -1) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return one.mean(axis=axis) / other.mean(axis=axis) - 1

    drawn = stats.bootstrap(
        (method, none),
        ratio,
        paired=True,
        vectorized=True,
        n_resamples=RESAMPLES,
        method="percentile",
        random_state=rng,
    ).confidence_interval
    low, high = float(drawn.low), float(drawn.high)
    known_ends = np.isfinite(low) and np.isfinite(high)
    return Estimate(change, *((low, high) if known_ends else (NAN, NAN)), len(none))


def _constant(value: float, n: int) -> Estimate:
    end = value if n > 1 else NAN
    return Estimate(value, end, end, n)


def paired_p(gains: np.ndarray) -> float:
    """Wilcoxon's signed-rank p-value of paired differences ``[n]``; NaN without a replicate."""
    return wilcoxon_p(gains) if len(gains) else NAN


def replicates_needed(compared: int) -> int:
    """Replicates from which Holm's correction over so many methods can give a p-value below 0.05."""
    return next(n for n in range(1, 64) if max(1, compared) * 2.0 ** (1 - n) < LEVEL)
