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

T = TypeVar("T")
Counter = Callable[[np.ndarray, np.ndarray], "np.ndarray | None"]


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
    function: Callable[[Profile], T], reference: np.ndarray, other: np.ndarray, depth: int
) -> list[T]:
    """Apply a function to the profiles of consecutive chunks of pairs; results in their order.

    A profile is as wide as the wider array, ``depth`` at most and 1 at least. Chunks go to up to
    ``MOST_THREADS`` threads and each has bounded memory; the results do not depend on either.
    """
    reference, other = check_lists(reference, other)
    depth = max(1, min(depth, max(reference.shape[1], other.shape[1])))
    n_items = 1 + max(int(reference.max(initial=PADDING)), int(other.max(initial=PADDING)))
    in_table = n_items <= LARGEST_TABLE
    rows = TableCounter.rows(n_items) if in_table else SortingCounter.rows(depth)
    starts = list(range(0, len(reference), rows))
    results: dict[int, T] = {}

    def work(mine: list[int]) -> None:
        table = TableCounter(n_items, depth, rows) if in_table and mine else None
        counter = table or SortingCounter(n_items, depth)
        for start in mine:
            chunk = slice(start, start + rows)
            results[start] = function(_profile(reference[chunk], other[chunk], depth, counter))

    threads = min(MOST_THREADS, os.cpu_count() or 1, 1 + len(starts) // 8)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, [starts[i::threads] for i in range(threads)]))
    return [results[start] for start in starts]


def values_of(
    function: Callable[[Profile], np.ndarray], reference: np.ndarray, other: np.ndarray, k: int
) -> np.ndarray:
    """Apply a function of the profile that gives one value a pair; float64 ``[n]``."""
    parts = over_profiles(function, reference, other, k)
    return np.concatenate(parts) if parts else np.zeros(0)


def _profile(reference: np.ndarray, other: np.ndarray, depth: int, counter: Counter) -> Profile:
    first, second = top(reference, depth), top(other, depth)
    overlap = counter(first, second)
    if overlap is None:  # an item is repeated: rare, so the lists are tidied only now
        first = top(without_repeats(reference), depth)
        second = top(without_repeats(other), depth)
        overlap = counter(first, second)
    assert overlap is not None
    return Profile(overlap, lengths(first), lengths(second))
