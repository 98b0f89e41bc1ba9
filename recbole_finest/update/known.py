"""What the deployed model already knew of today's log, and how far its lists should still hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recbole_finest.config.config import Config
from recbole_finest.data.log import InteractionLog
from recbole_finest.update.deployed import Deployed

BY_ROWS = "by the keys of the interactions that its checkpoint lists"
BY_TIME = "by deployed_until: interactions up to then, of users and items that it has"
BY_TOKEN = (
    "by its users and items alone, since its checkpoint does not list its interactions: what they did "
    "since counts as known; give --deployed_until=TIME"
)


@dataclass(frozen=True)
class Known:
    """What the deployed model's training log already had.

    Attributes:
        users: whether it had the user, ``[n_users]``; True for padding.
        items: whether it had the item, ``[n_items]``; True for padding.
        rows: whether it had the interaction, for each position of today's log, ``[n]``.
        how: how that was found out, for the log.
        gone: training interactions of then that today's log does not have; None where unknown.
    """

    users: np.ndarray
    items: np.ndarray
    rows: np.ndarray
    how: str
    gone: int | None

    @property
    def new_users(self) -> np.ndarray:
        """Ids of the users that it did not have, ``[m]``."""
        return np.flatnonzero(~self.users)

    @property
    def new_items(self) -> np.ndarray:
        """Ids of the items that it did not have, ``[m]``."""
        return np.flatnonzero(~self.items)


def what_is_known(deployed: Deployed, log: InteractionLog, until: float | None) -> Known:
    """Compare today's log with what the deployed model was trained on.

    Args:
        deployed: the model.
        log: today's, with roles.
        until: the newest time that the deployed model was trained on, where its checkpoint does not list
            its interactions; None where that is unknown, too.
    """
    now = dict(zip(("users", "items"), log.entity_keys()))
    users, items = (np.isin(now[kind], deployed.keys[kind]) for kind in ("users", "items"))
    if deployed.rows is not None and until is None:
        keys = log.keys.view(np.int64)
        rows = np.isin(keys, deployed.rows)
        gone = len(deployed.rows) - int(np.isin(deployed.rows, keys[log.train_positions]).sum())
        return Known(users, items, rows, BY_ROWS, gone)
    rows = users[log.user] & items[log.item]
    if until is None:
        return Known(users, items, rows, BY_TOKEN, None)
    return Known(users, items, rows & (log.time <= until), BY_TIME, None)


def people_with_news(log: InteractionLog, known: Known) -> np.ndarray:
    """Whether each user has a training interaction that the deployed model did not have, ``[n_users]``."""
    found = np.zeros(log.n_users, bool)
    train = log.train_positions
    found[log.user[train[~known.rows[train]]]] = True
    return found


def nothing_new(log: InteractionLog, known: Known) -> bool:
    """Whether today's training interactions are exactly those of then."""
    return known.gone == 0 and bool(known.rows[log.train_positions].all())


def list_weights(config: Config, log: InteractionLog, known: Known) -> np.ndarray:
    """How far the deployed model's list for each training instance should still hold.

    The share of the instance's history that the deployed model's log already had, of the
    ``MAX_ITEM_LIST_LENGTH`` interactions that the model sees, to the power ``update_news_power``; with
    ``update_list_age`` times exp(−age / ``update_list_age``), age being the time from the history's newest
    interaction to the log's. The next item does not count: it is what is to be learnt.

    Args:
        config: of tonight.
        log: today's.
        known: of the deployed model.

    Returns:
        By row id, ``[n_clean]``, from 0 to 1; 0 where there is no training instance.
    """
    at = log.target_positions.astype(np.int64)
    begin = log.user_begin[log.user[at]]
    begin = np.maximum(begin, at - config["MAX_ITEM_LIST_LENGTH"])
    before = np.append(0, np.cumsum(known.rows))
    weight = ((before[at] - before[begin]) / (at - begin)) ** config["update_news_power"]
    if config["update_list_age"] is not None:
        weight *= np.exp((log.time[at - 1] - log.time.max()) / config["update_list_age"])
    found = np.zeros(log.n_clean, np.float32)
    found[log.row[at]] = weight
    return found
