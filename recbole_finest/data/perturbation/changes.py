"""What a perturbation changed, and how to do it again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recbole_finest.data.log import TRAIN, InteractionLog
from recbole_finest.data.perturbation.kinds import KINDS
from recbole_finest.errors import UserError


@dataclass(frozen=True)
class Changes:
    """The interactions that a perturbation chose and what became of them, in log order.

    Attributes:
        position: index of the chosen interaction in the log that was perturbed, ``[c]``, ascending.
        row: its row id, ``[c]``; for one that was itself inserted, the row id of its place.
        inserted: whether it was itself inserted, ``[c]``, bool; never in a clean log.
        user: its internal user id, ``[c]``.
        item_before: its internal item id, ``[c]``; 0 for an insertion, which has none before.
        item_after: the new internal item id, ``[c]``; 0 after a deletion.
        time: its time, which a new interaction gets too, ``[c]``, float64.
        kind, selection, item_choice: names; ``item_choice`` is None where no item was chosen.
        ratio: the ratio asked for, or None.
        count: number of interactions changed.
        seed: seed of the generator, or None when ``perturb`` was given a generator.
        n_interactions: number of training interactions in the log that was perturbed.
        fingerprint: fingerprint of the log that was perturbed.
        emptied_users: internal ids of the users whose last training interaction was deleted.
    """

    position: np.ndarray
    row: np.ndarray
    inserted: np.ndarray
    user: np.ndarray
    item_before: np.ndarray
    item_after: np.ndarray
    time: np.ndarray
    kind: str
    selection: str
    item_choice: str | None
    ratio: float | None
    seed: int | None
    n_interactions: int
    fingerprint: str
    emptied_users: np.ndarray

    @property
    def count(self) -> int:
        return len(self.position)

    def __len__(self) -> int:
        return len(self.position)


def fingerprint(log: InteractionLog) -> str:
    """``log.fingerprint()``, computed once per log: a log is perturbed in every epoch."""
    if "fingerprint" not in log._cache:
        log._cache["fingerprint"] = log.fingerprint()
    return log._cache["fingerprint"]


def emptied_users(log: InteractionLog, position: np.ndarray) -> np.ndarray:
    """Ids of the users all of whose training interactions are at ``position``, ascending."""
    users, lost = np.unique(log.user[position], return_counts=True)
    train_user = log.user if len(log.train_positions) == len(log) else log.user[log.train_positions]
    had = np.searchsorted(train_user, users, "right") - np.searchsorted(train_user, users, "left")
    return users[had == lost]


def apply_changes(log: InteractionLog, changes: Changes) -> InteractionLog:
    """Make recorded changes in the log that they were drawn for.

    Returns:
        A log equal in every column to the one that ``perturb`` returned with the changes.

    Raises:
        UserError: the log is not the one that the changes were drawn for.
    """
    at = changes.position
    fits = len(log.train_positions) == changes.n_interactions and (
        not len(at) or (at[0] >= 0 and at[-1] < len(log))
    )
    if fits:
        fits = bool(
            (log.role[at] == TRAIN).all()
            and (log.user[at] == changes.user).all()
            and (log.time[at] == changes.time).all()
            and ((log.item[at] == changes.item_before) | (changes.item_before == 0)).all()
        )
    if not fits:
        raise UserError("these changes were drawn for another log: draw them again for this one")
    return KINDS.make(changes.kind).apply(log, at, changes.item_after)
