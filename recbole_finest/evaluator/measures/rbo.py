"""Rank-biased overlap: extrapolated (RBO), normalised at a depth (FRBO), unweighted (p = 1)."""

from __future__ import annotations

import numpy as np

from recbole_finest.evaluator.measures.agreement import Profile, values_of
from recbole_finest.evaluator.measures.checks import check_depth, check_persistence


def rbo(reference: np.ndarray, other: np.ndarray, k: int, p: float = 0.9) -> np.ndarray:
    """Extrapolated rank-biased overlap of the first ``k`` places, RBO_ext.

    Webber, Moffat and Zobel, "A similarity measure for indefinite rankings", TOIS 28(4), 2010,
    equation (32): the agreement seen to depth k is assumed to go on for ever, and the shorter of
    two lists of unequal length to go on agreeing as it did: a list and its own beginning get 1.

    Args:
        reference: item ids best first, ``[n, any]``, padded with -1 at the end. A list shorter than
            ``k`` is taken as it is; of a repeated item the first occurrence counts.
        other: the lists to compare with, ``[n, any]``.
        k: depth to which both lists are cut.
        p: persistence; the weight of depth d is proportional to ``p ** (d - 1)``.

    Returns:
        float64 ``[n]`` in 0 … 1; identical lists 1, nothing in common 0, two empty lists 1, one 0.
        Symmetric.

    Raises:
        UserError: k below 1, p outside (0, 1), arrays of the wrong kind.
    """
    k, p = check_depth(k), check_persistence(p)
    return values_of(lambda profile: rbo_at(profile, k, p), reference, other, k)


def frbo(reference: np.ndarray, other: np.ndarray, k: int, p: float = 0.9) -> np.ndarray:
    """Rank-biased overlap summed to depth ``k`` and normalised to reach 1 there, FRBO@k.

    ``sum_{d<=k} p^(d-1) A_d / sum_{d<=k} p^(d-1)`` with A_d the share of the first d places in
    common (finite RBO, arXiv 2307.13165). Where both lists are shorter than ``k``, the longer one's
    length takes its place; the places that only one list has count as disagreement.

    Arguments, range, special values, symmetry and errors as for :func:`rbo`.
    """
    k, p = check_depth(k), check_persistence(p)
    return values_of(lambda profile: frbo_at(profile, k, p), reference, other, k)


def average_overlap(reference: np.ndarray, other: np.ndarray, k: int) -> np.ndarray:
    """Mean over d = 1 … ``k`` of the share of the first d places in common: FRBO with p = 1.

    Fagin, Kumar and Sivakumar, "Comparing top k lists", 2003 (intersection metric); any depth, the
    whole catalogue too, where two random permutations get about 0.5.
    Arguments, range, special values, symmetry and errors as for :func:`frbo`.
    """
    k = check_depth(k)
    return values_of(lambda profile: average_overlap_at(profile, k), reference, other, k)


def rbo_at(profile: Profile, k: int, p: float) -> np.ndarray:
    """RBO_ext of the lists of a profile, cut to ``k``; ``[n]``. See :func:`rbo`."""
    profile = profile.cut(k)
    short, long = profile.shorter, profile.longer
    powers = p ** np.arange(profile.overlap.shape[1] + 1, dtype=float)
    weight = powers[:-1]  # [depth], of depth d = 1, 2, …
    by_depth, plain = _sums(weight)
    at_end = profile.overlap[:, -1]
    at_short = profile.overlap[np.arange(len(short)), np.maximum(short, 1) - 1]
    share = at_short / np.maximum(short, 1)  # X_s / s
    # sum over s < d <= l of p^(d-1) (X_s (d - s)) / (s d), written with partial sums
    beyond = share * (plain[long] - plain[short] - short * (by_depth[long] - by_depth[short]))
    tail = ((at_end - at_short) / np.maximum(long, 1) + share) * powers[long]
    value = (1 - p) * (_weighted_agreement(profile, weight) + beyond) + tail
    return np.where(long == 0, 1.0, np.clip(value, 0.0, 1.0))


def frbo_at(profile: Profile, k: int, p: float) -> np.ndarray:
    """FRBO of the lists of a profile, cut to ``k``; ``[n]``. See :func:`frbo`."""
    profile = profile.cut(k)
    return _normalised(profile, p ** np.arange(profile.overlap.shape[1], dtype=float))


def average_overlap_at(profile: Profile, k: int) -> np.ndarray:
    """Average overlap of the lists of a profile, cut to ``k``; ``[n]``."""
    profile = profile.cut(k)
    return _normalised(profile, np.ones(profile.overlap.shape[1]))


def _sums(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Partial sums of weight / d and of weight, ``[depth + 1]``, from the empty sum on."""
    depths = np.arange(1, len(weight) + 1)
    return (
        np.concatenate([[0.0], np.cumsum(weight / depths)]),
        np.concatenate([[0.0], np.cumsum(weight)]),
    )


def _weighted_agreement(profile: Profile, weight: np.ndarray) -> np.ndarray:
    """Sum over d up to the longer list's end of weight_d * X_d / d, ``[n]``."""
    by_depth, _ = _sums(weight)
    # einsum and not @: the latter's own threads get in the way of those of over_profiles
    total = np.einsum("nd,d->n", profile.overlap, weight / np.arange(1, len(weight) + 1))
    # Past the end of both lists the overlap stays as it is; that part does not belong to the sum.
    return total - profile.overlap[:, -1] * (by_depth[-1] - by_depth[profile.longer])


def _normalised(profile: Profile, weight: np.ndarray) -> np.ndarray:
    _, plain = _sums(weight)
    long = profile.longer
    value = _weighted_agreement(profile, weight) / plain[np.maximum(long, 1)]
    return np.where(long == 0, 1.0, np.clip(value, 0.0, 1.0))
