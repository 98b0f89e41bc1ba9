"""Which instances of two files of rank lists are the same, and what a reader should know of the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recbole_finest.errors import UserError
from recbole_finest.evaluator.lists.queries import query_ids
from recbole_finest.evaluator.lists.ranklists import RankLists
from recbole_finest.evaluator.lists.spelling import (
    FEW,
    named,
    no_common_token,
    spelled,
    spelled_apart,
)


@dataclass(frozen=True)
class Join:
    """The instances of two files, matched by user and its how-many-eth instance it is.

    Attributes:
        left: rows of the compared instances in the reference, ascending, ``[n]``.
        right: their rows in the other file, ``[n]``.
        queries: their query ids (:func:`queries.query_ids`), ``[n]``.
        only_reference: query ids that are in the reference alone.
        only_other: those that are in the other file alone.
        other_target: those that are in both, but with different targets.
    """

    left: np.ndarray
    right: np.ndarray
    queries: np.ndarray
    only_reference: np.ndarray
    only_other: np.ndarray
    other_target: np.ndarray

    @property
    def left_out(self) -> int:
        """How many instances of either file are not compared."""
        return len(self.only_reference) + len(self.only_other) + len(self.other_target)

    @property
    def coverage(self) -> float:
        """Share of the instances of either file that are compared, 0 … 1."""
        return len(self.left) / (len(self.left) + self.left_out)

    def rest(self, names: tuple[str, str]) -> str:
        """The instances left out, counted and the first few named, as part of a sentence."""
        parts = [
            (self.only_reference, f"only in {names[0]}"),
            (self.only_other, f"only in {names[1]}"),
            (self.other_target, "with another target"),
        ]
        return ", ".join(f"{len(some)} {what} ({named(some)})" for some, what in parts if len(some))

    def to_dict(self) -> dict:
        """Return ``{compared, coverage, only_reference: {n, first}, …}`` for JSON."""
        parts = ("only_reference", "only_other", "other_target")
        rest = {name: getattr(self, name) for name in parts}
        return {
            "compared": len(self.left),
            "coverage": self.coverage,
            **{name: {"n": len(some), "first": some[:FEW].tolist()} for name, some in rest.items()},
        }


def join(reference: RankLists, other: RankLists, intersect: bool, names: tuple[str, str]) -> Join:
    """Match the instances of two files.

    Raises:
        UserError: instances that do not match (without ``intersect``), or no match at all.
    """
    first, second = query_ids(reference), query_ids(other)
    _, left, right = np.intersect1d(first, second, assume_unique=True, return_indices=True)
    order = np.argsort(left)
    left, right = left[order], right[order]
    one, two = reference.targets[left], other.targets[right]
    same = ~((one != "") & (two != "") & (one != two))
    found = Join(
        left=left[same],
        right=right[same],
        queries=first[left[same]],
        only_reference=np.delete(first, left),
        only_other=np.delete(second, right),
        other_target=first[left[~same]],
    )
    if not len(left):
        hint = no_common_token("user token", names, first, second)
        raise UserError(f"{names[0]} and {names[1]} have no user and target in common: {hint}.")
    if not same.any():
        raise UserError(
            f"{names[0]} and {names[1]} have no user and target in common: they share {len(left)} "
            f"users ({named(found.other_target)}), each with another target; compare lists of one "
            "moment."
        )
    if found.left_out and not intersect:
        raise UserError(
            f"{names[0]} and {names[1]} do not hold the same instances: of {len(reference)} and "
            f"{len(other)}, {len(left)} have the same user and {same.sum()} of these no other "
            f"target; {found.rest(names)}{_apart(found, names)}; use --intersect to compare only "
            "those in both."
        )
    return found


def _apart(found: Join, names: tuple[str, str]) -> str:
    pairs = spelled_apart(found.only_reference, found.only_other)
    return f"; {spelled('user', pairs, names)}" if pairs else ""


def check_items(reference: RankLists, other: RankLists, names: tuple[str, str]) -> list[str]:
    """Compare the item tokens of two files.

    Returns:
        A note where tokens of one file are spelled differently in the other.

    Raises:
        UserError: a file without any item, or files without one token in common.
    """
    first, second = reference.vocabulary, other.vocabulary
    for name, vocabulary in zip(names, (first, second)):
        if not len(vocabulary):
            raise UserError(f"The lists of {name} hold no item at all: write them again.")
    if not np.isin(second, first).any():
        hint = no_common_token("item token", names, first, second)
        raise UserError(f"{names[0]} and {names[1]} have no item in common: {hint}.")
    pairs = spelled_apart(first, second)
    return [f"{spelled('item', pairs, names)}."] if pairs else []


def join_notes(
    found: Join, reference: RankLists, other: RankLists, names: tuple[str, str]
) -> list[str]:
    """Say which instances were left out."""
    if not found.left_out:
        return []
    return [
        f"{len(found.left)} instances are in both {names[0]} ({len(reference)}) and {names[1]} "
        f"({len(other)}); only those are compared, and left out are {found.rest(names)}"
        f"{_apart(found, names)}."
    ]


def length_notes(
    lists: Sequence[np.ndarray], names: tuple[str, str], deepest: int, found: Join
) -> list[str]:
    """Say which compared lists are shorter than the deepest k asked for.

    Args:
        lists: the two files' codes of the compared instances, ``[n, depth]``, padded with -1.
    """
    lengths = [(codes >= 0).sum(axis=1) for codes in lists]
    longest = max(int(length.max()) for length in lengths)
    notes = []
    if longest < deepest:
        notes.append(
            f"No list of {names[0]} or {names[1]} is longer than {longest}: measures at a greater "
            "depth are of the lists as they are."
        )
    for name, length in zip(names, lengths):
        short, empty = int((length < deepest).sum()), found.queries[length == 0]
        if short and longest >= deepest:
            notes.append(
                f"{short} of {len(length)} lists of {name} are shorter than {deepest}, the shortest "
                f"holds {int(length.min())}: measures are of the lists as they are."
            )
        if len(empty):
            notes.append(f"{len(empty)} lists of {name} hold no item ({named(empty)}).")
    return notes
