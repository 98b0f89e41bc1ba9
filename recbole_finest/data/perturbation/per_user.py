"""The selection that takes equally many interactions of every user."""

from __future__ import annotations

import numpy as np

from recbole_finest.data.log import InteractionLog
from recbole_finest.data.perturbation.amount import Amount
from recbole_finest.data.perturbation.histories import train_runs
from recbole_finest.data.perturbation.keys import interaction_keys
from recbole_finest.data.perturbation.selections import Selection
from recbole_finest.errors import UserError


class PerUser(Selection):
    """The same number of training interactions of every user (the removals of arXiv 2307.13165).

    ``position`` says which: the ``begin``, ``middle`` or ``end`` of the user's training history, or
    random ones (None). A user with fewer gives all of them.
    """

    def choose(self, log: InteractionLog, amount: Amount, rng: np.random.Generator) -> np.ndarray:
        amount.refuse("random with a count per user", "users", "rows")
        train, each = log.train_positions, amount.each()
        if not len(train):
            raise UserError("the log has no training interactions to change")
        first, length = train_runs(log)
        rank = np.arange(len(train)) - np.repeat(first, length)  # within the user
        if amount.position is None:
            order = np.lexsort((interaction_keys(log, rng, train), log.user[train]))
            return np.sort(train[order[rank < each]])
        skipped = {
            "begin": np.zeros_like(length),
            "middle": np.maximum(length - each, 0) // 2,
            "end": np.maximum(length - each, 0),
        }
        if amount.position not in skipped:
            raise UserError(f"position={amount.position} is none of begin, middle and end")
        rank -= np.repeat(skipped[amount.position], length)
        return train[(rank >= 0) & (rank < each)]
