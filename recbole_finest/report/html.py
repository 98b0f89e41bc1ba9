"""``report.html``: one file that opens offline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recbole_finest.report.contents import Report
from recbole_finest.report.examples import Example
from recbole_finest.report.headline import headline
from recbole_finest.report.labels import label
from recbole_finest.report.style import CONFIG, Figure
from recbole_finest.report.table import Table, number

TEMPLATE = Path(__file__).with_name("template.html")
# The browser itself then refuses whatever is not in the file.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; base-uri 'none'; form-action 'none'"
)
WORDS = ("models", "model", "measure", "metric", "what", "value", "slice", "group")  # not numbers


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
    )


def render(template: Path, **values: Any) -> str:
    """Fill a template; the templates beside this file can be included from any folder.

    The policy that keeps the browser from fetching and Plotly's script are given to every page.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from plotly.offline import get_plotlyjs

    page = Environment(
        loader=FileSystemLoader([template.parent, TEMPLATE.parent]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template(template.name)
    return page.render(policy=POLICY, plotly=get_plotlyjs(), **values)


def by_section(figures: Sequence[Figure]) -> dict[str, list[tuple[Figure, str]]]:
    """The figures and their elements by section of the page."""
    sections: dict[str, list[tuple[Figure, str]]] = {}
    for figure in figures:
        sections.setdefault(figure.section, []).append((figure, _plot(figure)))
    return sections


def _plot(figure: Figure) -> str:
    """The figure's element and script; Plotly writes < and > in texts as escapes."""
    import plotly.io

    height = f"{figure.plot.layout.height}px"
    return plotly.io.to_html(
        figure.plot,
        config=CONFIG,
        include_plotlyjs=False,
        full_html=False,
        div_id=f"figure-{figure.name}",
        default_height=height,
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
