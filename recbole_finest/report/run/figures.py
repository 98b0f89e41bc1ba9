"""All figures of a report, drawn by Plotly."""

from __future__ import annotations

from recbole_finest.report.run import change_figures, replicate_figures, stability_figures
from recbole_finest.report.run.contents import Report
from recbole_finest.report.style import Figure, Styles


def make_figures(report: Report) -> list[Figure]:
    """All figures that the run has data for, in the order of the page."""
    styles = Styles([*report.methods, *(n for n in report.pairs if n not in report.methods)])
    makers = (
        stability_figures.distributions,
        stability_figures.depth,
        replicate_figures.replicate_figure,
        stability_figures.slices,
        change_figures.movements,
        change_figures.curves,
    )
    return [found for make in makers for found in make(report, styles)]
