"""Training instances as a view over an interaction log: histories are gathered when asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from recbole.data.interaction import Interaction

from recbole_finest.data.log import InteractionLog

ROW_FIELD = "finest_row"  # row id of an instance's target; -1 for an inserted one


@dataclass(frozen=True)
class Fields:
    """Names and shape that a view needs from the data set.

    Attributes:
        user, item, time, length: RecBole's field names; ``time`` may be missing from ``columns``.
        list_of: ``{field: name of its list field}``, for every field that has one.
        width: ``MAX_ITEM_LIST_LENGTH``, the padded length of every list field.
        columns: the other columns, one value per *clean* row, ``[n_clean, ...]``.
        offset: name of the list field with exact times since the user's first, or None.
    """

    user: str
    item: str
    time: str
    length: str
    list_of: Mapping[str, str]
    width: int
    columns: Mapping[str, torch.Tensor]
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
        self.positions = np.asarray(positions, dtype=np.int64)
        self.fields = fields
        self.interaction: dict[str, torch.Tensor] = {}
        self._names = [fields.user, fields.item, *fields.columns]
        self._names += [fields.length, *fields.list_of.values()]
        self._names += [fields.offset] if fields.offset else []
        self._dropped: frozenset[str] = frozenset()

    # What RecBole asks of an Interaction ---------------------------------------------------------

    @property
    def length(self) -> int:
        return len(self.positions)

    @property
    def columns(self) -> list[str]:
        return [name for name in self._names if name not in self._dropped]

    def __iter__(self):
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.positions)

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, str):
            if index not in self.interaction:
                self.interaction[index] = self._column(index, self.positions)
            return self.interaction[index]
        return self._like(self.positions[_as_index(index)])

    def __setitem__(self, key: str, value: Any) -> None:
        raise TypeError(f"a view over the interaction log cannot hold the new column '{key}'")

    def drop(self, column: str) -> None:
        self._dropped = self._dropped | {column, self.fields.list_of.get(column, column)}
        self.interaction.pop(column, None)

    def _reindex(self, index: Any) -> None:
        self.positions = self.positions[_as_index(index)]
        self.interaction = {}

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

    def batch(self, index: Any) -> Interaction:
        """The instances at ``index`` (``[B]``) as an ordinary ``Interaction``.

        Beside RecBole's fields it has ``finest_row`` ``[B]``, the row ids of the targets.
        """
        positions = self.positions[_as_index(index)]
        history = self._history(positions)
        found = {name: self._column(name, positions, history) for name in self.columns}
        found[ROW_FIELD] = torch.from_numpy(self.log.row[positions].astype(np.int64))
        return Interaction(found)

    def _history(self, positions: np.ndarray) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Log positions ``[B, L]`` of the histories, their mask ``[B, L]`` and lengths ``[B]``."""
        start = np.maximum(self.log.user_start[positions], positions - self.fields.width)
        length = torch.from_numpy(positions - start)
        steps = torch.arange(self.fields.width)
        mask = steps < length[:, None]
        where = torch.from_numpy(start)[:, None] + steps
        return where.clamp_(max=len(self.log) - 1), mask, length

    def _column(
        self,
        name: str,
        positions: np.ndarray,
        history: tuple[torch.Tensor, torch.Tensor, torch.Tensor] | None = None,
    ) -> torch.Tensor:
        fields, log = self.fields, self.log
        if name == fields.user:
            return torch.from_numpy(log.user[positions].astype(np.int64))
        if name == fields.item:
            return torch.from_numpy(log.item[positions].astype(np.int64))
        if name in fields.columns:
            return fields.columns[name][torch.from_numpy(log.place[positions].astype(np.int64))]
        where, mask, length = history or self._history(positions)
        if name == fields.length:
            return length
        if name == fields.offset:
            return self._offsets(where, mask)
        return self._list(name, where, mask)

    def _list(self, name: str, where: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        if name == self.fields.list_of[self.fields.item]:
            items = torch.from_numpy(self.log.item)[where]
            return items.to(torch.int64) * mask
        field = next(f for f, listed in self.fields.list_of.items() if listed == name)
        place = torch.from_numpy(self.log.place)[where].to(torch.int64)
        values = self.fields.columns[field][place]  # [B, L, ...]
        return values * mask.reshape(mask.shape + (1,) * (values.dim() - 2)).to(values.dtype)

    def _offsets(self, where: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        times = torch.from_numpy(self.log.time)
        first = torch.from_numpy(self.log.user_start)[where[:, :1]]
        return (times[where] - times[first]) * mask  # 64 bits: 194 days of seconds overflow float32

    def _like(self, positions: np.ndarray) -> InstanceView:
        other = InstanceView(self.log, positions, self.fields)
        other._dropped = self._dropped
        return other

    def with_log(self, log: InteractionLog, positions: np.ndarray) -> InstanceView:
        """The same fields over another log of the same clean rows."""
        other = self._like(positions)
        other.log = log
        return other


def _as_index(index: Any) -> Any:
    """RecBole indexes with lists, ranges, slices, arrays and tensors; NumPy wants integer arrays."""
    if isinstance(index, slice):
        return index
    index = np.asarray(index)
    return index if index.dtype == bool or index.size else index.astype(np.int64)
