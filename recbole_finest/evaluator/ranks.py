"""Where one list's items stand in another."""

from __future__ import annotations

import numpy as np

CELLS_AT_A_TIME = 1 << 24


def ranks_in(reference: np.ndarray, other: np.ndarray, n_codes: int) -> np.ndarray:
    """Look up each item of the reference list in the other list of the same instance.

    Args:
        reference: item codes best first, ``[n, any]``; -1 is padding.
        other: item codes best first, ``[n, depth]``, each at most once; -1 is padding.
        n_codes: number of item codes.

    Returns:
        Ranks from 1, ``[n, any]``, int32; 0 where the item is not listed, and for padding.
    """
    ranks = np.zeros(reference.shape, dtype=np.int32)
    rows = max(1, CELLS_AT_A_TIME // (n_codes + 1))
    table = np.zeros((min(rows, max(1, len(other))), n_codes + 1), dtype=np.int32)
    places = np.arange(1, other.shape[1] + 1, dtype=np.int32)
    for start in range(0, len(reference), rows):
        one, two = reference[start : start + rows], other[start : start + rows]
        row = np.arange(len(two))[:, None]
        table[row, two] = places  # code -1 is the last column
        table[:, -1] = 0
        ranks[start : start + rows] = table[row, one]
        table[row, two] = 0
    return ranks


def target_ranks(codes: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Rank of each instance's target in its list, from 1, ``[n]``; 0 where it is not listed."""
    found = codes == targets[:, None]  # [n, depth]
    return np.where(found.any(axis=1), found.argmax(axis=1) + 1, 0)
