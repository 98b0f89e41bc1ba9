"""Kinds of perturbation: how chosen interactions change the log.

To add one, write a class with ``Kind``'s methods and register it under its name.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recbole_finest.data.log import TRAIN, InteractionLog
from recbole_finest.data.perturbation.registry import Registry


class Kind:
    """One way to change interactions.

    Attributes:
        needs_item: whether an item choice is asked for; where not, a change has no item after it.
        replaces_item: whether the new item takes the place of the old one and so must differ from it.
        adds: interactions that come in with each change: 1, 0, or -1 where one goes. A change that brings
            one in has no item before it.
        selection: the selection that stands for ``random``; None where that is meant as it is.
        one_item: whether all changes of a perturbation get the same item.
    """

    needs_item = True
    replaces_item = False
    adds = 0
    selection: str | None = None
    one_item = False

    def apply(self, log: InteractionLog, position: np.ndarray, item: np.ndarray) -> InteractionLog:
        """The changed log. ``log`` stays as it is, and what does not change may be shared with it.

        Args:
            log: the log to change.
            position: positions of the chosen interactions, ``[c]``, strictly ascending.
            item: new item ids, ``[c]``; 0 where the kind needs none.
        """
        raise NotImplementedError


KINDS: Registry[Kind] = Registry("perturbation kind")


@KINDS.register("deletion")
class Deletion(Kind):
    """Takes the chosen interactions out."""

    needs_item = False
    adds = -1

    def apply(self, log: InteractionLog, position: np.ndarray, item: np.ndarray) -> InteractionLog:
        keep = np.ones(len(log), bool)
        keep[position] = False
        kept = np.flatnonzero(keep)  # one index for six columns: faster than six masks
        row = log.row.take(kept)
        return replace(
            log,
            user=log.user.take(kept),
            item=log.item.take(kept),
            time=log.time.take(kept),
            row=row,
            place=row if log.place is log.row else log.place.take(kept),
            role=log.role.take(kept),
            _cache={},
        )


@KINDS.register("replacement")
class Replacement(Kind):
    """Gives the chosen interactions another item; row id, time, place and role stay."""

    replaces_item = True

    def apply(self, log: InteractionLog, position: np.ndarray, item: np.ndarray) -> InteractionLog:
        items = log.item.copy()
        items[position] = item
        return replace(log, item=items, _cache={})


@KINDS.register("insertion")
class Insertion(Kind):
    """Puts a new training interaction just before each chosen one, at the same time."""

    adds = 1

    def apply(self, log: InteractionLog, position: np.ndarray, item: np.ndarray) -> InteractionLog:
        # Each old interaction that follows one or more new ones is taken once for each of them too.
        source = np.insert(np.arange(len(log)), position, position)
        new = position + np.arange(len(position))
        items, row = log.item.take(source), log.row.take(source)
        role = log.role.take(source)
        items[new], row[new], role[new] = item, -1, TRAIN
        return replace(
            log,
            user=log.user.take(source),
            item=items,
            time=log.time.take(source),
            row=row,
            place=log.place.take(source),
            role=role,
            _cache={},
        )


@KINDS.register("trend")
class Trend(Insertion):
    """Puts one and the same item into many histories, late: a new hit, as news or a sale bring it.

    It comes just before the last training interaction of each of so many random users, or before those
    that another selection than ``random`` chooses. What it shows is not noise: lists should follow it.
    """

    selection, one_item = "latest_random", True
