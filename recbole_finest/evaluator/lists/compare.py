"""Compare the rank lists of two models or systems, instance by instance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from recbole_finest.errors import UserError
from recbole_finest.evaluator.lists.queries import query_ids
from recbole_finest.evaluator.lists.ranklists import RankLists
from recbole_finest.evaluator.measures import keys, measure_lists
from recbole_finest.evaluator.statistics.summary import summarise


@dataclass(frozen=True)
class Comparison:
    """What :func:`compare` found.

    Attributes:
        reference: name of the reference lists.
        other: name of the lists compared with them.
        users: user of each compared instance, ``[n]``.
        targets: target of each compared instance, ``[n]``; ``""`` where unknown.
        values: per-instance values, ``{"jaccard@10": [n]}``.
        summary: ``{"jaccard@10": {mean, median, p5, low, high}}``; low and high bound the bootstrap
            95 % interval of the mean, resampling users.
        notes: what a reader of the figures should know, one sentence each.
    """

    reference: str
    other: str
    users: np.ndarray
    targets: np.ndarray
    values: dict[str, np.ndarray]
    summary: dict[str, dict[str, float]]
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.users)

    def to_dict(self) -> dict:
        """Return ``{reference, other, n, metrics}`` for JSON; what is undefined is None."""
        metrics = {
            key: {name: None if np.isnan(value) else value for name, value in row.items()}
            for key, row in self.summary.items()
        }
        return {
            "reference": self.reference,
            "other": self.other,
            "n": len(self),
            "metrics": metrics,
        }


def compare(
    reference: RankLists,
    other: RankLists,
    metrics: Iterable[str] = ("RBO", "Jaccard"),
    topk: Iterable[int] = (10,),
    p: float = 0.9,
    intersect: bool = False,
    rng: np.random.Generator | None = None,
    names: tuple[str, str] = ("reference", "other"),
) -> Comparison:
    """Measure how much two systems' rank lists of the same instances agree.

    Instances are matched by user and its how-many-eth instance it is; items by token.

    Args:
        reference: the lists to compare with.
        other: the lists of another model, or another system.
        metrics: names of measures (``measures.MEASURES``), in any case.
        topk: list depths.
        p: persistence of RBO and FRBO.
        intersect: compare the instances that match and leave the others out.
        rng: draws the bootstrap samples; a generator seeded with 0 by default.
        names: what the two are called in the result and in messages.

    Raises:
        UserError: instances that do not match (without ``intersect``) or no match at all, an
            unknown measure, a depth below 1, p outside (0, 1).
    """
    metrics, topk = list(metrics), list(topk)
    wanted = keys(metrics, topk)
    left, right = _match(reference, other, intersect, names)
    first, second = _common_codes(reference, other)
    values = measure_lists(first[left], second[right], metrics, topk, p, distinct=True)
    users = reference.users[left]
    rng = np.random.default_rng(0) if rng is None else rng
    return Comparison(
        reference=names[0],
        other=names[1],
        users=users,
        targets=reference.targets[left],
        values=values,
        summary=summarise(values, users, rng),
        notes=_notes(reference, other, len(left), max(k for _, k in wanted.values()), names),
    )


def _match(
    reference: RankLists, other: RankLists, intersect: bool, names: tuple[str, str]
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of matching instances in both, in the reference's order."""
    _, left, right = np.intersect1d(
        query_ids(reference), query_ids(other), assume_unique=True, return_indices=True
    )
    order = np.argsort(left)
    left, right = left[order], right[order]
    first, second = reference.targets[left], other.targets[right]
    other_target = (first != "") & (second != "") & (first != second)
    same = ~other_target
    if not intersect and not (same.sum() == len(reference) == len(other)):
        raise UserError(
            f"{names[0]} and {names[1]} do not hold the same instances: of {len(reference)} and "
            f"{len(other)}, {len(left)} have the same user and {same.sum()} of these no other "
            "target; use --intersect to compare only those."
        )
    if not same.any():
        raise UserError(f"{names[0]} and {names[1]} have no user and target in common.")
    return left[same], right[same]


def _common_codes(reference: RankLists, other: RankLists) -> tuple[np.ndarray, np.ndarray]:
    """Both lists' items as codes of one vocabulary, ``[n, depth]`` each, -1 for padding."""
    tokens = np.concatenate([reference.vocabulary, other.vocabulary])
    code = np.unique(tokens, return_inverse=True)[1].astype(np.int32)
    size = len(reference.vocabulary)
    return (
        np.append(code[:size], np.int32(-1))[reference.codes],
        np.append(code[size:], np.int32(-1))[other.codes],
    )


def _notes(
    reference: RankLists, other: RankLists, n: int, deepest: int, names: tuple[str, str]
) -> list[str]:
    notes = []
    if n < max(len(reference), len(other)):
        notes.append(
            f"{n} instances are in both {names[0]} ({len(reference)}) and {names[1]} "
            f"({len(other)}); only those are compared."
        )
    depth = max(reference.codes.shape[1], other.codes.shape[1])
    if deepest > depth:
        notes.append(
            f"No list of {names[0]} or {names[1]} is longer than {depth}: measures at a greater "
            "depth are of the lists as they are."
        )
    return notes
