"""Selections: which training interactions are changed.

To add one, write a class with ``Selection``'s method and register it under its name.
"""

from __future__ import annotations

import numpy as np

from recbole_finest.data import casper
from recbole_finest.data.log import InteractionLog, smallest_int
from recbole_finest.data.perturbation.amount import Amount
from recbole_finest.data.perturbation.histories import train_runs
from recbole_finest.data.perturbation.keys import interaction_keys, smallest
from recbole_finest.data.perturbation.registry import Registry
from recbole_finest.errors import UserError


class Selection:
    """One way to choose training interactions.

    ``random`` says whether the generator decides anything.
    """

    random = True

    def choose(self, log: InteractionLog, amount: Amount, rng: np.random.Generator) -> np.ndarray:
        """Positions of the chosen training interactions, ``[c]``, strictly ascending.

        Raises:
            UserError: the amount is missing, impossible, or means nothing here.
        """
        raise NotImplementedError


SELECTIONS: Registry[Selection] = Registry("perturbation selection")


@SELECTIONS.register("random")
class RandomInteractions(Selection):
    """Training interactions drawn uniformly without replacement."""

    def choose(self, log: InteractionLog, amount: Amount, rng: np.random.Generator) -> np.ndarray:
        amount.refuse("random", "users", "rows")
        train = log.train_positions
        number = amount.number(len(train), "training interactions")
        keys = interaction_keys(log, rng)
        return train[smallest(keys if len(train) == len(log) else keys[train], number)]


class _OnePerUser(Selection):
    name = ""
    last = False

    def choose(self, log: InteractionLog, amount: Amount, rng: np.random.Generator) -> np.ndarray:
        amount.refuse(self.name, "users", "rows")
        first, length = train_runs(log)
        number = amount.number(len(first), "users", base=len(log.train_positions))
        keys = rng.random(log.n_users)[log.user[log.train_positions[first]]]
        chosen = smallest(keys, number)
        end = first[chosen] + (length[chosen] - 1 if self.last else 0)
        return log.train_positions[end]


@SELECTIONS.register("earliest_random")
class EarliestOfRandomUsers(_OnePerUser):
    """The first training interaction of each of so many random users."""

    name = "earliest_random"


@SELECTIONS.register("latest_random")
class LatestOfRandomUsers(_OnePerUser):
    """The last training interaction of each of so many random users."""

    name, last = "latest_random", True


@SELECTIONS.register("casper")
class HighestCascadingScore(Selection):
    """The interactions with the highest cascading scores (arXiv 2201.12686), ties in log order.

    The scores are exact, which takes quadratic time: about half a minute for a million training
    interactions. ``casper_estimated`` is for longer logs. They are kept with the log.
    """

    name, random = "casper", False

    def choose(self, log: InteractionLog, amount: Amount, rng: np.random.Generator) -> np.ndarray:
        amount.refuse(self.name, "users", "rows")
        train = log.train_positions
        number = amount.number(len(train), "training interactions")
        scores = self.scores(log, amount.max_seq_len, rng)[train]
        return np.sort(train[np.argsort(-scores, kind="stable")[:number]])

    def scores(
        self, log: InteractionLog, max_seq_len: int | None, rng: np.random.Generator
    ) -> np.ndarray:
        key = ("casper", max_seq_len)
        if key not in log._cache:
            log._cache[key] = casper.cascading_scores(log, max_seq_len)
        return log._cache[key]


@SELECTIONS.register("casper_estimated")
class HighestEstimatedScore(HighestCascadingScore):
    """Like ``casper``, by scores estimated afresh with a relative standard error of 1/8."""

    name, random = "casper_estimated", True

    def scores(
        self, log: InteractionLog, max_seq_len: int | None, rng: np.random.Generator
    ) -> np.ndarray:
        return casper.estimate_cascading_scores(log, max_seq_len, rng=rng)


class _ByPopularity(Selection):
    name, random = "", False
    sign = 1

    def choose(self, log: InteractionLog, amount: Amount, rng: np.random.Generator) -> np.ndarray:
        amount.refuse(self.name, "users", "rows")
        train = log.train_positions
        number = amount.number(len(train), "training interactions")
        counts = log.item_counts()
        rank = np.empty(log.n_items, smallest_int(log.n_items))  # small integers sort fast
        rank[np.argsort(self.sign * counts, kind="stable")] = np.arange(log.n_items)
        return np.sort(train[np.argsort(rank[log.item[train]], kind="stable")[:number]])


@SELECTIONS.register("popular")
class OfPopularItems(_ByPopularity):
    """The interactions with the items that have most training interactions; ties by item, row."""

    name, sign = "popular", -1


@SELECTIONS.register("unpopular")
class OfUnpopularItems(_ByPopularity):
    """The interactions with the items that have fewest training interactions; ties by item, row."""

    name = "unpopular"


@SELECTIONS.register("user")
class WholeUsers(Selection):
    """Every training interaction of some users, as when accounts are deleted.

    The users are those named, or ``count`` random ones, or the share ``ratio`` of the users that
    have training interactions.
    """

    def choose(self, log: InteractionLog, amount: Amount, rng: np.random.Generator) -> np.ndarray:
        amount.refuse("user", "rows")
        first, _ = train_runs(log)
        users = log.user[log.train_positions[first]]
        if amount.users is None:
            number = amount.number(len(users), "users with training interactions", of="users")
            chosen = users[smallest(rng.random(log.n_users)[users], number)]
        else:
            amount.refuse("user with named users", "ratio", "count")
            chosen = _ids(amount.users, "users")
            missing = np.setdiff1d(chosen, users)
            if len(missing):
                raise UserError(f"the user with id {missing[0]} has no training interactions")
        taken = np.zeros(log.n_users, bool)
        taken[chosen] = True
        return log.train_positions[taken[log.user[log.train_positions]]]


@SELECTIONS.register("file")
class NamedRows(Selection):
    """The interactions whose clean row ids are given, for example those of a changes file."""

    def choose(self, log: InteractionLog, amount: Amount, rng: np.random.Generator) -> np.ndarray:
        amount.refuse("file", "ratio", "count", "users")
        if amount.rows is None:
            raise UserError("the selection file needs the rows to change: name a changes file")
        rows = _ids(amount.rows, "rows")
        train = log.train_positions
        position = train[np.isin(log.row[train], rows[rows >= 0])]
        if len(position) < len(rows):
            missing = np.setdiff1d(rows, log.row[position])
            raise UserError(f"row {missing[0]} is not a training interaction of this log")
        return position


def _ids(values: object, name: str) -> np.ndarray:
    ids = np.asarray(values)
    if ids.ndim != 1 or not len(ids) or not np.issubdtype(ids.dtype, np.integer):
        raise UserError(f"{name} must be a list of whole numbers, at least one")
    if len(np.unique(ids)) < len(ids):
        raise UserError(f"{name} names the same one twice")
    return ids
