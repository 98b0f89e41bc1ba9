"""Lists as they are found, by id, and as they are handed out, by token."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from recbole_finest.errors import UserError


@dataclass(frozen=True)
class Found:
    """Lists as ids, of people with a history that the model can read.

    Attributes:
        users: tokens, ``[n]``.
        items: the model's item ids best first, ``[n, k]``, int32; -1 fills short lists.
        scores: their logits, ``[n, k]``, float32.
        strangers: whether the model reads users and does not know this one, ``[n]``.
    """

    users: np.ndarray
    items: np.ndarray
    scores: np.ndarray
    strangers: np.ndarray

    def __len__(self) -> int:
        return len(self.users)


@dataclass(frozen=True)
class Recommendations:
    """What :meth:`Recommender.recommend` found, one entry a history, in their order.

    Attributes:
        items: item tokens, best first, ``[n][≤ k]``; empty for a history without a known item.
        scores: their logits, ``[n][≤ k]``.
        unknown: interactions of each that were left out because the model does not know the item, ``[n]``.
        notes: what a reader should know, one sentence each.
    """

    items: list[list[str]]
    scores: list[list[float]]
    unknown: list[int]
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.items)


def check_depth(k: object) -> None:
    """Refuse a length of lists that is none."""
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise UserError(f"topk is {k!r}, but must be a whole number of at least 1")
