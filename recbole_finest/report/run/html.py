"""``report.html``: one file that opens offline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recbole_finest.report.labels import label
from recbole_finest.report.page import WORDS, by_section, render
from recbole_finest.report.run.command import SAME_RUN, repeating_command
from recbole_finest.report.run.contents import Report
from recbole_finest.report.run.examples import Example
from recbole_finest.report.run.headline import headline
from recbole_finest.report.style import Figure
from recbole_finest.report.table import Table, number

TEMPLATE = Path(__file__).with_name("template.html")


def html_report(report: Report, tables: Mapping[str, Table], figures: Sequence[Figure]) -> str:
    """The whole page: style, script, tables and figures inline; every text escaped."""
    return render(
        TEMPLATE,
        report=report,
        headline=headline(report),
        tables=tables,
        figures=by_section(figures),
        examples=_grouped(report.examples),
        label=label,
        number=number,
        words=WORDS,
        command=repeating_command(report.settings),
        same_run=SAME_RUN,
    )


def _grouped(examples: Sequence[Example]) -> dict[str, list[dict[str, Any]]]:
    """The examples by group, their lists turned into rows: one row a rank."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for example in examples:
        longest = max(len(entries) for entries in example.columns.values())
        rows = [
            [entries[i] if i < len(entries) else None for entries in example.columns.values()]
            for i in range(longest)
        ]
        groups.setdefault(example.group, []).append({"example": example, "rows": rows})
    return groups
