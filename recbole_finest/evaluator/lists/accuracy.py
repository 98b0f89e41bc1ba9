"""Accuracy of two files of rank lists, held against the same true next items."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from recbole_finest.errors import UserError
from recbole_finest.evaluator.lists.hits import FLIPS, RANKING, values_at
from recbole_finest.evaluator.lists.joins import Join
from recbole_finest.evaluator.lists.spelling import named, no_common_token, spelled, spelled_apart
from recbole_finest.evaluator.lists.truth import Truth
from recbole_finest.evaluator.ranks import target_ranks
from recbole_finest.evaluator.statistics.summary import change_interval, summarise

CELLS_AT_A_TIME = 1 << 22


@dataclass(frozen=True)
class Accuracy:
    """What :func:`measure_accuracy` found, of the m compared instances that have true items.

    Attributes:
        true_items: how many true items they have together.
        values: per-instance values ``[m]`` by the names of :func:`hits.values_at`.
        summary: ``{name: {mean, median, p5, low, high}}`` of each of these, and of
            ``ndcg@10:change``, the relative change of the mean, ``{mean, low, high}``.
        hits: ``{10: {reference, other, lost, gained}}``, how many of the true items.
        notes: what a reader of the figures should know, one sentence each.
    """

    true_items: int
    values: dict[str, np.ndarray]
    summary: dict[str, dict[str, float]]
    hits: dict[int, dict[str, int]]
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(next(iter(self.values.values())))

    def to_dict(self) -> dict:
        """Return ``{n, true_items, metrics: {ndcg@10: {reference, other, …}}, hits}`` for JSON."""
        metrics: dict[str, dict] = {}
        for k in self.hits:
            for name in RANKING:
                key = f"{name}@{k}"
                metrics[key] = {
                    "reference": self.summary[f"{key}:reference"],
                    "other": self.summary[key],
                    "difference": self.summary[f"{key}:difference"],
                    "change": self.summary[f"{key}:change"],
                }
            for name in FLIPS:
                metrics[f"{name}@{k}"] = self.summary[f"{name}@{k}"]
        return {
            "n": len(self),
            "true_items": self.true_items,
            "metrics": metrics,
            "hits": {str(k): counts for k, counts in self.hits.items()},
        }


def measure_accuracy(
    truth: Truth,
    found: Join,
    users: np.ndarray,
    lists: tuple[np.ndarray, np.ndarray],
    vocabulary: np.ndarray,
    topk: Iterable[int],
    rng: np.random.Generator,
    names: tuple[str, str],
) -> Accuracy:
    """Measure two files' compared lists on true next items, as in :func:`hits.values_at`.

    Args:
        truth: the true items; those of instances that are not compared are counted in a note.
        found: the compared instances, n of them.
        users: their users, ``[n]``.
        lists: their lists of both files as indices into ``vocabulary``, ``[n, depth]``, -1 padded.
        vocabulary: distinct item tokens, sorted.
        topk: depths k, at least one.
        rng: draws the bootstrap samples of users.
        names: what the two files are called in messages.

    Raises:
        UserError: no compared instance has a true item, or no true item is in any list.
    """
    row = pd.Index(found.queries).get_indexer(truth.queries)  # [t]
    here = row >= 0
    if not here.any():
        hint = no_common_token("user token", (truth.name, names[0]), truth.queries, found.queries)
        raise UserError(f"{truth.name} has no item for a user of {names[0]}: {hint}.")
    kept, instance = np.unique(row[here], return_inverse=True)
    code = _codes(truth.items[here], vocabulary)
    notes = [
        *_user_notes(truth, found, kept, ~here),
        *_item_notes(truth, code, lists, vocabulary, names),
    ]
    ranks = (_ranks(lists[0], row[here], code), _ranks(lists[1], row[here], code))
    values: dict[str, np.ndarray] = {}
    hits: dict[int, dict[str, int]] = {}
    for k in topk:
        at_k, hits[k] = values_at(k, ranks, instance)
        values.update(at_k)
    summary = summarise(values, users[kept], rng)
    for key in [f"{name}@{k}" for k in hits for name in RANKING]:
        sides = values[f"{key}:reference"], values[key]
        summary[f"{key}:change"] = change_interval(*sides, users[kept], rng)
    return Accuracy(len(code), values, summary, hits, notes)


def _codes(items: np.ndarray, vocabulary: np.ndarray) -> np.ndarray:
    """Indices into a sorted vocabulary, ``[t]``; its length for an item that it lacks."""
    code = np.searchsorted(vocabulary, items)
    known = vocabulary[np.minimum(code, len(vocabulary) - 1)] == items
    return np.where(known, code, len(vocabulary))


def _ranks(codes: np.ndarray, row: np.ndarray, items: np.ndarray) -> np.ndarray:
    """Rank of each item in the list of its row, from 1, ``[t]``; 0 where it is not listed."""
    step = max(1, CELLS_AT_A_TIME // max(1, codes.shape[1]))
    parts = [slice(at, at + step) for at in range(0, len(row), step)]
    return np.concatenate([target_ranks(codes[row[part]], items[part]) for part in parts])


def _user_notes(truth: Truth, found: Join, kept: np.ndarray, away: np.ndarray) -> list[str]:
    """Who has lists and no true item, who has true items and no compared list, and repeated rows."""
    notes = []
    without = np.delete(found.queries, kept)
    if len(without):
        notes.append(
            f"{len(without)} of {len(found.queries)} compared lists have no true item in "
            f"{truth.name} ({named(without)}); accuracy is of the others."
        )
    gone = np.unique(truth.queries[away])
    if len(gone):
        notes.append(f"{len(gone)} users of {truth.name} have no compared list ({named(gone)}).")
    if truth.repeated:
        notes.append(f"{truth.repeated} rows of {truth.name} are repeated and count once.")
    return notes


def _item_notes(
    truth: Truth,
    code: np.ndarray,
    lists: tuple[np.ndarray, np.ndarray],
    vocabulary: np.ndarray,
    names: tuple[str, str],
) -> list[str]:
    """True items that a file does not list for anybody, or that are spelled differently there."""
    listed = []
    for codes in lists:
        there = np.zeros(len(vocabulary) + 1, dtype=bool)
        there[codes[codes >= 0]] = True
        listed.append(bool(there[code].any()))
    if not any(listed):
        hint = no_common_token("item token", (truth.name, names[0]), truth.items, vocabulary)
        raise UserError(f"No item of {truth.name} is in any list: {hint}.")
    notes = [
        f"No item of {truth.name} is in any list of {name}: its accuracy is 0."
        for name, known in zip(names, listed)
        if not known
    ]
    pairs = spelled_apart(np.unique(truth.items), vocabulary)
    return [*notes, *([f"{spelled('item', pairs, (truth.name, names[0]))}."] if pairs else [])]
