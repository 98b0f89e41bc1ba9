"""``report.md``: the report's sentences and tables."""

from __future__ import annotations

from collections.abc import Mapping

from recbole_finest.report.labels import label
from recbole_finest.report.run.command import SAME_RUN, repeating_command
from recbole_finest.report.run.contents import Report
from recbole_finest.report.run.examples import Example
from recbole_finest.report.run.headline import headline
from recbole_finest.report.table import Table, escape_markdown, number

LEFT_OUT = ("depth", "movement", "examples")  # a figure or lists side by side show these better


def markdown_report(report: Report, tables: Mapping[str, Table]) -> str:
    """The report as Markdown."""
    result = report.result
    title = f"# {escape_markdown(result['model'])} on {escape_markdown(result['dataset'])}"
    parts = [title, *(f"- {escape_markdown(sentence)}" for sentence in headline(report))]
    order = [name for name in tables if name != "run" and name not in LEFT_OUT]
    text = "\n\n".join([parts[0], "\n".join(parts[1:])])
    for name in order:
        text += _section(tables[name])
    if report.examples:
        text += "\n\n## Examples\n\n" + "\n\n".join(_example(report, e) for e in report.examples)
    return text + _section(tables["run"]) + _command(report) + "\n"


def _command(report: Report) -> str:
    command = " ".join(repeating_command(report.settings))
    code = command.replace("\n", "\n    ")  # all of it in the block of code
    return f"\n\n{SAME_RUN}\n\n    {code}" if command else ""


def _section(table: Table) -> str:
    return f"\n\n## {table.title}\n\n{escape_markdown(table.note)}\n\n{table.markdown()}"


def _example(report: Report, example: Example) -> str:
    values = ", ".join(f"{report.asked(n)} {number(v, 2)}" for n, v in example.values.items())
    words = (
        f"{example.group.capitalize()} changed: user {example.user}, {report.measure} {values}; true "
        f"next item {example.target.name}"
    )
    header = ["", *(label(name) for name in example.columns)]
    longest = max(len(entries) for entries in example.columns.values())
    lines = [header, ["---:", *("---" for _ in example.columns)]]
    for i in range(longest):
        cells = [
            escape_markdown(f"{e[i].name} ({e[i].note})" if e[i].note else e[i].name)
            if i < len(e)
            else ""
            for e in example.columns.values()
        ]
        lines.append([str(i + 1), *cells])
    rows = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"**{escape_markdown(words)}**\n\n{rows}"
