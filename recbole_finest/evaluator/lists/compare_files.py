"""Compare files of rank lists: which pairs, the table, the JSON and the gate for CI."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from tabulate import tabulate

from recbole_finest.errors import UserError
from recbole_finest.evaluator.lists.compare import Comparison, compare
from recbole_finest.evaluator.lists.readers import read_lists
from recbole_finest.evaluator.measures import get_measure, keys
from recbole_finest.files import write_json

ROUNDING = 1e-9  # identical lists may give 0.9999999999999999


@dataclass(frozen=True)
class Gate:
    """A measure's mean that must be reached, from ``jaccard@10=0.8``."""

    key: str
    name: str
    k: int
    least: float

    @classmethod
    def parse(cls, text: str) -> Gate:
        """Read ``jaccard@10=0.8``; ``UserError`` for anything else and for smaller-is-better."""
        key, equals, number = text.partition("=")
        name, at, depth = key.partition("@")
        try:
            least, k = float(number), int(depth) if at else 1
        except ValueError:
            least, k = math.nan, 1
        if not equals or not math.isfinite(least) or (not at and name.lower() != "top1"):
            raise UserError(
                f"--fail-under {text}: write a measure, its depth and a value, as in "
                "jaccard@10=0.8."
            )
        if get_measure(name).smaller:
            raise UserError(
                f"--fail-under {text}: a smaller {name} is better; "
                "use a measure such as jaccard or rbo."
            )
        if least > 1:
            raise UserError(f"--fail-under {text}: no measure exceeds 1; write 0.8 for 80 %.")
        ((key, (name, k)),) = keys([name], [k]).items()
        return cls(key, name, k, least)

    def failures(self, comparisons: Iterable[Comparison]) -> list[str]:
        """Return a sentence for each pair whose mean is below the value."""
        return [
            f"{self.key} of {pair.other} against {pair.reference} is "
            f"{pair.summary[self.key]['mean']:.6g}, below {self.least:g}."
            for pair in comparisons
            if pair.summary[self.key]["mean"] < self.least - ROUNDING
        ]


def compare_files(
    paths: Sequence[str | os.PathLike],
    metrics: Iterable[str] = ("RBO", "Jaccard"),
    topk: Iterable[int] = (10,),
    p: float = 0.9,
    reference: str | None = None,
    all_pairs: bool = False,
    intersect: bool = False,
    rng: np.random.Generator | None = None,
) -> list[Comparison]:
    """Compare files of rank lists with a reference, or each with each.

    Args:
        paths: two files or more (:func:`readers.read_lists`).
        metrics, topk, p, intersect, rng: as in :func:`compare.compare`.
        reference: path, file name or stem of the reference among ``paths``; the first by default.
        all_pairs: compare each with each later one instead.

    Raises:
        UserError: fewer than two files, no such reference; all that reading and comparing raise.
    """
    names = [str(path) for path in paths]
    if len(names) < 2:
        raise UserError("Name at least two files of rank lists to compare.")
    if all_pairs and reference is not None:
        raise UserError("Give either a reference or all pairs, not both.")
    metrics, topk = list(metrics), list(topk)
    keys(metrics, topk)  # refuse before reading large files
    first = 0 if reference is None else _find(reference, names)
    if all_pairs:
        pairs = list(combinations(range(len(names)), 2))
    else:
        pairs = [(first, i) for i in range(len(names)) if i != first]
    lists = [read_lists(path) for path in paths]
    rng = np.random.default_rng(0) if rng is None else rng
    return [
        compare(lists[i], lists[j], metrics, topk, p, intersect, rng, (names[i], names[j]))
        for i, j in pairs
    ]


def _find(reference: str, names: list[str]) -> int:
    """Which of the files is meant by a path, a file name or a stem."""
    for look in (str, lambda name: Path(name).name, lambda name: Path(name).stem):
        found = [i for i, name in enumerate(names) if look(name) == reference]
        if len(found) == 1:
            return found[0]
        if found:
            raise UserError(
                f"--reference {reference} could be {' or '.join(names[i] for i in found)}."
            )
    raise UserError(f"--reference {reference} is none of {', '.join(names)}.")


def table(comparisons: Iterable[Comparison]) -> str:
    """Return all pairs and measures as a table in Markdown, with the notes below."""
    comparisons = list(comparisons)
    rows = [
        (
            pair.reference,
            pair.other,
            len(pair),
            key,
            row["mean"],
            "" if math.isnan(row["low"]) else f"{row['low']:.4f} to {row['high']:.4f}",
            row["median"],
            row["p5"],
        )
        for pair in comparisons
        for key, row in pair.summary.items()
    ]
    headers = ["reference", "other", "n", "measure", "mean", "95 % interval", "median", "p5"]
    text = tabulate(rows, headers, tablefmt="github", floatfmt=".4f")
    notes = dict.fromkeys(note for pair in comparisons for note in pair.notes)
    return "\n".join([text, *notes])


def write_comparisons(
    comparisons: Iterable[Comparison], path: str | os.PathLike, **settings: float
) -> None:
    """Write ``{"pairs": [{reference, other, n, metrics}], ...settings}`` as JSON."""
    try:
        write_json(path, {"pairs": [pair.to_dict() for pair in comparisons], **settings})
    except OSError as error:
        raise UserError(f"Cannot write {path}: {error.strerror}.") from None
