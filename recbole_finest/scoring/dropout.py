"""Dropout masks that belong to what a row of a batch is, not to where it stands in it."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from recbole_finest.seeding import Keys, derive_seed, mixed

WORDS = 2**22  # of 64 bits, each four 16-bit numbers
LEVELS = 2**16  # of a 16-bit random number


class RowDraws:
    """16-bit random numbers for the rows of one batch, in one training step.

    Each row reads them from a random table, drawn once, at an offset that its key, the step and the call
    decide: a row that leaves the batch changes nothing for the others, and drawing takes less time than
    a generator would. Rows whose offsets are near share some of their numbers, in other places.

    Args:
        keys: of the batch's rows, ``[B]``.
        seed: of the step.
    """

    def __init__(self, keys: Keys, seed: int):
        self.keys = keys
        self.seed = seed
        self.calls = 0

    def fits(self, shape: torch.Size) -> bool:
        """Whether a tensor of this shape has one row for each of the batch's."""
        return len(shape) > 1 and shape[0] == len(self.keys) and 2 * _words(shape) < WORDS

    def keep_mask(self, shape: torch.Size, dropped: int) -> Tensor:
        """Independent draws within a row, True with probability ``1 - dropped / 2¹⁶``.

        Args:
            shape: ``[B, …]``, one that :meth:`fits`.
            dropped: out of 2¹⁶.
        """
        width = _words(shape)
        self.calls += 1
        offset = mixed(self.keys, derive_seed(self.seed, self.calls)) % (WORDS - width)
        rows = torch.from_numpy(offset.astype("int64"))
        table = _table()
        found = table.as_strided((WORDS - width, width), (1, 1)).index_select(0, rows)
        numbers = found.view(torch.int16)[:, : shape[1:].numel()]
        return (numbers >= dropped - LEVELS // 2).view(shape)


def _words(shape: torch.Size) -> int:
    return -(-shape[1:].numel() // 4)


@lru_cache(maxsize=1)
def _table() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.empty(WORDS, dtype=torch.int64).random_(-(2**63), None, generator=generator)
