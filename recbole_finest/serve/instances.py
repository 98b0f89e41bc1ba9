"""Histories as the data set's own test instances: what stands before a next item that is not there yet."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from recbole_finest.data.dataset import LogDataset
from recbole_finest.data.gather import Histories as Runs
from recbole_finest.data.gather import int64_tensor
from recbole_finest.data.instances import Fields, InstanceView
from recbole_finest.data.log import InteractionLog
from recbole_finest.errors import UserError
from recbole_finest.serve.histories import Histories

SOME_ITEM = 1  # stands for the next one; no score depends on it
# a quotient of whole numbers that is a whole number must not fall below it in floating point
UP = 1 + 2.0**-40


class HistoryView(InstanceView):
    """Instances of a log in which each history has a user of its own, numbered from 1.

    Attributes:
        user_ids: the model's user ids of those numbers, ``[n + 1]``; 0 for people it does not know.
    """

    user_ids: np.ndarray

    def _column(self, name: str, positions: np.ndarray, history: Runs) -> torch.Tensor:
        if name == self.fields.user:
            return int64_tensor(self.user_ids[self.log.user[positions]])
        return super()._column(name, positions, history)

    def _like(self, positions: np.ndarray) -> HistoryView:
        other = HistoryView(self.log, positions, self.fields)
        other.user_ids = self.user_ids
        return other


def instances_of(
    dataset: LogDataset, fields: Fields, histories: Histories, user_ids: np.ndarray
) -> LogDataset:
    """A part of the data set with one instance for each history, in their order.

    An instance holds what the data set's instances hold: with ``rows`` all of it; else items, user and,
    with times, the exact time offsets.

    Args:
        dataset: with the model's ids.
        fields: of the data set that the histories are from.
        histories: none of them empty.
        user_ids: the model's, ``[n]``; 0 is nobody it knows.

    Raises:
        UserError: the model reads times, and there are none.
    """
    if fields.offset is not None and histories.times is None:
        raise UserError(
            f"model '{dataset.config['model']}' reads the times of interactions, which these histories "
            "do not have; give times (in a file: the column time)"
        )
    ends, n = histories.begin[1:], len(histories)
    times = np.zeros(len(histories.items)) if histories.times is None else histories.times
    if fields.offset is not None:
        times = _in_own_units(times, histories, user_ids)
    rows = histories.rows
    place = np.zeros(len(times), np.int64) if rows is None else rows.astype(np.int64)
    place = np.insert(place, ends, place[ends - 1])
    log = InteractionLog(
        user=np.repeat(np.arange(1, n + 1), histories.length + 1),
        item=np.insert(histories.items, ends, SOME_ITEM),
        time=np.insert(times, ends, times[ends - 1]),
        row=np.full(len(place), -1),
        place=place,
        role=np.zeros(len(place), np.int8),
        n_users=n + 1,
        n_items=dataset.item_num,
        n_clean=dataset.log.n_clean,
    )
    view = HistoryView(log, ends + np.arange(n), _known(dataset, fields, rows is not None))
    view.user_ids = np.append(0, user_ids)
    view.interaction = {}  # whole columns, which nobody asks for, refer back: only the collector frees that
    return dataset.copy(view)


def _known(dataset: LogDataset, fields: Fields, whole: bool) -> Fields:
    """The fields that there is something for."""
    if whole:
        return fields
    negatives = getattr(dataset, "neg_item_list_field", None)  # DIEN's, for its loss alone
    lists = {} if negatives is None else {negatives: torch.zeros(1, dtype=torch.int64)}
    return replace(fields, columns={}, lists=lists)


def _in_own_units(times: np.ndarray, histories: Histories, user_ids: np.ndarray) -> np.ndarray:
    """Times of people whom the model does not know, in units of their own smallest positive gap.

    That is the unit which TiSASRec takes for people whom it knows; the average person's is 1.
    """
    owner = np.repeat(np.arange(len(histories)), histories.length)
    gap = np.diff(times)
    counted = (owner[1:] == owner[:-1]) & (gap > 0)
    units = np.full(len(histories), np.inf)
    np.minimum.at(units, owner[1:][counted], gap[counted])
    own = (times - times[histories.begin[:-1]][owner]) / units[owner] * UP
    return np.where(user_ids[owner] == 0, own, times)
