"""What every measure asks of its arguments, and how untidy rank lists are put in order."""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np

from recbole_finest.errors import UserError

PADDING = -1  # what fills the end of a list that is shorter than the array is wide


def check_depth(k: object) -> int:
    """Return the list depth ``k`` as an int; ``UserError`` unless it is a whole number >= 1."""
    if isinstance(k, bool) or not isinstance(k, Integral) or k < 1:
        raise UserError(f"A list depth k must be a whole number of at least 1, not {k!r}.")
    return int(k)


def check_persistence(p: object) -> float:
    """Return RBO's persistence ``p`` as a float; ``UserError`` unless 0 < p < 1."""
    if isinstance(p, bool) or not isinstance(p, Real) or not 0 < float(p) < 1:
        raise UserError(
            f"rbo_p must lie between 0 and 1, both excluded, not {p!r}; p = 1 is AverageOverlap."
        )
    return float(p)


def check_lists(reference: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both arrays of rank lists; ``UserError`` unless both are ``[n, depth]`` integers."""
    reference, other = np.asarray(reference), np.asarray(other)
    for name, lists in (("reference", reference), ("other", other)):
        if lists.ndim != 2 or not np.issubdtype(lists.dtype, np.integer):
            raise UserError(
                f"The {name} rank lists must be a whole-number array [n, depth], "
                f"not {lists.dtype} of shape {list(lists.shape)}."
            )
    if len(reference) != len(other):
        raise UserError(
            f"There are {len(reference)} reference lists but {len(other)} lists to compare: "
            "both must hold the same instances in the same order."
        )
    if np.uint64 in (reference.dtype, other.dtype):  # NumPy makes floats of uint64 + int64
        reference, other = reference.astype(np.int64), other.astype(np.int64)
    return reference, other


def top(lists: np.ndarray, depth: int) -> np.ndarray:
    """Cut lists ``[n, any]`` to ``[n, depth]``, filled with -1; holes before the cut are closed."""
    cut = lists[:, :depth]
    if cut.min(initial=0) < 0:
        if ((lists[:, 1:] >= 0) & (lists[:, :-1] < 0)).any():
            cut = close_up(lists)[:, :depth]
        cut = np.maximum(cut, PADDING)
    if cut.shape[1] == depth:
        return cut
    filled = np.full((len(cut), depth), PADDING, dtype=np.int64)
    filled[:, : cut.shape[1]] = cut
    return filled


def lengths(lists: np.ndarray) -> np.ndarray:
    """Count the items of every list ``[n, depth]``; ``[n]``."""
    if lists.min(initial=0) >= 0:  # the usual case, and ten times as fast
        return np.full(len(lists), lists.shape[1])
    return (lists >= 0).sum(axis=1)


def close_up(lists: np.ndarray) -> np.ndarray:
    """Move the padding (any negative value) of every list to its end, the order kept."""
    return np.take_along_axis(lists, np.argsort(lists < 0, axis=1, kind="stable"), axis=1)


def without_repeats(lists: np.ndarray) -> np.ndarray:
    """Keep the first occurrence of every item of a list ``[n, depth]`` and close the gaps."""
    lists = lists.astype(np.int64)
    order = np.argsort(lists, axis=1, kind="stable")  # stable: the first occurrence comes first
    sorted_items = np.take_along_axis(lists, order, axis=1)
    repeated = np.zeros(lists.shape, dtype=bool)
    repeated[:, 1:] = sorted_items[:, 1:] == sorted_items[:, :-1]
    marks = np.empty_like(repeated)
    np.put_along_axis(marks, order, repeated, axis=1)
    return close_up(np.where(marks, PADDING, lists))
