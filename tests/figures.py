"""The tables of a Markdown page, and what a committed record says of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from recbole_finest.report.leaderboard.contents import make_board
from recbole_finest.report.leaderboard.records import read_benchmark
from recbole_finest.report.run.summary_table import summary_table

MARK = re.compile(r"<!-- record: (\S+) (\S+) -->")
FIGURE = re.compile(r"[(<≤≥+−-]*\s?\d[\d.,]*(\s?(%|×|s\b|GiB|MiB|\(|\[|±|/|,).*)?")


@dataclass(frozen=True)
class Table:
    """A table of a page.

    Attributes:
        heading: the heading above it, without its ``#``.
        cells: its cells as text, the header's row first.
        record: path of the record and name of the table there, or None.
    """

    heading: str
    cells: list[list[str]]
    record: tuple[str, str] | None = None

    @property
    def measured(self) -> bool:
        """Whether a cell is a figure."""
        return any(FIGURE.fullmatch(cell) for row in self.cells[1:] for cell in row)

    def column(self, name: str) -> list[str]:
        """The cells below the header's cell of this name."""
        place = self.cells[0].index(name)
        return [row[place] for row in self.cells[1:]]


def tables_of(text: str) -> Iterator[Table]:
    """The tables of a page, in its order; code blocks are left out.

    A table made from a record stands below a comment that names it and the table there:
    ``<!-- record: docs/records/small/records.json board-ml-100k-stable-alone -->``, or
    ``<!-- record: docs/records/demo/result.json anchored -->``.
    """
    text = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    heading, record, lines = "", None, []
    for line in [*text.splitlines(), ""]:
        if line.lstrip().startswith("|"):
            lines.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]])
            continue
        if lines:
            yield Table(heading, [lines[0], *lines[2:]], record)  # without the line of dashes
            lines, record = [], None
        if line.startswith("#"):
            heading = line.lstrip("# ")
        if found := MARK.fullmatch(line.strip()):
            record = (found[1], found[2])


def of_record(root: Path, record: tuple[str, str]) -> list[list[str]]:
    """The cells that the record gives: a leaderboard's table by name, or a run's block by question."""
    path, name = root / record[0], record[1]
    if path.name == "records.json":
        text = make_board(read_benchmark(path.parent)).tables[name].markdown()
    else:
        blocks = summary_table(json.loads(path.read_text(encoding="utf-8"))).split("\n\n")
        words = {"alone": "Retrained alone", "anchored": "Knowing the deployed model"}[name]
        text = next(block for block in blocks if block.startswith(words))
    (found,) = tables_of(text)
    return found.cells


def differences(root: Path, table: Table) -> list[str]:
    """What stands in a table otherwise than in its record, one sentence each."""
    assert table.record is not None
    wanted = of_record(root, table.record)
    if [len(row) for row in wanted] != [len(row) for row in table.cells]:
        return [f"{table.heading}: other rows or columns than {table.record}"]
    return [
        f"{table.heading}: {shown!r} where {table.record} has {cell!r}"
        for row, line in zip(wanted, table.cells)
        for cell, shown in zip(row, line)
        if cell != shown
    ]
