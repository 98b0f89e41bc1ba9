"""The interaction log: flat columns sorted by user, then exact time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

import numpy as np

TRAIN, VALID, TEST = 0, 1, 2  # roles


@dataclass(frozen=True)
class InteractionLog:
    """Interactions in columns, sorted by user, then time; row ``i`` of every column is interaction ``i``.

    A *clean* log is what RecBole loaded and filtered: there ``row[i] == place[i] == i``. A perturbed
    log is made from a clean one and keeps its user and item ids, so the vocabulary never changes.

    Attributes:
        user: internal user ids, ``[n]``, ascending; 0 is padding and never occurs.
        item: internal item ids, ``[n]``; 0 is padding and never occurs.
        time: exact times as loaded, ``[n]``, float64; ascending within a user, ties in file order.
        row: row id (index in the clean log), ``[n]``; -1 for an inserted interaction.
        place: row id of the clean interaction whose place in the order of training this one takes,
            ``[n]``: its own row id, or for an inserted interaction the row id of the chosen one that it
            precedes. Columns other than user, item and time (``rating``, …) are read at ``place`` too.
        role: ``TRAIN``, ``VALID`` or ``TEST``, ``[n]``, int8. Perturbations change ``TRAIN`` rows only.
        n_users: number of user ids, padding included.
        n_items: number of item ids, padding included.
        n_clean: number of rows of the clean log.
    """

    user: np.ndarray
    item: np.ndarray
    time: np.ndarray
    row: np.ndarray
    place: np.ndarray
    role: np.ndarray
    n_users: int
    n_items: int
    n_clean: int
    _cache: dict = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_columns(
        cls,
        user: np.ndarray,
        item: np.ndarray,
        time: np.ndarray,
        role: np.ndarray | None = None,
        n_users: int | None = None,
        n_items: int | None = None,
    ) -> InteractionLog:
        """Make a clean log from unsorted columns; sorts by user, then time, ties in the given order.

        ``role`` defaults to ``TRAIN`` for every row, and ``n_users``/``n_items`` to the largest id + 1.
        """
        time = np.asarray(time, dtype=np.float64)
        order = np.lexsort((time, user))  # lexsort is stable: equal times keep the given order
        n_users = int(np.max(user, initial=0)) + 1 if n_users is None else n_users
        n_items = int(np.max(item, initial=0)) + 1 if n_items is None else n_items
        n = len(order)
        rows = np.arange(n, dtype=smallest_int(n))
        return cls(
            user=np.asarray(user)[order].astype(smallest_int(n_users)),
            item=np.asarray(item)[order].astype(smallest_int(n_items)),
            time=time[order],
            row=rows,
            place=rows,
            role=np.zeros(n, np.int8) if role is None else np.asarray(role, np.int8)[order],
            n_users=n_users,
            n_items=n_items,
            n_clean=n,
        )

    def __len__(self) -> int:
        return len(self.user)

    @property
    def user_start(self) -> np.ndarray:
        """First position of each interaction's user, ``[n]``."""
        if "start" not in self._cache:
            first = np.ones(len(self), bool)
            first[1:] = self.user[1:] != self.user[:-1]
            begin = np.flatnonzero(first)
            self._cache["start"] = np.repeat(begin, np.diff(np.append(begin, len(self))))
        return self._cache["start"]

    @property
    def train_positions(self) -> np.ndarray:
        """Positions (not row ids) of the training interactions, ascending."""
        if "train" not in self._cache:
            self._cache["train"] = np.flatnonzero(self.role == TRAIN)
        return self._cache["train"]

    @property
    def target_positions(self) -> np.ndarray:
        """Positions of the training interactions that have a history, and so are next items."""
        train = self.train_positions
        return train[self.user_start[train] != train]

    def item_counts(self) -> np.ndarray:
        """How often each item id occurs among the training interactions, ``[n_items]``."""
        return np.bincount(self.item[self.train_positions], minlength=self.n_items)

    def with_roles(self, role: np.ndarray) -> InteractionLog:
        """The same log with other roles, ``[n]``."""
        return replace(self, role=np.asarray(role, np.int8), _cache={})

    def fingerprint(self) -> str:
        """SHA-256 over users, items, times and roles: equal for equal logs, whatever the integer width."""
        digest = hashlib.sha256()
        for column in (self.user, self.item):
            digest.update(np.ascontiguousarray(column, np.int64).tobytes())
        digest.update(np.ascontiguousarray(self.time, np.float64).tobytes())
        digest.update(np.ascontiguousarray(self.role, np.int8).tobytes())
        return digest.hexdigest()


def smallest_int(n: int) -> type[np.signedinteger]:
    """The smallest signed NumPy integer type that holds 0 … n - 1 and -1."""
    for dtype in (np.int16, np.int32):
        if n - 1 <= np.iinfo(dtype).max:
            return dtype
    return np.int64
