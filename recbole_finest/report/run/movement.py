"""Where the items of one model's lists stand in another's: a two-dimensional histogram of ranks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

EDGES = (1, 2, 3, 6, 11, 21, 51, 101)  # the first rank of each band


@dataclass(frozen=True)
class Movement:
    """Counts of items by rank before and after.

    Attributes:
        before: names of the bands of the rank before, such as ``6–10``.
        after: those of the rank after; the last one is beyond the list.
        counts: number of items, ``[before, after]``.
    """

    before: list[str]
    after: list[str]
    counts: np.ndarray

    @property
    def shares(self) -> np.ndarray:
        """Share of the items of each band before that stand in each band after; rows sum to 1."""
        total = self.counts.sum(axis=1, keepdims=True)
        return self.counts / np.maximum(total, 1)


def movement(codes: np.ndarray, ranks: np.ndarray, depth: int) -> Movement:
    """Count items by their ranks before and after.

    Args:
        codes: the first model's items best first, ``[n, width]``; -1 is padding.
        ranks: their ranks in the second model's list, ``[n, width]``; 0 where not listed.
        depth: length of the second model's lists.
    """
    first_before, first_after = _edges(codes.shape[1]), _edges(depth)
    before = np.searchsorted(first_before, np.arange(1, codes.shape[1] + 1), side="right") - 1
    after = np.searchsorted(first_after, ranks, side="right") - 1
    after = np.where(ranks > 0, after, len(first_after))
    width = len(first_after) + 1
    cell = (before * width + after)[codes >= 0]
    counts = np.bincount(cell, minlength=len(first_before) * width).reshape(-1, width)
    names = _names(first_after, depth)
    return Movement(_names(first_before, codes.shape[1]), [*names, f"> {depth}"], counts)


def _edges(depth: int) -> np.ndarray:
    return np.array([edge for edge in EDGES if edge <= depth])


def _names(edges: np.ndarray, depth: int) -> list[str]:
    last = [*(edge - 1 for edge in edges[1:].tolist()), depth]
    return [str(a) if a == b else f"{a}–{b}" for a, b in zip(edges.tolist(), last)]
