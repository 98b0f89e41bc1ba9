"""Compare files of rank lists: which pairs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from recbole_finest.errors import UserError
from recbole_finest.evaluator.lists.compare import Comparison, compare
from recbole_finest.evaluator.lists.readers import read_lists
from recbole_finest.evaluator.lists.truth import Truth
from recbole_finest.evaluator.measures import keys


def compare_files(
    paths: Sequence[str | os.PathLike],
    metrics: Iterable[str] = ("RBO", "Jaccard"),
    topk: Iterable[int] = (10,),
    p: float = 0.9,
    reference: str | None = None,
    all_pairs: bool = False,
    intersect: bool = False,
    rng: np.random.Generator | None = None,
    truth: Truth | None = None,
) -> list[Comparison]:
    """Compare files of rank lists with a reference, or each with each.

    Args:
        paths: two files or more (:func:`readers.read_lists`).
        metrics, topk, p, intersect, rng, truth: as in :func:`compare.compare`.
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
        compare(lists[i], lists[j], metrics, topk, p, intersect, rng, (names[i], names[j]), truth)
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
