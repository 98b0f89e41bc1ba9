"""Compare the rank lists of two models or systems, instance by instance."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from recbole_finest.evaluator.lists.accuracy import Accuracy, measure_accuracy
from recbole_finest.evaluator.lists.joins import Join, check_items, join, join_notes, length_notes
from recbole_finest.evaluator.lists.ranklists import RankLists
from recbole_finest.evaluator.lists.truth import Truth
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
        join: which instances are compared, and which are in one file only.
        notes: what a reader of the figures should know, one sentence each.
        accuracy: accuracy of both and their hits apart, where true items are known.
    """

    reference: str
    other: str
    users: np.ndarray
    targets: np.ndarray
    values: dict[str, np.ndarray]
    summary: dict[str, dict[str, float]]
    join: Join
    notes: list[str] = field(default_factory=list)
    accuracy: Accuracy | None = None

    def __len__(self) -> int:
        return len(self.users)

    def figure(self, name: str, statistic: str = "mean") -> float:
        """One number: ``("jaccard@10", "low")``, ``("ndcg@10:change", "mean")``, ``("churn@10", "p95")``.

        Args:
            name: of ``values`` or of the accuracy's ``values`` and ``summary``.
            statistic: of ``summary``, or ``p1`` … ``p99`` for a percentile over instances.

        Raises:
            KeyError: it was not measured.
        """
        summary, values = self.summary, self.values
        if self.accuracy is not None and name in self.accuracy.summary:
            summary, values = self.accuracy.summary, self.accuracy.values
        if statistic in summary[name]:
            return summary[name][statistic]
        return float(np.percentile(values[name], int(statistic[1:])))

    def to_dict(self) -> dict:
        """Return ``{reference, other, n, metrics, join, notes, accuracy}``; the undefined is None."""
        found = {
            "reference": self.reference,
            "other": self.other,
            "n": len(self),
            "metrics": self.summary,
            "join": self.join.to_dict(),
            "notes": self.notes,
        }
        if self.accuracy is not None:
            found["accuracy"] = self.accuracy.to_dict()
        return _without_nan(found)


def compare(
    reference: RankLists,
    other: RankLists,
    metrics: Iterable[str] = ("RBO", "Jaccard"),
    topk: Iterable[int] = (10,),
    p: float = 0.9,
    intersect: bool = False,
    rng: np.random.Generator | None = None,
    names: tuple[str, str] = ("reference", "other"),
    truth: Truth | None = None,
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
        truth: the items that came next; with them, accuracy is measured too. It changes no other
            figure: its intervals draw from a copy of ``rng``.

    Raises:
        UserError: instances that do not match (without ``intersect``) or no match at all, no item
            in common, an unknown measure, a depth below 1, p outside (0, 1); truth of other users
            or items (:func:`accuracy.measure_accuracy`).
    """
    metrics, topk = list(metrics), list(topk)
    wanted = keys(metrics, topk)
    found = join(reference, other, intersect, names)
    notes = [*join_notes(found, reference, other, names), *check_items(reference, other, names)]
    vocabulary, first, second = _common_codes(reference, other)
    lists = first[found.left], second[found.right]
    notes += length_notes(lists, names, max(k for _, k in wanted.values()), found)
    values = measure_lists(*lists, metrics, topk, p, distinct=True)
    users = reference.users[found.left]
    rng = np.random.default_rng(0) if rng is None else rng
    accuracy = None
    if truth is not None:
        draws = copy.deepcopy(rng)
        accuracy = measure_accuracy(truth, found, users, lists, vocabulary, topk, draws, names)
        notes += accuracy.notes
    return Comparison(
        reference=names[0],
        other=names[1],
        users=users,
        targets=reference.targets[found.left],
        values=values,
        summary=summarise(values, users, rng),
        join=found,
        notes=notes,
        accuracy=accuracy,
    )


def _common_codes(
    reference: RankLists, other: RankLists
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both files' item tokens, sorted, and their lists as indices, ``[n, depth]`` each, -1 padded."""
    tokens = np.concatenate([reference.vocabulary, other.vocabulary])
    vocabulary, code = np.unique(tokens, return_inverse=True)
    code = code.astype(np.int32)
    size = len(reference.vocabulary)
    return (
        vocabulary,
        np.append(code[:size], np.int32(-1))[reference.codes],
        np.append(code[size:], np.int32(-1))[other.codes],
    )


def _without_nan(value: object) -> Any:
    """The same for JSON, None in place of NaN."""
    if isinstance(value, dict):
        return {name: _without_nan(part) for name, part in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value
