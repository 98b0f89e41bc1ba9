"""Rows of the tables and their cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from recbole_finest.report.labels import label
from recbole_finest.report.run.pair import Summary
from recbole_finest.report.table import NOTHING, estimate

NAN = float("nan")


def summary_rows(found: Mapping[str, Summary]) -> list[dict[str, Any]]:
    return [
        {"model": label(name), "measure": measure, **values}
        for name, measures in found.items()
        for measure, values in measures.items()
    ]


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
    """One row for each value of ``index``, one column for each of ``column``, means by default."""
    lines: dict[Any, dict[str, str]] = {}
    for row in rows:
        lines.setdefault(row[index], {index: str(row[index])})[row[column]] = cell(row)
    return pd.DataFrame(list(lines.values())).fillna(NOTHING)
