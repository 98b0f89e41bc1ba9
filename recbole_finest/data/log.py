"""The interaction log: flat columns sorted by user, then exact time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

import numpy as np

from recbole_finest.seeding import Keys, mixed

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
        is_target: whether each clean row may be the next item of a training instance, ``[n_clean]``;
            None is all. An inserted interaction is one where that at its ``place`` is.
        user_keys, item_keys: keys of the user and item tokens, ``[n_users]`` and ``[n_items]``; None
            where there are no tokens, and ids stand for them.
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
    is_target: np.ndarray | None = None
    user_keys: Keys | None = None
    item_keys: Keys | None = None
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
        user, item = np.asarray(user), np.asarray(item)
        time = np.asarray(time, dtype=np.float64)
        order = time_order(user, time)
        role = None if role is None else np.asarray(role)[order]
        return cls.from_sorted(user[order], item[order], time[order], role, n_users, n_items)

    @classmethod
    def from_sorted(
        cls,
        user: np.ndarray,
        item: np.ndarray,
        time: np.ndarray,
        role: np.ndarray | None = None,
        n_users: int | None = None,
        n_items: int | None = None,
    ) -> InteractionLog:
        """Make a clean log from columns in :func:`time_order`; otherwise like :meth:`from_columns`."""
        n_users = int(np.max(user, initial=0)) + 1 if n_users is None else n_users
        n_items = int(np.max(item, initial=0)) + 1 if n_items is None else n_items
        n = len(user)
        rows = np.arange(n, dtype=smallest_int(n))
        return cls(
            user=user.astype(smallest_int(n_users), copy=False),
            item=item.astype(smallest_int(n_items), copy=False),
            time=time,
            row=rows,
            place=rows,
            role=np.zeros(n, np.int8) if role is None else role.astype(np.int8),
            n_users=n_users,
            n_items=n_items,
            n_clean=n,
        )

    def __len__(self) -> int:
        return len(self.user)

    @property
    def user_begin(self) -> np.ndarray:
        """Position of each user id's first interaction, ``[n_users + 1]``; the last one is ``n``."""
        if "begin" not in self._cache:
            ids = np.arange(self.n_users, dtype=self.user.dtype)
            begin = np.append(np.searchsorted(self.user, ids), len(self))
            self._cache["begin"] = begin.astype(position_int(len(self)))
        return self._cache["begin"]

    @property
    def user_start(self) -> np.ndarray:
        """First position of each interaction's user, ``[n]``; made anew, ``user_begin`` is kept."""
        return self.user_begin[self.user]

    @property
    def train_positions(self) -> np.ndarray:
        """Positions (not row ids) of the training interactions, ascending."""
        if "train" not in self._cache:
            train = np.flatnonzero(self.role == TRAIN)
            self._cache["train"] = train.astype(position_int(len(self)))
        return self._cache["train"]

    @property
    def target_positions(self) -> np.ndarray:
        """Positions of the training interactions that are next items: with a history, and chosen."""
        target = self.role == TRAIN
        if self.is_target is not None:
            target &= self.is_target[self.place]
        begin = self.user_begin[:-1]
        target[begin[begin < len(self)]] = False
        return np.flatnonzero(target).astype(position_int(len(self)))

    @property
    def keeps_rows(self) -> bool:
        """Whether the row at each position is the clean one there: nothing came in or went out."""
        return len(self) == self.n_clean and self.place is self.row

    @property
    def keys(self) -> Keys:
        """A key for each interaction, ``[n]``: of its user, item and time, whatever else is in the log.

        Of several that agree in all three, the first, second, … have keys of their own.
        """
        if "keys" not in self._cache:
            users, items = self.entity_keys()
            keys = mixed(self.time.view(np.uint64))
            keys = mixed(keys ^ items[self.item]) ^ users[self.user]
            order = np.argsort(keys, kind="stable")
            same = np.diff(keys[order]) == 0
            if same.any():
                head = np.flatnonzero(np.append(True, ~same))
                number = np.empty(len(keys), np.uint64)
                number[order] = np.arange(len(keys)) - np.repeat(
                    head, np.diff(np.append(head, len(keys)))
                )
                keys = np.where(number > 0, mixed(keys ^ mixed(number)), keys)
            self._cache["keys"] = keys
        return self._cache["keys"]

    def entity_keys(self) -> tuple[Keys, Keys]:
        """Keys of the users, ``[n_users]``, and of the items, ``[n_items]``."""
        users, items = self.user_keys, self.item_keys
        if users is None:
            users = mixed(np.arange(self.n_users, dtype=np.uint64), seed=1)
        if items is None:
            items = mixed(np.arange(self.n_items, dtype=np.uint64), seed=2)
        return users, items

    def with_keys(self, users: Keys, items: Keys) -> InteractionLog:
        """The same log with keys of its user and item tokens."""
        return replace(self, user_keys=users, item_keys=items, _cache={})

    def first_time(self, positions: np.ndarray) -> np.ndarray:
        """Time of the first interaction of the users at ``positions``, ``[len(positions)]``."""
        return self.time[self.user_begin[self.user[positions]]]

    def item_counts(self) -> np.ndarray:
        """How often each item id occurs among the training interactions, ``[n_items]``."""
        return np.bincount(self.item[self.train_positions], minlength=self.n_items)

    def with_roles(self, role: np.ndarray) -> InteractionLog:
        """The same log with other roles, ``[n]``."""
        return replace(self, role=np.asarray(role, np.int8), _cache={})

    def with_targets(self, is_target: np.ndarray | None) -> InteractionLog:
        """The same log with other next items, ``[n_clean]``; None is all."""
        return replace(self, is_target=is_target, _cache={})

    def fingerprint(self) -> str:
        """SHA-256 over users, items, times and roles: equal for equal logs, whatever the integer width."""
        digest = hashlib.sha256()
        for column in (self.user, self.item):
            digest.update(np.ascontiguousarray(column, np.int64).tobytes())
        digest.update(np.ascontiguousarray(self.time, np.float64).tobytes())
        digest.update(np.ascontiguousarray(self.role, np.int8).tobytes())
        return digest.hexdigest()


def time_order(user: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Order by user, then exact time; equal times keep the given order. ``[n]``, int64.

    Whole times, as most data have, are sorted together with the users, which takes a third of the time.
    """
    if len(time) and (first := time.min()) > -(2**52) and (last := time.max()) < 2**52:
        whole, span = time.astype(np.int64), int(last - first) + 1
        if span * (int(user.max()) + 1) < 2**62 and (whole == time).all():
            key = user.astype(np.int64)
            key *= span
            key += whole  # all shifted alike by the first time
            return np.argsort(key, kind="stable")
    return np.lexsort((time, user))


def position_int(n: int) -> type[np.signedinteger]:
    """The smallest type for positions among ``n`` interactions in which small sums do not overflow."""
    return np.int32 if n < 2**30 else np.int64


def smallest_int(n: int) -> type[np.signedinteger]:
    """The smallest signed NumPy integer type that holds 0 … n - 1 and -1."""
    for dtype in (np.int16, np.int32):
        if n - 1 <= np.iinfo(dtype).max:
            return dtype
    return np.int64
