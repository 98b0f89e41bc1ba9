"""Means, shares and their intervals over replicates, and the test between two methods.

A replicate is one training: model, seed and test perturbation.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy import stats

from recbole_finest.evaluator.measures.direction import share_removed
from recbole_finest.evaluator.statistics.paired import wilcoxon_p
from recbole_finest.evaluator.statistics.summary import RESAMPLES

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
    low, high = _interval((values,), np.mean, rng)
    return Estimate(float(values.mean()), float(low), float(high), len(values))


def means_of(values: Mapping[str, np.ndarray], rng: np.random.Generator) -> dict[str, Estimate]:
    """:func:`mean_of` of several measures of the same replicates, resampled together."""
    varied = [key for key, row in values.items() if np.ptp(row) > 0]  # and without NaN
    found = {key: mean_of(row, rng) for key, row in values.items() if key not in varied}
    if varied:
        table = np.stack([values[key] for key in varied])

        def means(chosen: np.ndarray, axis: int = -1) -> np.ndarray:
            return table[:, chosen].mean(axis=-1)

        low, high = _interval((np.arange(table.shape[1]),), means, rng)
        for i, key in enumerate(varied):
            found[key] = Estimate(
                float(table[i].mean()), float(low[i]), float(high[i]), table.shape[1]
            )
    return {key: found[key] for key in values}


def change_of(method: np.ndarray, none: np.ndarray, rng: np.random.Generator) -> Estimate:
    """``mean(method) / mean(none) - 1`` over paired replicates ``[n]``; NaN where ``none`` is 0."""

    def change(none: np.ndarray, method: np.ndarray) -> np.ndarray:
        return method / none - 1

    return _of_means(change, method, none, rng)


def removed_of(
    key: str, method: np.ndarray, none: np.ndarray, rng: np.random.Generator
) -> Estimate:
    """:func:`share_removed` of the means of a measure over paired replicates ``[n]``."""
    return _of_means(partial(share_removed, key), method, none, rng)


def _of_means(
    relation: Callable[[np.ndarray, np.ndarray], Any],
    method: np.ndarray,
    none: np.ndarray,
    rng: np.random.Generator,
) -> Estimate:
    """``relation(mean(none), mean(method))``, resampled in pairs; NaNs are left out.

    Of means and not a mean over replicates, so that one in which ``none`` is near 0 does not decide.
    """
    known = ~(np.isnan(method) | np.isnan(none))
    method, none = method[known], none[known]

    def of_means(one: np.ndarray, other: np.ndarray, axis: int = -1) -> Any:
        with np.errstate(divide="ignore", invalid="ignore"):
            return relation(other.mean(axis=axis), one.mean(axis=axis))

    value = float(of_means(method, none)) if len(none) else NAN
    if not np.isfinite(value):
        return NONE
    if np.array_equal(method, none) or (np.ptp(method) == 0 and np.ptp(none) == 0):
        return _constant(value, len(none))
    low, high = _interval((method, none), of_means, rng)
    return Estimate(value, float(low), float(high), len(none))


def _interval(
    samples: tuple[np.ndarray, ...], statistic: Callable[..., Any], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Bootstrap percentile 95 % interval, replicates drawn in pairs; NaN where it has no end."""
    with warnings.catch_warnings():
        # a resample without any instability has no ratio: the interval then has no end
        warnings.simplefilter("ignore", RuntimeWarning)
        drawn = stats.bootstrap(
            samples,
            statistic,
            paired=len(samples) > 1,
            vectorized=True,
            n_resamples=RESAMPLES,
            method="percentile",
            random_state=rng,
        ).confidence_interval
    known = np.isfinite(drawn.low) & np.isfinite(drawn.high)
    return np.where(known, drawn.low, NAN), np.where(known, drawn.high, NAN)


def _constant(value: float, n: int) -> Estimate:
    end = value if n > 1 else NAN
    return Estimate(value, end, end, n)


def paired_p(gains: np.ndarray) -> float:
    """Wilcoxon's signed-rank p-value of paired differences ``[n]``; NaN without a replicate."""
    return wilcoxon_p(gains) if len(gains) else NAN


def replicates_needed(compared: int) -> int:
    """Replicates from which Holm's correction over so many methods can give a p-value below 0.05."""
    return next(n for n in range(1, 64) if max(1, compared) * 2.0 ** (1 - n) < LEVEL)
