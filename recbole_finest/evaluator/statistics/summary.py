"""Summaries of per-instance values, with intervals; the unit that is resampled is the user.

The intervals speak of the models that were compared, on users like these.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

RESAMPLES = 2000
MANY_USERS = 50_000  # from here on the bootstrap of a mean is the normal interval
CELLS_AT_A_TIME = 4_000_000


def mean_interval(
    values: np.ndarray, users: np.ndarray | None, rng: np.random.Generator, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Bootstrap percentile interval of means over instances, resampling users with all they have.

    ``scipy.stats.bootstrap``, 2,000 resamples, the same for all rows. From 50,000 users on, the
    normal interval of the same estimator, from which it then differs by less than its own noise.

    Args:
        values: ``[m, n]``, one row for each measure.
        users: the user of each instance, ``[n]``; None when each instance is a user.
        rng: draws the resamples.
        level: the confidence level.

    Returns:
        Lower and upper ends, ``[m]`` each; NaN for fewer than two users.
    """
    sums, counts = by_user(np.atleast_2d(values), users)
    return ratio_interval(sums, counts, rng, level)


def change_interval(
    first: np.ndarray,
    second: np.ndarray,
    users: np.ndarray | None,
    rng: np.random.Generator,
    level: float = 0.95,
) -> dict[str, float]:
    """Relative change of a mean, ``mean(second) / mean(first) - 1``, with its paired interval.

    Of the means and not a mean of ratios, so that a user without any hit does not decide. Interval,
    ``users``, ``rng`` and ``level`` as in :func:`mean_interval`; both sides of a user are drawn together.

    Args:
        first, second: values of the same instances, ``[n]`` each, none below 0.

    Returns:
        ``mean``, ``low`` and ``high``; all NaN where the mean of ``first`` is 0, and an end NaN where
        it is 0 in resamples.
    """
    (difference, base), _ = by_user(np.stack([second - first, first]), users)
    total = base.sum()
    if not total > 0:
        return {"mean": np.nan, "low": np.nan, "high": np.nan}
    with warnings.catch_warnings():  # a resample without any hit has no ratio
        warnings.simplefilter("ignore", RuntimeWarning)
        low, high = ratio_interval(difference[None], base, rng, level)
    ends = [float(end[0]) if np.isfinite(end[0]) else np.nan for end in (low, high)]
    return {"mean": float(difference.sum() / total), "low": ends[0], "high": ends[1]}


def ratio_interval(
    sums: np.ndarray, counts: np.ndarray, rng: np.random.Generator, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Interval ``[m]``, ``[m]`` of ``sums / counts`` over all users, from each user's ``[m, n_users]``."""
    n_users = len(counts)
    if n_users < 2:
        return np.full(len(sums), np.nan), np.full(len(sums), np.nan)
    if n_users >= MANY_USERS:
        mean = sums.sum(axis=1) / counts.sum()
        spread = (sums - mean[:, None] * counts).std(axis=1, ddof=1) * np.sqrt(n_users)
        half = stats.norm.ppf((1 + level) / 2) * spread / counts.sum()
        return mean - half, mean + half

    def means(chosen: np.ndarray, axis: int = -1) -> np.ndarray:
        # how often each user is in a resample turns all measures' sums into one product
        times = np.stack([np.bincount(row, minlength=n_users) for row in np.atleast_2d(chosen)])
        return sums @ times.T / (times @ counts)  # [m, resamples]

    interval = stats.bootstrap(
        (np.arange(n_users),),
        means,
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=max(1, CELLS_AT_A_TIME // n_users),
        confidence_level=level,
        method="percentile",
        random_state=rng,
    ).confidence_interval
    return np.asarray(interval.low), np.asarray(interval.high)


def by_user(values: np.ndarray, users: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Sums ``[m, n_users]`` and numbers ``[n_users]`` of each user's values."""
    if users is None:
        return values, np.ones(values.shape[1])
    _, code = np.unique(users, return_inverse=True)
    sums = np.stack([np.bincount(code, weights=row) for row in values])
    return sums, np.bincount(code).astype(float)


def summarise(
    values: Mapping[str, np.ndarray], users: np.ndarray | None, rng: np.random.Generator
) -> dict[str, dict[str, float]]:
    """Summarise per-instance values ``{"jaccard@10": [n]}``, n >= 1.

    Returns:
        For each name ``mean``, ``median`` and ``p5`` (5th percentile: the worst-off, except for
        churn and rank shift) over instances, and ``low`` and ``high``, the 95 % interval of the
        mean (:func:`mean_interval`).
    """
    table = np.array(list(values.values()))
    low, high = mean_interval(table, users, rng)
    return {
        name: {
            "mean": float(row.mean()),
            "median": float(np.median(row)),
            "p5": float(np.percentile(row, 5)),
            "low": float(low[i]),
            "high": float(high[i]),
        }
        for i, (name, row) in enumerate(zip(values, table))
    }


def by_slice(
    values: Mapping[str, np.ndarray],
    labels: np.ndarray,
    users: np.ndarray | None,
    rng: np.random.Generator,
) -> dict[str, dict]:
    """Summarise each slice of the instances on its own.

    Args:
        values: per-instance values, ``{"jaccard@10": [n]}``.
        labels: the slice of each instance, ``[n]``: accuracy, history length or popularity band
            (:func:`bands`), perturbed or untouched, …
        users: the user of each instance, ``[n]``, or None.
        rng: draws the bootstrap samples.

    Returns:
        ``{label: {"n": instances, "metrics": summarise(...)}}``, in the order of first appearance.
    """
    labels = np.asarray(labels)
    slices = {}
    for label in dict.fromkeys(labels.tolist()):
        chosen = labels == label
        slices[str(label)] = {
            "n": int(chosen.sum()),
            "metrics": summarise(
                {name: row[chosen] for name, row in values.items()},
                None if users is None else np.asarray(users)[chosen],
                rng,
            ),
        }
    return slices


def bands(values: np.ndarray, names: Sequence[str] = ("low", "middle", "high")) -> np.ndarray:
    """Label values ``[n]`` by quantile band; equal values stay together, so bands may be uneven."""
    inner = np.linspace(0, 1, len(names) + 1)[1:-1]
    return np.asarray(names)[np.searchsorted(np.quantile(values, inner), values, side="left")]
