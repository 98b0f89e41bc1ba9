"""Pieces of a log's columns, gathered into the padded rows that models take."""

from __future__ import annotations

import numpy as np
import torch
from numpy.lib.stride_tricks import as_strided


class Histories:
    """``B`` runs of consecutive interactions, as rows padded with zeros at the end.

    A run is one copy of consecutive memory, taken from a strided view in which rows overlap; nothing
    is looked up interaction by interaction. NumPy does it in a fifth of a millisecond a batch; PyTorch's
    threads would wait longer for each other wherever the cores have other work.

    Args:
        start: position of each run's first interaction, ``[B]``.
        length: interactions in each run, 0 … ``width``, ``[B]``.
        width: L, the padded length.
    """

    def __init__(self, start: np.ndarray, length: np.ndarray, width: int):
        self.start, self.length, self.width = start, length, width
        self.padding = np.arange(width, dtype=length.dtype) >= length[:, None]  # [B, L]

    def of(self, column: np.ndarray, minus: np.ndarray | None = None) -> np.ndarray:
        """The runs of a column ``[n, ...]``, less ``minus`` ``[B]``: ``[B, L, ...]``."""
        found = self._runs(column)
        if minus is not None:
            found -= minus[:, None]
        padding = self.padding.reshape(self.padding.shape + (1,) * (found.ndim - 2))
        np.copyto(found, 0, where=padding)
        return found

    def _runs(self, column: np.ndarray) -> np.ndarray:
        """What stands at ``start`` and after, ``[B, L, ...]``; anything behind the end of the column."""
        last = len(column) - self.width  # the last place from which L interactions can be read
        if last < 0:
            return self._one_by_one(column, self.start)
        shape = (last + 1, self.width, *column.shape[1:])
        overlapping = as_strided(column, shape, (column.strides[0], *column.strides))
        found = overlapping[np.minimum(self.start, last)]
        late = np.flatnonzero(self.start > last)
        if len(late):
            found[late] = self._one_by_one(column, self.start[late])
        return found

    def _one_by_one(self, column: np.ndarray, start: np.ndarray) -> np.ndarray:
        where = start[:, None] + np.arange(self.width)
        return column[np.minimum(where, len(column) - 1)]


def int64_tensor(values: np.ndarray) -> torch.Tensor:
    """A copy in the type that RecBole's models take ids in."""
    return torch.from_numpy(values.astype(np.int64))
