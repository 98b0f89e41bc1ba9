"""Query ids of instances: the user's token, and ``#2``, ``#3``, … from the second instance on."""

from __future__ import annotations

import re

import numpy as np

from recbole_finest.errors import UserError
from recbole_finest.evaluator.lists.ranklists import RankLists


def query_ids(lists: RankLists) -> np.ndarray:
    """Name the instances: the user, and ``#2``, ``#3``, … after it from its second instance on."""
    queries = np.array(
        [
            user if number == 1 else f"{user}#{number}"
            for user, number in zip(lists.users.tolist(), lists.occurrence.tolist())
        ],
        dtype=str,
    )
    if len(np.unique(queries)) < len(queries):
        raise UserError("The user tokens contain # so that two instances would get one query id.")
    return queries


def split_repeats(queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Undo :func:`query_ids`: ``u#2`` is u's second instance when ``u`` is there too.

    Args:
        queries: distinct query ids, ``[n]``.

    Returns:
        Users in the order of the queries, ``[n]``, and the order ``[n]`` that puts the instances of
        each user into sequence. An id such as ``u#3`` without ``u`` and ``u#2`` is a user itself.
    """
    known = set(queries.tolist())
    users, numbers = list(queries.tolist()), [1] * len(queries)
    for row, query in enumerate(users):
        match = re.fullmatch(r"(.+)#([1-9]\d{0,8})", query)
        number = int(match[2]) if match else 1
        if match and number > 1 and match[1] in known:
            before = f"{match[1]}#{number - 1}" if number > 2 else match[1]
            if before in known:
                users[row], numbers[row] = match[1], number
    place: dict[str, int] = {}
    for user in users:
        place.setdefault(user, len(place))
    order = sorted(range(len(users)), key=lambda row: (place[users[row]], numbers[row]))
    return np.asarray(users, dtype=str), np.asarray(order, dtype=np.int64)
