"""Draw a perturbation and apply it."""

from __future__ import annotations

import numpy as np

from recbole_finest.data.log import InteractionLog
from recbole_finest.data.perturbation.amount import Amount, Ids
from recbole_finest.data.perturbation.changes import Changes, emptied_users, fingerprint
from recbole_finest.data.perturbation.item_choices import ITEM_CHOICES
from recbole_finest.data.perturbation.keys import spawn
from recbole_finest.data.perturbation.kinds import KINDS
from recbole_finest.data.perturbation.per_user import PerUser
from recbole_finest.data.perturbation.selections import SELECTIONS
from recbole_finest.errors import UserError


def perturb(
    log: InteractionLog,
    kind: str,
    selection: str = "random",
    item_choice: str = "random",
    *,
    ratio: float | None = None,
    count: int | None = None,
    per_user: int | None = None,
    position: str | None = None,
    users: Ids | None = None,
    rows: Ids | None = None,
    max_seq_len: int | None = None,
    rng: np.random.Generator | int,
) -> tuple[InteractionLog, Changes]:
    """Change some training interactions of a log, clean or perturbed.

    Only training interactions change; users, their order and the vocabulary stay. Random draws
    belong to row ids: two logs made from one clean log get almost the same changes from one seed.

    Args:
        log: the log to change; it stays as it is.
        kind: name in ``KINDS``; ``trend`` changes the last interactions of random users where
            ``selection`` is ``random``, and puts the same item into all.
        selection: name in ``SELECTIONS``: which interactions are changed.
        item_choice: name in ``ITEM_CHOICES``: which item a replacement or insertion puts in.
        ratio: change floor(ratio * training interactions); for ``selection="user"``, of the users.
        count: change so many; for ``selection="user"``, so many users.
        per_user: change so many of every user (all, where there are fewer); with
            ``selection="random"`` only.
        position: with ``per_user``, the ``begin``, ``middle`` or ``end`` of each training history;
            None draws them at random.
        users: internal user ids, for ``selection="user"`` instead of an amount.
        rows: clean row ids, for ``selection="file"`` instead of an amount.
        max_seq_len: for ``selection="casper"``, see ``cascading_scores``.
        rng: a generator, or a seed, which is then recorded.

    Returns:
        The perturbed log and what was changed. ``emptied_users`` of the changes names the users
        that a deletion left without training interactions: the caller should say so.

    Raises:
        UserError: an unknown name, or an amount missing, given twice, too small or too large.
    """
    generator = np.random.default_rng(rng) if isinstance(rng, (int, np.integer)) else rng
    how, choice = KINDS.make(kind), ITEM_CHOICES.make(item_choice)
    if selection == "random" and per_user is None:
        selection = how.selection or selection
    chooser, selection = _selection(selection, per_user, position)
    for_rows, for_items = spawn(generator, 2)
    amount = Amount(ratio, count, per_user, position, users, rows, max_seq_len)
    at = chooser.choose(log, amount, for_rows)

    before = log.item[at].astype(np.int64)
    none = np.zeros_like(before)
    after = none
    if how.needs_item:
        alike = slice(0, 1) if how.one_item else slice(None)
        avoid = before if how.replaces_item else none
        after = none + choice.draw(log, at[alike], avoid[alike], for_items)
    changed = how.apply(log, at, after)
    inserted = log.row[at] < 0
    return changed, Changes(
        position=at,
        row=log.place[at].astype(np.int64),
        inserted=inserted,
        user=log.user[at].astype(np.int64),
        item_before=before if how.adds <= 0 else none,
        item_after=after,
        time=log.time[at],
        kind=kind,
        selection=selection,
        item_choice=item_choice if how.needs_item else None,
        ratio=None if ratio is None else float(ratio),
        seed=int(rng) if isinstance(rng, (int, np.integer)) else None,
        n_interactions=len(log.train_positions),
        fingerprint=fingerprint(log),
        emptied_users=emptied_users(log, at) if how.adds < 0 else none[:0],
    )


def _selection(name: str, per_user: int | None, position: str | None) -> tuple:
    """The selection, and the name under which it is recorded."""
    chooser = SELECTIONS.make(name)
    if per_user is None:
        if position is not None:
            raise UserError(f"position={position} needs a count per user")
        return chooser, name
    if name != "random":
        raise UserError(f"a count per user is for the selection random, not for {name}")
    return PerUser(), f"per_user_{position or 'random'}"
