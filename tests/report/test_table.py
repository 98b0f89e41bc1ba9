"""Tables as CSV: no text of a stranger's is a formula."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest

from recbole_finest.report.table import csv_text

FORMULAS = [
    '=cmd|"/C calc"!A0',
    "+1+2",
    "-1+cmd",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "=",
    "-",
    "--1",
]


def rows(frame: pd.DataFrame) -> list[list[str]]:
    return list(csv.reader(io.StringIO(csv_text(frame), newline="")))


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_text(text):
    (name,), (cell,) = rows(pd.DataFrame({text: [text]}))
    assert name == cell == "'" + text.replace("\r", " ")


def test_everything_else_stands_as_it_is():
    frame = pd.DataFrame(
        {"text": ["a=b", "", "é", "–", "+0.25", "-1e-05"], "number": [-1.5, 2.0, None, 0, -3, 1e-9]}
    )
    assert csv_text(frame) == frame.to_csv(index=False)
    assert rows(frame)[5:] == [["+0.25", "-3.0"], ["-1e-05", "1e-09"]]
