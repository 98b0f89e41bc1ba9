"""Histories by a model's item ids, many at a time, whatever they come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from recbole_finest.data.dataset import LogDataset
from recbole_finest.errors import UserError
from recbole_finest.serve.vocabulary import Vocabulary

AT_A_TIME = 1 << 20  # interactions, about 16 bytes each


@dataclass(frozen=True)
class Histories:
    """``n`` histories, one behind the other, of ``m`` interactions altogether.

    Attributes:
        users: tokens of the people, ``[n]``; ``""`` where nobody said.
        begin: where each history begins, ``[n + 1]``; the last one is ``m``.
        items: the model's ids of the items, oldest first, ``[m]``; none is 0.
        unknown: interactions of each with items that the model does not know, left out, ``[n]``.
        times: exact times, ascending in a history, ``[m]``; None where unknown.
        rows: row ids in the data set that they are from, ``[m]``; None where they are from none.
    """

    users: np.ndarray
    begin: np.ndarray
    items: np.ndarray
    unknown: np.ndarray
    times: np.ndarray | None = None
    rows: np.ndarray | None = None

    @classmethod
    def sorted(
        cls,
        users: np.ndarray,
        begin: np.ndarray,
        items: np.ndarray,
        times: np.ndarray | None = None,
        rows: np.ndarray | None = None,
    ) -> Histories:
        """From columns in which item 0 is unknown; sorts each history by time, ties as they stand."""
        owner = np.repeat(np.arange(len(users)), np.diff(begin))
        order = np.arange(len(items)) if times is None else np.lexsort((times, owner))
        order = order[items[order] > 0]
        length = np.bincount(owner[order], minlength=len(users))
        return cls(
            users,
            np.append(0, np.cumsum(length)),
            items[order],
            np.diff(begin) - length,
            None if times is None else times[order],
            None if rows is None else rows[order],
        )

    def __len__(self) -> int:
        return len(self.users)

    @property
    def length(self) -> np.ndarray:
        """Interactions of each that the model knows, ``[n]``."""
        return np.diff(self.begin)

    def nonempty(self) -> Histories:
        """Those with an interaction; the others have none to leave out, so that the columns stay."""
        kept = self.length > 0
        begin = np.append(self.begin[:-1][kept], self.begin[-1])
        return replace(self, users=self.users[kept], begin=begin, unknown=self.unknown[kept])


def from_tokens(
    vocabulary: Vocabulary,
    histories: Sequence[Sequence[Any]],
    users: Sequence[Any] | None,
    times: Sequence[Sequence[float]] | None,
) -> Histories:
    """From lists of item tokens, oldest first.

    Args:
        vocabulary: the model's.
        histories: item tokens, ``[n][…]``.
        users: a user token or None for each, ``[n]``.
        times: of each item, ``[n][…]``.

    Raises:
        UserError: lists of other lengths, or a string in the place of a list.
    """
    for history in histories:
        if isinstance(history, str):
            raise UserError(
                f"a history is a list of item tokens, not the string {history!r}; write "
                f"[[{history!r}, …], …]"
            )
    length = np.array([len(history) for history in histories], dtype=np.int64)
    items = vocabulary.item_ids([str(item) for history in histories for item in history])
    named = [""] * len(length) if users is None else ["" if u is None else str(u) for u in users]
    if len(named) != len(length):
        raise UserError(
            f"there are {len(named)} users for {len(length)} histories; give one for each"
        )
    moments = None
    if times is not None:
        if [len(part) for part in times] != length.tolist():
            raise UserError("times differ in length from the histories; give one for each item")
        moments = np.array([time for part in times for time in part], dtype=np.float64)
        if not np.isfinite(moments).all():
            raise UserError("times holds what is no finite number; give one for each item")
    begin = np.append(0, np.cumsum(length))
    return Histories.sorted(np.array(named, dtype=object), begin, items, moments)


def of_dataset(
    dataset: LogDataset, vocabulary: Vocabulary, users: np.ndarray | None = None
) -> Iterator[Histories]:
    """Whole histories of a data set's people, about ``AT_A_TIME`` interactions at a time.

    Args:
        dataset: with ids of its own.
        vocabulary: the model's.
        users: the data set's ids of the people wanted, ``[n]``; None is all, in the order of ids.
    """
    log, own = dataset.log, Vocabulary.of_dataset(dataset)
    items = vocabulary.item_ids(own.items)
    users = np.arange(1, log.n_users) if users is None else users
    first, length = log.user_begin[users], np.diff(log.user_begin)[users]
    ends = np.cumsum(length)
    while len(users):
        n = max(1, int(np.searchsorted(ends, ends[0] - length[0] + AT_A_TIME, "right")))
        begin = np.append(0, np.cumsum(length[:n]))
        rows = np.arange(begin[-1]) + np.repeat(first[:n] - begin[:-1], length[:n])
        yield Histories.sorted(
            own.users[users[:n]], begin, items[log.item[rows]], log.time[rows], log.row[rows]
        )
        users, first, length, ends = users[n:], first[n:], length[n:], ends[n:]
