"""The agreement profile of two rank lists: how many items their first d places share, for every d.

Every set-based measure (RBO, FRBO, average overlap, Jaccard, churn, top-1) is a function of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from recbole_finest.evaluator.measures.checks import (
    PADDING,
    check_depth,
    check_lists,
    lengths,
    top,
    without_repeats,
)
from recbole_finest.evaluator.measures.counting import (
    LARGEST_TABLE,
    SortingCounter,
    TableCounter,
)

MOST_THREADS = 4
CELLS_AT_A_TIME = 1 << 19  # of a profile

T = TypeVar("T")
Counter = Callable[[np.ndarray, np.ndarray, np.ndarray], bool]


@dataclass(frozen=True)
class Profile:
    """Agreement of n pairs of lists.

    Attributes:
        overlap: number of common items of the first d places, ``[n, depth]``, column d - 1.
        reference_length: length of the reference list, at most ``depth``, ``[n]``.
        other_length: the same of the other list, ``[n]``.
    """

    overlap: np.ndarray
    reference_length: np.ndarray
    other_length: np.ndarray

    def cut(self, k: int) -> Profile:
        """Return the profile of the same lists cut to their first ``k`` places."""
        return Profile(
            self.overlap[:, :k],
            np.minimum(self.reference_length, k),
            np.minimum(self.other_length, k),
        )

    @property
    def shorter(self) -> np.ndarray:
        """Length of the shorter list of each pair, ``[n]``."""
        return np.minimum(self.reference_length, self.other_length)

    @property
    def longer(self) -> np.ndarray:
        """Length of the longer list of each pair, ``[n]``; 0 where both are empty."""
        return np.maximum(self.reference_length, self.other_length)


def agreement(reference: np.ndarray, other: np.ndarray, depth: int) -> np.ndarray:
    """Count the items that the first d places of both lists share, for d = 1 … ``depth``.

    Args:
        reference: item ids best first, ``[n, any]``, padded with -1 at the end. Any negative value
            is padding; holes are closed; of a repeated item the first occurrence counts.
        other: the lists to compare with, ``[n, any]``; its width may differ.
        depth: the greatest depth d.

    Returns:
        Overlap counts ``[n, depth]``, int32, not decreasing along d, at most d.

    Raises:
        UserError: depth below 1, arrays that are no ``[n, any]`` integers, different n.
    """
    depth = check_depth(depth)
    parts = over_profiles(lambda profile: profile.overlap, reference, other, depth)
    counts = np.concatenate(parts) if parts else np.zeros((0, 1), dtype=np.int32)
    missing = depth - counts.shape[1]  # beyond the end of both lists nothing is added
    return np.pad(counts, ((0, 0), (0, missing)), mode="edge") if missing else counts


def over_profiles(
    function: Callable[[Profile], T],
    reference: np.ndarray,
    other: np.ndarray,
    depth: int,
    distinct: bool = False,
) -> list[T]:
    """Apply a function to the profiles of consecutive chunks of pairs; results in their order.

    A profile is as wide as the wider array, ``depth`` at most and 1 at least. Chunks go to up to
    ``MOST_THREADS`` threads and each has bounded memory; the results do not depend on either.
    ``distinct`` promises that no list repeats an item, which saves looking for it.
    """
    reference, other = check_lists(reference, other)
    depth = max(1, min(depth, max(reference.shape[1], other.shape[1])))
    n_items = 1 + max(int(reference.max(initial=PADDING)), int(other.max(initial=PADDING)))
    rows = TableCounter.rows(n_items) if n_items <= LARGEST_TABLE else SortingCounter.rows(depth)
    block = rows * max(1, CELLS_AT_A_TIME // (rows * depth))
    starts = list(range(0, len(reference), block))
    results: dict[int, T] = {}

    def work(mine: list[int]) -> None:
        counter = _counter(n_items, depth, rows, distinct)
        for start in mine:
            chunk = slice(start, start + block)
            profile = _profile(reference[chunk], other[chunk], depth, counter, rows)
            results[start] = function(profile)

    threads = min(MOST_THREADS, os.cpu_count() or 1, max(1, len(starts) // 2))
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, [starts[i::threads] for i in range(threads)]))
    return [results[start] for start in starts]


def values_of(
    function: Callable[[Profile], np.ndarray], reference: np.ndarray, other: np.ndarray, k: int
) -> np.ndarray:
    """Apply a function of the profile that gives one value a pair; float64 ``[n]``."""
    parts = over_profiles(function, reference, other, k)
    return np.concatenate(parts) if parts else np.zeros(0)


def _counter(n_items: int, depth: int, rows: int, distinct: bool) -> Counter:
    if n_items <= LARGEST_TABLE:
        return TableCounter(n_items, depth, rows, distinct)
    return SortingCounter(n_items, depth)


def _profile(
    reference: np.ndarray, other: np.ndarray, depth: int, counter: Counter, rows: int
) -> Profile:
    first, second = top(reference, depth), top(other, depth)
    overlap = np.empty(first.shape, dtype=np.int32)
    if not _count(first, second, counter, rows, overlap):
        # an item is repeated: rare, so the lists are tidied only now
        first = top(without_repeats(reference), depth)
        second = top(without_repeats(other), depth)
        _count(first, second, counter, rows, overlap)
    return Profile(overlap, lengths(first), lengths(second))


def _count(
    first: np.ndarray, second: np.ndarray, counter: Counter, rows: int, overlap: np.ndarray
) -> bool:
    chunks = (slice(start, start + rows) for start in range(0, len(first), rows))
    return all(counter(first[chunk], second[chunk], overlap[chunk]) for chunk in chunks)
