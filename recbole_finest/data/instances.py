"""Training instances as a view over an interaction log: histories are gathered when asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from recbole.data.interaction import Interaction

from recbole_finest.data.gather import Histories, int64_tensor
from recbole_finest.data.log import InteractionLog, position_int

# how RecBole picks instances
Index = slice | Sequence[int] | np.ndarray | torch.Tensor
ROW_FIELD = "finest_row"  # row id of an instance's target; -1 for an inserted one
KEY_FIELD = (
    "finest_key"  # key of what a row of a batch is, as int64: its random numbers depend on it
)


@dataclass(frozen=True)
class Fields:
    """Names and shape that a view needs from the data set.

    Attributes:
        user, item, time, length, item_list: RecBole's field names.
        width: ``MAX_ITEM_LIST_LENGTH``, the padded length of every list field.
        columns: the target's columns other than user and item, by name, one value per *clean* row,
            ``[n_clean, ...]``.
        lists: what the list fields other than the item list are made of, by the list's name, one value
            per *clean* row, ``[n_clean, ...]``; usually the very tensors in ``columns``.
        offset: name of the list field with exact times since the user's first interaction, in 64
            bits (194 days of seconds overflow 32), or None.
    """

    user: str
    item: str
    time: str
    length: str
    item_list: str
    width: int
    columns: Mapping[str, torch.Tensor]
    lists: Mapping[str, torch.Tensor]
    offset: str | None = None


class InstanceView(Interaction):
    """RecBole's ``Interaction`` of training instances, holding only the positions of their targets.

    Row ``i`` is the instance whose target is ``log`` position ``positions[i]``; its history is the
    user's (at most ``fields.width``) interactions before it. :meth:`batch` gathers instances into an
    ordinary ``Interaction``. A whole column is materialised, and kept, only when it is asked for by
    name, as FEARec does.

    Args:
        log: the log, ``n`` interactions.
        positions: positions of the targets in ``log``, ``[m]``.
        fields: names and columns.
    """

    def __init__(self, log: InteractionLog, positions: np.ndarray, fields: Fields):
        self.log = log
        self.positions = np.asarray(positions, dtype=position_int(len(log)))
        self.fields = fields
        self._names = [fields.user, fields.item, *fields.columns]
        self._names += [fields.length, fields.item_list, *fields.lists]
        self._names += [fields.offset] if fields.offset else []
        self._aligned: dict[str, np.ndarray] = {}
        self.interaction: Mapping[str, torch.Tensor] = _Columns(self)

    # What RecBole asks of an Interaction ---------------------------------------------------------

    @property
    def length(self) -> int:
        return len(self.positions)

    @property
    def columns(self) -> list[str]:
        return list(self._names)

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, index: str | Index) -> Any:
        if isinstance(index, str):
            return self.interaction[index]
        return self._like(self.positions[_as_index(index)])

    def __setitem__(self, key: str, value: torch.Tensor) -> None:
        raise TypeError(f"a view over the interaction log cannot hold the new column '{key}'")

    def drop(self, column: str) -> None:
        self._names.remove(column)

    def _reindex(self, index: Index) -> None:
        self.positions = self.positions[_as_index(index)]
        self.interaction = _Columns(self)

    def sort(self, by: str | Sequence[str], ascending: bool | Sequence[bool] = True) -> None:
        """Stable sort of the instances; times are compared exactly, in 64 bits."""
        by = [by] if isinstance(by, str) else list(by)
        up = [ascending] * len(by) if isinstance(ascending, bool) else list(ascending)
        for name, rising in zip(by[::-1], up[::-1]):
            exact = name == self.fields.time
            key = self.log.time[self.positions] if exact else self[name].numpy()
            order = np.argsort(key, kind="stable")
            self._reindex(order if rising else order[::-1])

    # Gathering -----------------------------------------------------------------------------------

    def batch(self, index: Index) -> Interaction:
        """The instances at ``index`` (``[B]``) as an ordinary ``Interaction``; see :meth:`gather`."""
        return self.gather(self.positions[_as_index(index)])

    def gather(self, positions: np.ndarray) -> Interaction:
        """The instances with targets at ``positions`` of the log, ``[B]``, as an ``Interaction``.

        Beside RecBole's fields it has ``finest_row`` ``[B]``, the row ids of the targets.
        """
        history = self.histories(positions)
        found = {name: self._column(name, positions, history) for name in self._names}
        found[ROW_FIELD] = int64_tensor(self.log.row[positions])
        return Interaction(found)

    def histories(self, positions: np.ndarray) -> Histories:
        """Where the histories before ``positions`` begin, and how long they are."""
        begin = self.log.user_begin[self.log.user[positions]]
        start = np.maximum(begin, positions - self.fields.width)
        return Histories(start, positions - start, self.fields.width)

    def _column(self, name: str, positions: np.ndarray, history: Histories) -> torch.Tensor:
        fields, log = self.fields, self.log
        if name == fields.user:
            return int64_tensor(log.user[positions])
        if name == fields.item:
            return int64_tensor(log.item[positions])
        if name == fields.length:
            return int64_tensor(history.length)
        if name == fields.item_list:
            return int64_tensor(history.of(log.item))
        if name == fields.offset:
            return torch.from_numpy(history.of(log.time, minus=log.first_time(positions)))
        if (
            name in fields.lists
        ):  # before columns: as in RecBole, one loaded under a list's name gives way
            return torch.from_numpy(history.of(self._in_log_order(name)))
        return fields.columns[name].index_select(0, int64_tensor(log.place[positions]))

    def _in_log_order(self, name: str) -> np.ndarray:
        """What a list is made of, one value per interaction of this log, ``[n, ...]``."""
        column = self.fields.lists[name].numpy()
        if self.log.keeps_rows:
            return column
        if name not in self._aligned:
            self._aligned[name] = column[self.log.place]
        return self._aligned[name]

    def _like(self, positions: np.ndarray) -> InstanceView:
        return self.with_log(self.log, positions)

    def with_log(self, log: InteractionLog, positions: np.ndarray) -> InstanceView:
        """The same fields over another log of the same clean rows."""
        other = InstanceView(log, positions, self.fields)
        other._names = list(self._names)
        if log is self.log:
            other._aligned = self._aligned
        return other


class _Columns(Mapping):
    """The columns of a view by name, each made when it is asked for, and then kept."""

    def __init__(self, view: InstanceView):
        self.view = view
        self.made: dict[str, torch.Tensor] = {}

    def __getitem__(self, name: str) -> torch.Tensor:
        if name not in self.view._names:
            raise KeyError(name)
        if name not in self.made:
            positions = self.view.positions
            self.made[name] = self.view._column(name, positions, self.view.histories(positions))
        return self.made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.view.columns)

    def __len__(self) -> int:
        return len(self.view.columns)


def _as_index(index: Index) -> slice | np.ndarray:
    """NumPy wants integer arrays, of no instances too."""
    if isinstance(index, slice):
        return index
    index = np.asarray(index)
    return index if index.dtype == bool or index.size else index.astype(np.int64)
