"""Write the leaderboard of a benchmark into its folder."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from tabulate import tabulate

from recbole_finest.errors import CONTINUES, kept
from recbole_finest.files import write_text
from recbole_finest.report.labels import label, measure_label
from recbole_finest.report.leaderboard import cells
from recbole_finest.report.leaderboard.blocks import make_blocks
from recbole_finest.report.leaderboard.contents import Board, make_board
from recbole_finest.report.leaderboard.measures import Keys, shown_keys
from recbole_finest.report.leaderboard.questions import with_keep
from recbole_finest.report.leaderboard.records import from_contents, read_benchmark
from recbole_finest.report.leaderboard.rows import Row
from recbole_finest.report.leaderboard.tables import flat_rows
from recbole_finest.report.page import WORDS, by_section, render
from recbole_finest.report.table import csv_text, escape_markdown, number
from recbole_finest.seeding import generator

TEMPLATE = Path(__file__).with_name("leaderboard.html")
TITLE = "Leaderboard"


def write_leaderboard(output_dir: str | os.PathLike[str]) -> Path:
    """Write ``leaderboard.md``, ``.html``, ``.tex`` and ``.csv`` from a benchmark's ``records.json``.

    The CSV holds one row for each data set, shuffle order, model (and all models) and method,
    unrounded; the other three hold the same sentences and tables.

    Args:
        output_dir: the benchmark's folder.

    Returns:
        The path of ``leaderboard.md``.

    Raises:
        UserError: the folder holds no finished benchmark, its files are damaged, or it cannot be
            written.
    """
    folder = Path(output_dir)
    board = make_board(read_benchmark(folder))
    rows = [row for block in board.blocks for row in flat_rows(block)]
    with kept("output_dir", folder, CONTINUES):
        write_text(folder / "leaderboard.csv", csv_text(pd.DataFrame(rows)))
        write_text(folder / "leaderboard.tex", _latex(board))
        write_text(folder / "leaderboard.html", _page(board))
        write_text(folder / "leaderboard.md", _markdown(board))
    return folder / "leaderboard.md"


def main_table(records: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> str:
    """The leaderboard in short, to be printed: the models of each data set together.

    Args:
        records: the contents of ``records.json``, or its list ``records`` alone.
    """
    contents = records if isinstance(records, Mapping) else {"records": records}
    bench = from_contents(contents)
    keys = shown_keys(bench.trainings)
    settings = bench.grid.get("method_settings") or {}
    rng = generator(0, "leaderboard")
    tables = []
    trainings = with_keep(bench.trainings)
    blocks = list(make_blocks(trainings, keys, settings, rng, each_model=False))
    for block in blocks:
        lines = [_line(row, keys) for row in [*block.rows, *block.controls]]
        title = f"{block.dataset}, shuffle order {block.shuffle_order}, {block.model}"
        table = tabulate(lines, headers="keys", tablefmt="github", disable_numparse=True)
        tables.append(f"{title}{block.words}\n{table}")
    rows = [row for block in blocks for row in block.rows]
    metric = measure_label(keys.accuracy[0]) if keys.accuracy else "accuracy"
    return "\n\n".join([*tables, *cells.notes(rows, metric)])


def _line(row: Row, keys: Keys) -> dict[str, str]:
    """A row in short."""
    return {
        "method": cells.method(row, label(row.method)),
        "n": str(row.n),
        **{measure_label(k): number(row.accuracy[k].mean) for k in keys.accuracy[:1]},
        "change, %": cells.per_cent(row.accuracy_change, interval=False),
        **{measure_label(k): number(row.stability[k].mean) for k in keys.stability},
        "removed, %": cells.removed(row.removed),
        "training cost": cells.ratio(row.cost),
    }


def _markdown(board: Board) -> str:
    sentences = "\n".join(f"- {escape_markdown(sentence)}" for sentence in board.sentences)
    parts = [f"# {TITLE}", sentences]
    for heading, (_, names) in board.sections.items():
        parts.append(f"## {escape_markdown(heading)}")
        for name in names:
            table = board.tables[name]
            if table.title != heading:
                parts.append(f"### {escape_markdown(table.title)}")
            parts += [escape_markdown(table.note), table.markdown()]
    return "\n\n".join(parts) + "\n"


def _latex(board: Board) -> str:
    """One ``tabular`` (package booktabs) a table, its title as a comment before it."""
    return "\n\n".join(
        f"% {' '.join(table.title.split())}\n{table.latex()}" for table in board.tables.values()
    )


def _page(board: Board) -> str:
    return render(
        TEMPLATE,
        title=TITLE,
        sentences=board.sentences,
        sections=board.sections,
        tables=board.tables,
        figures=by_section(board.figures),
        words=(*WORDS, "method", "cell", "error", "setting", "recommended", "question"),
    )
