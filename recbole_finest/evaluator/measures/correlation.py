"""Rank correlation on the union of two top-k lists, and how far the reference's items move."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import stats

from recbole_finest.evaluator.measures.checks import check_depth, check_lists, top, without_repeats


def kendall_tau(reference: np.ndarray, other: np.ndarray, k: int) -> np.ndarray:
    """Kendall's tau-b on the union of the two top-``k`` lists.

    An item that a list lacks is placed just after its end; all such items are tied there.
    ``scipy.stats.kendalltau`` for each pair: about 0.3 ms a pair, so not for millions of them.

    Args:
        reference: item ids best first, ``[n, any]``, padded with -1 at the end; of a repeated item
            the first occurrence counts.
        other: the lists to compare with, ``[n, any]``.
        k: depth to which both lists are cut.

    Returns:
        float64 ``[n]`` in -1 … 1; identical lists 1 (empty ones and those of one item too); 0 where
        tau is undefined, that is when one list is empty. Symmetric.

    Raises:
        UserError: k below 1, arrays of the wrong kind.
    """
    return _correlation(stats.kendalltau, reference, other, k)


def weighted_tau(reference: np.ndarray, other: np.ndarray, k: int) -> np.ndarray:
    """Weighted tau (additive, hyperbolic) on the union of the two top-``k`` lists.

    Vigna, "A weighted correlation index for rankings with ties", WWW 2015; exchanges near the top
    weigh more. ``scipy.stats.weightedtau`` with its default ranking, the mean over both lists'
    orders. Missing items, arguments, range, special values, symmetry and errors as for
    :func:`kendall_tau`.
    """
    return _correlation(stats.weightedtau, reference, other, k)


def rank_shift(reference: np.ndarray, other: np.ndarray, k: int) -> np.ndarray:
    """Mean number of places by which the reference's top ``k`` items move in the other list.

    The other list is searched to its full stored depth. An item it lacks counts as standing just
    after the end of the longer list: the figure is a lower bound that depends on the stored depth.

    Arguments and errors as for :func:`kendall_tau`. Returns float64 ``[n]``, unit ranks, from 0;
    smaller is more stable; 0 where the reference is empty. Not symmetric.
    """
    k = check_depth(k)
    reference, other = check_lists(reference, other)
    values = np.zeros(len(reference))
    for start in range(0, len(values), 4096):
        chunk = slice(start, start + 4096)
        values[chunk] = _rank_shift(_tidy(reference[chunk]), _tidy(other[chunk]), k)
    return values


def _rank_shift(reference: np.ndarray, other: np.ndarray, k: int) -> np.ndarray:
    ended = 1 + np.maximum((reference >= 0).sum(axis=1), (other >= 0).sum(axis=1))  # [n]
    total, count = np.zeros(len(reference)), np.zeros(len(reference), dtype=int)
    for place in range(min(k, reference.shape[1])):
        item = reference[:, place]
        found = other == item[:, None]
        rank = np.where(found.any(axis=1), found.argmax(axis=1) + 1, ended)
        total += np.where(item >= 0, np.abs(rank - (place + 1)), 0)
        count += item >= 0
    return total / np.maximum(count, 1)


def _tidy(lists: np.ndarray) -> np.ndarray:
    return without_repeats(top(lists, max(1, lists.shape[1])))


def _correlation(
    function: Callable, reference: np.ndarray, other: np.ndarray, k: int
) -> np.ndarray:
    k = check_depth(k)
    reference, other = check_lists(reference, other)
    values = np.empty(len(reference))
    for start in range(0, len(values), 4096):
        first = top(_tidy(reference[start : start + 4096]), k)
        second = top(_tidy(other[start : start + 4096]), k)
        for row, (left, right) in enumerate(zip(first, second), start):
            values[row] = _correlate(function, left[left >= 0], right[right >= 0])
    return values


def _correlate(function: Callable, left: np.ndarray, right: np.ndarray) -> float:
    """Correlate two lists of distinct items; larger scores stand for better places."""
    if np.array_equal(left, right):
        return 1.0
    if not len(left) or not len(right):
        return 0.0
    union = np.union1d(left, right)
    scores = []
    for items in (left, right):
        score = np.full(len(union), -len(items), dtype=float)
        score[np.searchsorted(union, items)] = -np.arange(len(items), dtype=float)
        scores.append(score)
    return float(np.clip(function(*scores).statistic, -1.0, 1.0))
