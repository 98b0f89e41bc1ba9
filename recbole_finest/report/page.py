"""A page that opens offline: template, figures and Plotly's script in one file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recbole_finest.report.style import CONFIG, Figure

# The browser itself then refuses whatever is not in the file.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; base-uri 'none'; form-action 'none'"
)
WORDS = ("models", "model", "measure", "metric", "what", "value", "slice", "group")  # not numbers


def render(template: Path, **values: Any) -> str:
    """Fill a template; the templates beside this file can be included from any folder.

    The policy that keeps the browser from fetching and Plotly's script are given to every page.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from plotly.offline import get_plotlyjs

    page = Environment(
        loader=FileSystemLoader([template.parent, Path(__file__).parent]),
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
        div_id=re.sub(r"[^\w-]+", "-", f"figure-{figure.name}"),  # it is put in as it is
        default_height=height,
    )
