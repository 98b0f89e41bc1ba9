"""A table of the report, once, and the forms in which it is written."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from tabulate import tabulate

from recbole_finest.files import write_text

NOTHING = "–"


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        name: stem of its files.
        title: its heading.
        note: what it shows, in plain words.
        frame: the values, unrounded, one observation a row; this is the CSV file.
        shown: the same as people read it, all text; this is the HTML, Markdown and LaTeX.
        grouped: whether rows of the same first cell belong together.
    """

    name: str
    title: str
    note: str
    frame: pd.DataFrame
    shown: pd.DataFrame
    grouped: bool = False

    @property
    def header(self) -> list[str]:
        return [str(column) for column in self.shown.columns]

    @property
    def rows(self) -> list[list[str]]:
        """The cells as text."""
        return self.shown.astype(str).to_numpy().tolist()

    @property
    def groups(self) -> dict[str, list[list[str]]]:
        """The rows by their first cell, without it; all under ``""`` where they are not grouped."""
        if not self.grouped:
            return {"": self.rows}
        found: dict[str, list[list[str]]] = {}
        for first, *rest in self.rows:
            found.setdefault(first, []).append(rest)
        return found

    def markdown(self) -> str:
        """As a table in Markdown; what would be markup in a cell is escaped."""
        rows = [[escape_markdown(cell) for cell in row] for row in self.rows]
        header = [escape_markdown(cell) for cell in self.header]
        return tabulate(rows, header, tablefmt="pipe", disable_numparse=True)

    def latex(self) -> str:
        """As a ``tabular`` of the LaTeX package booktabs, without a float around it."""
        return tabulate(self.rows, self.header, tablefmt="latex_booktabs", disable_numparse=True)

    def save(self, folder: Path) -> None:
        """Write ``<name>.csv`` and ``<name>.tex``."""
        write_text(folder / f"{self.name}.csv", csv_text(self.frame))
        write_text(folder / f"{self.name}.tex", self.latex() + "\n")


def csv_text(frame: pd.DataFrame) -> str:
    """A table as CSV in which no text is a formula to a spreadsheet.

    What begins with ``=``, ``+``, ``-``, ``@``, a tab or the end of a line and is no number gets an
    apostrophe before it (OWASP, "CSV Injection").
    """
    shown = frame.map(_no_formula) if hasattr(frame, "map") else frame.applymap(_no_formula)
    return shown.rename(columns=_no_formula).to_csv(index=False)


def _no_formula(cell: object) -> Any:
    if not isinstance(cell, str):
        return cell
    begins = cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    if begins and not re.fullmatch(r"[-+][\d.]+(e[-+]?\d+)?", cell):
        cell = f"'{cell}"
    return cell.replace("\r", " ")  # not quoted by pandas, and the end of a row elsewhere


def escape_markdown(text: str) -> str:
    """Text that Markdown shows as it is, also within a table; no emphasis, link or element."""
    text = re.sub(r"[\\|*_`]", r"\\\g<0>", text)
    text = re.sub(r"\](?=[(\[])", r"\]", text)
    text = re.sub(r"&(?=#?\w+;)", "&amp;", text)
    return " ".join(re.sub(r"<(?=[A-Za-z/!?])", "&lt;", text).split())


def number(value: float | None, digits: int = 4) -> str:
    """A number with a fixed number of decimals; a dash where there is none."""
    missing = value is None or math.isnan(value)
    return NOTHING if missing else f"{value:.{digits}f}"  # type: ignore[str-format]


def signed(value: float, digits: int = 4) -> str:
    """A difference, its sign always shown."""
    return NOTHING if math.isnan(value) else f"{value:+.{digits}f}"


def estimate(mean: float | None, low: float, high: float, digits: int = 4) -> str:
    """A mean and its interval: ``0.576 [0.565, 0.586]``."""
    if math.isnan(low) or math.isnan(high):
        return number(mean, digits)
    return f"{number(mean, digits)} [{low:.{digits}f}, {high:.{digits}f}]"


def per_cent(share: float, digits: int = 0) -> str:
    """A share as per cent."""
    return NOTHING if math.isnan(share) else f"{round(100 * share, digits) + 0.0:.{digits}f} %"


def p_value(value: float) -> str:
    """A p-value to three decimals."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
