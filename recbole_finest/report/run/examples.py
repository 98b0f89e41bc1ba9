"""The users whose lists changed most and least, their lists side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recbole_finest.evaluator.ranks import ranks_in
from recbole_finest.report.run.item_names import item_names
from recbole_finest.report.run.run_folder import RunFolder

USERS = 5  # of each kind
LEFT, CAME = "out, ", "new, "


@dataclass(frozen=True)
class Entry:
    """One place of a list: the item's token, its name, and what became of it, or ``""``."""

    token: str
    name: str
    note: str

    @property
    def crossed(self) -> bool:
        """Whether it left the top k, or came into it."""
        return self.note.startswith((LEFT, CAME))


@dataclass(frozen=True)
class Example:
    """One instance and its lists.

    Attributes:
        group: ``most`` or ``least`` changed.
        user: the user's token.
        target: token and name of the true next item.
        values: ``{method: similarity of its two lists}``.
        columns: ``{model: its top k}``, the two sides of a method beside each other.
    """

    group: str
    user: str
    target: Entry
    values: dict[str, float]
    columns: dict[str, list[Entry]]


def choose(values: Sequence[np.ndarray], users: np.ndarray) -> dict[str, np.ndarray]:
    """The instances that changed most and least, one a user.

    Args:
        values: similarities of base's two lists, ``[n]`` each; the later ones break ties.
        users: the user of each instance, ``[n]``.

    Returns:
        ``{"most": rows, "least": rows}``, up to five each, no user in both.
    """
    order = np.lexsort(tuple(values)[::-1])  # stable: then as in the log
    first = np.sort(np.unique(users[order], return_index=True)[1])
    order = order[first]  # each user's most changed instance
    count = min(USERS, (len(order) + 1) // 2)
    least = order[::-1][: min(count, len(order) - count)]
    return {"most": order[:count], "least": least}


def make_examples(
    folder: RunFolder,
    chosen: Mapping[str, np.ndarray],
    pairs: Mapping[str, tuple[str, str]],
    values: Mapping[str, np.ndarray],
    k: int,
) -> list[Example]:
    """Set the lists of the chosen instances side by side.

    Args:
        folder: the run.
        chosen: rows by group, from :func:`choose`.
        pairs: ``{method: (model, other model)}``.
        values: ``{method: [n]}``, the similarity that is shown.
        k: length of the lists shown.
    """
    rows = np.concatenate(list(chosen.values()))
    columns: dict[str, list[list[tuple[str, str]]]] = {}
    for one, other in pairs.values():
        left, right = folder.lists(one).codes[rows], folder.lists(other).codes[rows]
        columns[one] = _noted(left, right, folder.tokens, k, ("to", LEFT))
        columns[other] = _noted(right, left, folder.tokens, k, ("from", CAME))
    targets = folder.first.targets[rows].tolist()
    shown = [token for lists in columns.values() for entries in lists for token, _ in entries]
    names_of = item_names(folder.settings, [*targets, *shown])

    def entry(token: str, note: str = "") -> Entry:
        return Entry(token, names_of.get(token, token), note)

    groups = [group for group, members in chosen.items() for _ in members]
    return [
        Example(
            group=groups[i],
            user=str(folder.first.users[row]),
            target=entry(targets[i]),
            values={method: float(found[row]) for method, found in values.items()},
            columns={
                name: [entry(*place) for place in lists[i]] for name, lists in columns.items()
            },
        )
        for i, row in enumerate(rows.tolist())
    ]


def _noted(
    lists: np.ndarray, partner: np.ndarray, tokens: np.ndarray, k: int, words: tuple[str, str]
) -> list[list[tuple[str, str]]]:
    """Tokens of the top k and what is to be said of them, for each list."""
    ranks = ranks_in(lists, partner, len(tokens))
    return [
        [
            (str(tokens[code]), _note(place, int(rank), k, partner.shape[1], words))
            for place, (code, rank) in enumerate(zip(codes[:k], found[:k]), 1)
            if code >= 0
        ]
        for codes, found in zip(lists, ranks)
    ]


def _note(place: int, rank: int, k: int, depth: int, words: tuple[str, str]) -> str:
    """Where an item stands in the partner; ``""`` where it keeps its place.

    ``words``: the direction, and what is said first of an item that is not in the partner's top k.
    """
    if rank == place:
        return ""
    if 0 < rank <= k:
        return f"{words[0]} {rank}"
    return f"{words[1]}{words[0]} {rank}" if rank else f"{words[1]}{words[0]} beyond {depth}"
