"""Rows of the tables and their cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from recbole_finest.report.labels import label
from recbole_finest.report.run.contents import Report
from recbole_finest.report.run.pair import Summary
from recbole_finest.report.table import NOTHING, estimate

NAN = float("nan")


QUESTION = "question"  # the column by which rows are grouped where a run answers both


def by_question(report: Report, names: Iterable[str]) -> Iterator[tuple[dict[str, str], str]]:
    """Names block by block, each with what its rows begin with: nothing where there is one block."""
    for asked, members in report.blocks(names).items():
        start = {QUESTION: report.words(asked)} if report.both else {}
        yield from ((start, name) for name in members)


def summary_rows(report: Report, found: Mapping[str, Summary]) -> list[dict[str, Any]]:
    return [
        {**start, "model": label(name), "measure": measure, **values}
        for start, name in by_question(report, found)
        for measure, values in found[name].items()
    ]


def within(row: Mapping[str, Any], name: str) -> str:
    """A cell by which rows are grouped, with the block that the row stands in."""
    return f"{row[name]}, {row[QUESTION].lower()}" if row.get(QUESTION) else str(row[name])


def estimate_cell(row: Mapping[str, Any]) -> str:
    return estimate(row["mean"], row["low"], row["high"])


def as_text(
    rows: list[dict[str, Any]], columns: Mapping[str, Callable[[dict[str, Any]], str]]
) -> pd.DataFrame:
    """The rows as text, one function a column."""
    return pd.DataFrame([{name: cell(row) for name, cell in columns.items()} for row in rows])


def wide(
    rows: list[dict[str, Any]],
    index: str,
    column: str,
    cell: Callable[[dict[str, Any]], str] = estimate_cell,
) -> pd.DataFrame:
    """One row for each value of ``index``, one column for each of ``column``, means by default.

    The first column is the block of each row, where rows have one.
    """
    lines: dict[Any, dict[str, str]] = {}
    for row in rows:
        start = {name: str(row[name]) for name in (QUESTION, index) if name in row}
        lines.setdefault(row[index], start)[row[column]] = cell(row)
    return pd.DataFrame(list(lines.values())).fillna(NOTHING)
