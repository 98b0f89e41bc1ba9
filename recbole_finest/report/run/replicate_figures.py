"""The figure of several seeds and test perturbations."""

from __future__ import annotations

from collections.abc import Iterator

import plotly.graph_objects as go

from recbole_finest.evaluator.statistics.replicates import values
from recbole_finest.report.labels import label, measure_label
from recbole_finest.report.run.blocks import blocks
from recbole_finest.report.run.contents import Report
from recbole_finest.report.run.replicates import rows_of
from recbole_finest.report.style import Figure, Styles, figure


def replicate_figure(report: Report, styles: Styles) -> Iterator[Figure]:
    """A point for every pair of seed and perturbation, lines joining what belongs to one pair."""
    rows = rows_of(report)
    names = [m for m in report.methods if rows and m in rows[0]["stability"]]
    if not names or report.measure not in rows[0]["stability"][names[0]]:
        return
    shown = measure_label(report.measure)
    note = "One point a pair of training seed and test perturbation; a line joins the methods of one pair."
    for block in blocks(report, names):
        plot = figure(_traces(report, block.names, styles), "method", f"mean {shown}")
        yield block.figure("replicates", "replicates", f"{shown} of every pair", note, plot)


def _traces(report: Report, names: list[str], styles: Styles) -> list[go.Scatter]:
    rows = rows_of(report)
    traces = [
        go.Scatter(
            x=[label(name) for name in names],
            y=[row["stability"][name][report.measure] for name in names],
            mode="lines",
            line={"color": "#b6bec8", "width": 1},
            showlegend=False,
            hoverinfo="skip",
        )
        for row in rows
    ]
    words = [f"seed {row['seed']}, perturbation {row['perturbation_seed']}" for row in rows]
    return traces + [
        go.Scatter(
            x=[label(name)] * len(rows),
            y=values(rows, "stability", name, report.measure).ravel().tolist(),
            text=words,
            mode="markers",
            marker=styles.marker(name),
            name=label(name),
            hovertemplate="%{text}: %{y:.4f}",
        )
        for name in names
    ]
