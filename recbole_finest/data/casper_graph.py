"""The graph over training interactions behind cascading scores; defined in ``casper``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recbole_finest.data.log import InteractionLog
from recbole_finest.errors import UserError

_CHUNK = 1 << 16  # interactions taken at a time


@dataclass(frozen=True)
class InteractionGraph:
    """The interactions that may have edges, in the order of time, ``[m]`` each.

    Two of them that follow each other in a ``user`` or in an ``item`` chain are joined by an edge.
    ``item`` numbers the chains of one item: a chain ends where an interaction was cut off.
    """

    position: np.ndarray
    user: np.ndarray
    item: np.ndarray
    n_users: int
    n_items: int

    def __len__(self) -> int:
        return len(self.position)

    def steps(self, start: int, stop: int, reverse: bool = False) -> Iterator[tuple[int, int, int]]:
        """``(index, user, item)`` from ``start`` to ``stop`` as Python integers."""
        chunks = range(start, stop, _CHUNK)
        for low in reversed(chunks) if reverse else chunks:
            high = min(low + _CHUNK, stop)
            step = slice(None, None, -1 if reverse else 1)
            indices = range(low, high)[step]
            yield from zip(
                indices, self.user[low:high][step].tolist(), self.item[low:high][step].tolist()
            )

    def roots(self) -> np.ndarray:
        """Indices of the interactions that no edge leads to, ascending."""
        first = np.zeros((2, len(self)), bool)
        for flags, chain in zip(first, (self.user, self.item)):
            flags[np.unique(chain, return_index=True)[1]] = True
        return np.flatnonzero(first.all(axis=0))


def interaction_graph(log: InteractionLog, max_seq_len: int | None) -> InteractionGraph:
    train = log.train_positions
    user, item = log.user[train], log.item[train]
    inside = np.ones(len(train), bool)
    if max_seq_len is not None:
        if max_seq_len < 1:
            raise UserError(f"max_seq_len={max_seq_len} is not a whole number of at least 1")
        left = np.searchsorted(user, user, "right") - np.arange(len(train))
        inside = left <= max_seq_len
    order = np.argsort(log.time[train], kind="stable")
    chain = _chains(item[order], inside[order])
    order, chain = order[inside[order]], chain[inside[order]]
    return InteractionGraph(
        train[order], user[order], chain, log.n_users, int(chain.max(initial=-1)) + 1
    )


def _chains(item: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Numbers of the chains of equal items, broken at each interaction that is not inside."""
    by_item = np.argsort(item, kind="stable")
    item, inside = item[by_item], inside[by_item]
    begins = np.ones(len(item), bool)
    begins[1:] = (item[1:] != item[:-1]) | ~inside[:-1]
    chain = np.empty(len(item), np.int64)
    chain[by_item] = np.cumsum(begins) - 1
    return chain


def layers(graph: InteractionGraph) -> Iterator[np.ndarray]:
    """Indices in pieces, such that whatever an interaction reaches is in an earlier piece.

    A layer holds the interactions with equally many steps on the longest way onwards; no two of
    them share a user or an item. Long layers are cut, to bound the memory of what is done with one.
    """
    of_user, of_item = [0] * graph.n_users, [0] * graph.n_items
    depth = np.zeros(len(graph), np.int32)
    for index, user, item in graph.steps(0, len(graph), reverse=True):
        depth[index] = of_user[user] = of_item[item] = max(of_user[user], of_item[item]) + 1
    order = np.argsort(depth, kind="stable")
    ends = np.flatnonzero(np.diff(depth[order], append=-1)) + 1
    start = 0
    for end in ends.tolist():
        for low in range(start, end, _CHUNK):
            yield order[low : min(low + _CHUNK, end)]
        start = end
