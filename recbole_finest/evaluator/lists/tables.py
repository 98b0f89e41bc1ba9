"""Comparisons as tables in Markdown: stability, accuracy, and the hits that are lost and gained."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

from tabulate import tabulate

from recbole_finest.evaluator.lists.compare import Comparison
from recbole_finest.evaluator.lists.hits import RANKING

Name = Callable[[str], str]


def tables(comparisons: Iterable[Comparison], name: Name = str) -> list[str]:
    """All pairs' stability, and where true items are known accuracy and hits.

    Args:
        name: how a file's name is shown; as it is by default.
    """
    pairs = list(comparisons)
    known = [pair for pair in pairs if pair.accuracy is not None]
    more = [accuracy_table(known, name), hits_table(known, name)] if known else []
    return [stability_table(pairs, name), *more]


def notes(comparisons: Iterable[Comparison]) -> list[str]:
    """All pairs' notes, each once."""
    return list(dict.fromkeys(note for pair in comparisons for note in pair.notes))


def stability_table(pairs: Iterable[Comparison], name: Name = str) -> str:
    """A row for each pair and measure of stability."""
    rows = [
        (
            name(pair.reference),
            name(pair.other),
            len(pair),
            key,
            row["mean"],
            _interval(row),
            row["median"],
            row["p5"],
        )
        for pair in pairs
        for key, row in pair.summary.items()
    ]
    headers = ["reference", "other", "n", "measure", "mean", "95 % interval", "median", "p5"]
    return tabulate(rows, headers, tablefmt="github", floatfmt=".4f")


def accuracy_table(pairs: Iterable[Comparison], name: Name = str) -> str:
    """A row for each pair and measure of accuracy: both means, and the other's difference."""
    rows = []
    for pair in pairs:
        if pair.accuracy is None:
            continue
        summary = pair.accuracy.summary
        for key in (f"{one}@{k}" for one in RANKING for k in pair.accuracy.hits):
            difference, change = summary[f"{key}:difference"], summary[f"{key}:change"]
            rows.append(
                (
                    name(pair.reference),
                    name(pair.other),
                    len(pair.accuracy),
                    key,
                    f"{summary[f'{key}:reference']['mean']:.4f}",
                    f"{summary[key]['mean']:.4f}",
                    f"{difference['mean']:+.4f}",
                    _interval(difference, "+"),
                    "" if math.isnan(change["mean"]) else f"{100 * change['mean']:+.1f} %",
                )
            )
    headers = ["reference", "other", "n", "measure", "of reference", "of other"]
    headers += ["difference", "95 % interval", "change"]
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)


def hits_table(pairs: Iterable[Comparison], name: Name = str) -> str:
    """A row for each pair and depth: hits of both, those that the other loses and gains."""
    rows = []
    for pair in pairs:
        if pair.accuracy is None:
            continue
        for k, hits in pair.accuracy.hits.items():
            lost, gained = (pair.accuracy.summary[f"{flip}@{k}"] for flip in ("lost", "gained"))
            rows.append(
                (
                    name(pair.reference),
                    name(pair.other),
                    pair.accuracy.true_items,
                    f"hits@{k}",
                    hits["reference"],
                    hits["other"],
                    hits["lost"],
                    f"{lost['mean']:.4f}",
                    _interval(lost),
                    hits["gained"],
                    f"{gained['mean']:.4f}",
                    _interval(gained),
                )
            )
    headers = ["reference", "other", "true items", "hits", "of reference", "of other", "lost"]
    headers += ["share", "95 % interval", "gained", "share", "95 % interval"]
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)


def _interval(row: Mapping[str, float], sign: str = "") -> str:
    if math.isnan(row["low"]):
        return ""
    return f"{row['low']:{sign}.4f} to {row['high']:{sign}.4f}"
