"""Read rank lists of any system: our own .npz, TREC runs, CSV and Parquet tables.

TREC runs have one instance for each query id. Where a user has several instances, the ids are
``user``, ``user#2``, ``user#3``, …; tables may use the same convention.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from recbole_finest.errors import UserError, printable
from recbole_finest.evaluator.lists.frames import (
    parquet_frame,
    renamed,
    separated_frame,
    text_frame,
)
from recbole_finest.evaluator.lists.queries import split_repeats
from recbole_finest.evaluator.lists.ranklists import RankLists
from recbole_finest.folders.manifest import check_listed
from recbole_finest.formats.numbers import as_numbers
from recbole_finest.formats.plain import check_unpacked
from recbole_finest.formats.tables import as_tokens, coded

TREC_COLUMNS = ["user", "q0", "item", "rank", "score", "tag"]


def read_lists(path: str | os.PathLike) -> RankLists:
    """Read a file of rank lists by its suffix: .npz; .trec or .run; .csv or .tsv; .parquet.

    Raises:
        UserError: no such file, unknown suffix, content that is not what the suffix says, missing
            columns, repeated items, ranks and scores that disagree or scores that are not sorted; in a
            run's folder, a file that is not the one that the run wrote.
    """
    path = Path(path)
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise UserError(f"{path}: rank lists are read from {', '.join(READERS)} files.")
    if not path.is_file():
        raise UserError(f"There is no file {path}.")
    check_listed(path)
    return reader(path)


def read_trec(path: Path) -> RankLists:
    """Read a TREC run: ``qid Q0 docid rank score tag`` on each line, separated by white space.

    The ranks give the order; the scores of a query must not rise along it.
    """
    table = text_frame(path, sep=r"\s+", header=None, names=TREC_COLUMNS)
    short = (table.isna() | (table == "")).any(axis=1)
    if short.any():
        raise UserError(
            f"{path} is no TREC run: line {int(short.idxmax()) + 1} does not have the six fields "
            "qid Q0 docid rank score tag."
        )
    return _lists(table, path)


def read_table(path: Path) -> RankLists:
    """Read CSV (.tsv: tabs) with the columns user, item, and rank or score; optionally target."""
    return _lists(separated_frame(path), path)


def read_parquet(path: Path) -> RankLists:
    """Read a Parquet table with the columns of :func:`read_table`; needs pyarrow."""
    return _lists(parquet_frame(path), path)


READERS: dict[str, Callable[[Path], RankLists]] = {
    ".npz": RankLists.load,
    ".trec": read_trec,
    ".run": read_trec,
    ".csv": read_table,
    ".tsv": read_table,
    ".parquet": read_parquet,
}


def _lists(table: pd.DataFrame, path: Path) -> RankLists:
    """Turn rows (user, item, rank or score) into rank lists, with all checks."""
    names = table.attrs.get("names", table.columns)
    table = renamed(table, path)
    missing = [name for name in ("user", "item") if name not in table]
    if "rank" not in table and "score" not in table:
        missing.append("rank or score")
    if missing:
        found = printable(", ".join(map(str, names)))[:300]
        raise UserError(f"{path} has no column {' and no '.join(missing)}; its columns: {found}.")
    if not len(table):
        raise UserError(f"{path} holds no rank lists.")
    for name in ("user", "item"):
        if (table[name].isna() | (table[name] == "")).any():
            raise UserError(f"{path}: a row has no {name}.")
    user, queries = coded(table["user"])
    item, vocabulary = coded(table["item"])
    rank = _numbers(table, "rank", path) if "rank" in table else None
    score = _numbers(table, "score", path) if "score" in table else None
    order = np.lexsort((np.arange(len(user)) if rank is None else rank, user))  # stable
    named = table["user"].to_numpy()[order]
    user, item = user[order], item[order]
    same = user[1:] == user[:-1]

    def refuse(wrong: np.ndarray, what: str) -> None:
        if wrong.any():
            first = np.asarray(named[wrong.argmax()]).item()
            raise UserError(f"{path}: in the list of {first!r} {what}.")

    refuse(
        pd.DataFrame({"user": user, "item": item}).duplicated().to_numpy(), "an item is repeated"
    )
    if rank is not None:
        refuse(same & (np.diff(rank[order]) == 0), "two items have one rank")
    if score is not None:
        score = score[order]
        what = "are not sorted, best first" if rank is None else "do not fall with the rank"
        refuse(same & (np.diff(score) > 0), f"the scores {what}")
    try:
        targets = _targets(table, order, user)
        return _fill(as_tokens(queries), targets, as_tokens(vocabulary), (user, item, score))
    except ValueError as error:
        raise UserError(f"{path} cannot be read: {error}.") from None


def _numbers(table: pd.DataFrame, name: str, path: Path) -> np.ndarray:
    numbers = as_numbers(table[name])
    if np.isnan(numbers).any():
        first = np.asarray(table[name].iloc[int(np.isnan(numbers).argmax())]).item()
        raise UserError(f"{path}: the {name} {first!r} is not a number.")
    return numbers


def _targets(table: pd.DataFrame, order: np.ndarray, user: np.ndarray) -> np.ndarray:
    first = np.flatnonzero(np.diff(user, prepend=-1))
    if "target" not in table:
        return np.full(len(first), "", dtype=str)
    return as_tokens(table["target"].to_numpy()[order][first])


def _fill(
    queries: np.ndarray,
    targets: np.ndarray,
    vocabulary: np.ndarray,
    rows: tuple[np.ndarray, np.ndarray, np.ndarray | None],
) -> RankLists:
    user, item, score = rows  # sorted by user, then rank
    first = np.searchsorted(user, user)
    place = np.arange(len(user)) - first
    depth = int(place.max()) + 1
    check_unpacked(8 * len(queries) * depth, 8 * len(user))  # short lists are filled up
    codes = np.full((len(queries), depth), -1, dtype=np.int32)
    codes[user, place] = item
    scores = None
    if score is not None:
        scores = np.full(codes.shape, -np.inf, dtype=np.float32)
        scores[user, place] = score
    users, instances = split_repeats(queries)
    return RankLists(
        users[instances],
        targets[instances],
        vocabulary,
        codes[instances],
        None if scores is None else scores[instances],
    )
