"""Pieces of a log's columns, gathered into the padded rows that models take."""

from __future__ import annotations

import numpy as np
import torch


class Histories:
    """``B`` runs of consecutive interactions, as rows padded with zeros at the end.

    A run is one copy of consecutive memory, taken from a strided view in which rows overlap; nothing
    is looked up interaction by interaction.

    Args:
        start: position of each run's first interaction, ``[B]``.
        length: interactions in each run, 0 … ``width``, ``[B]``.
        width: L, the padded length.
    """

    def __init__(self, start: np.ndarray, length: np.ndarray, width: int):
        self.start, self.length, self.width = start, length, width
        self._rows = torch.from_numpy(start.astype(np.int64))
        steps = np.arange(width, dtype=length.dtype)
        self.padding = torch.from_numpy(steps >= length[:, None])  # [B, L]

    def of(self, column: torch.Tensor, minus: np.ndarray | None = None) -> torch.Tensor:
        """The runs of a column ``[n, ...]``, less ``minus`` ``[B]``: ``[B, L, ...]``."""
        found = self._runs(column)
        if minus is not None:
            found -= torch.from_numpy(minus)[:, None]
        padding = self.padding.reshape(self.padding.shape + (1,) * (found.dim() - 2))
        return found.masked_fill_(padding, 0)

    def _runs(self, column: torch.Tensor) -> torch.Tensor:
        """What stands at ``start`` and after, ``[B, L, ...]``; anything behind the end of the column."""
        last = len(column) - self.width  # the last place from which L interactions can be read
        if last < 0:
            return self._one_by_one(column, self._rows)
        shape = (last + 1, self.width, *column.shape[1:])
        overlapping = column.as_strided(shape, (column.stride(0), *column.stride()))
        found = overlapping.index_select(0, self._rows.clamp(max=last))
        late = (self._rows > last).nonzero().squeeze(1)
        if len(late):
            found[late] = self._one_by_one(column, self._rows[late])
        return found

    def _one_by_one(self, column: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        where = rows[:, None] + torch.arange(self.width)
        return column[where.clamp_(max=len(column) - 1)]
