"""Figures of stability: over users, against depth, by group of instances."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import plotly.graph_objects as go

from recbole_finest.evaluator.statistics.paired import per_user
from recbole_finest.report.labels import label, measure_label
from recbole_finest.report.run.blocks import blocks
from recbole_finest.report.run.contents import Report
from recbole_finest.report.style import Figure, Styles, figure

POINTS = 400  # of a distribution's curve: the file must not grow with the number of users


def distributions(report: Report, styles: Styles) -> Iterator[Figure]:
    """Cumulative distribution of the users' stability, for two measures."""
    for measure, block in product(
        dict.fromkeys([report.measure, f"rbo@{report.k}"]), blocks(report, report.methods)
    ):
        traces = [
            _cumulative(per_user(report.pairs[name].values[measure], report.users), name, styles)
            for name in block.names
            if measure in report.pairs[name].values
        ]
        if traces:
            shown = measure_label(measure)
            plot = figure(traces, f"{shown} of a user's two lists", "users at or below (%)")
            plot.update_xaxes(range=[-0.02, 1.02])
            plot.update_yaxes(range=[-2, 102])
            note = (
                "Each curve says what share of the users have a stability of at most x; the further "
                "right and the lower, the better, and the left end shows the users who suffer most."
            )
            name = f"users-{measure.split('@')[0]}"
            yield block.figure(name, "stability", f"Users by {shown}", note, plot)


def _cumulative(values: np.ndarray, name: str, styles: Styles) -> go.Scatter:
    ordered = np.sort(values)
    share = 100 * np.arange(1, len(ordered) + 1) / len(ordered)
    last = np.append(ordered[1:] != ordered[:-1], True)  # of equal values the last one counts
    ordered, share = ordered[last], share[last]
    if len(ordered) > POINTS:
        kept = np.linspace(0, len(ordered) - 1, POINTS).round().astype(int)
        ordered, share = ordered[kept], share[kept]
    return go.Scatter(
        x=[float(ordered[0]), *ordered.tolist(), 1.0],
        y=[0.0, *share.tolist(), 100.0],
        mode="lines",
        name=label(name),
        line={**styles.line(name), "shape": "hv"},
        hovertemplate="%{y:.1f} % of users at or below %{x:.3f}",
    )


def depth(report: Report, styles: Styles) -> Iterator[Figure]:
    """Mean Jaccard index against the depth of the lists."""
    for block in blocks(report, report.pairs):
        traces = [
            go.Scatter(
                x=list(report.pairs[name].by_depth),
                y=list(report.pairs[name].by_depth.values()),
                mode="lines+markers",
                name=label(name),
                line=styles.line(name),
                marker={**styles.marker(name), "size": 6},
                hovertemplate="top %{x}: %{y:.3f}",
            )
            for name in block.names
        ]
        plot = figure(traces, "list depth k (items, logarithmic)", "mean Jaccard@k")
        plot.update_xaxes(type="log", tickvals=[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000])
        plot.update_yaxes(rangemode="tozero")
        note = (
            "How much of the top k survives the perturbation, from the first place to whole lists."
        )
        yield block.figure("depth", "stability", "Stability against depth", note, plot)


def slices(report: Report, styles: Styles) -> Iterator[Figure]:
    """Stability by group of instances, one figure for each way to divide them."""
    for (number, sliced), block in product(
        enumerate(report.slices), blocks(report, report.methods)
    ):
        groups = sliced.groups
        ticks = [f"{group}<br>n = {found['n']}" for group, found in groups.items()]
        traces = []
        for place, name in enumerate(block.names):
            rows = [found["metrics"][name] for found in groups.values()]
            shift = min(0.16, 0.8 / len(block.names)) * (place - (len(block.names) - 1) / 2)
            traces.append(_group_means(rows, shift, name, styles))
        plot = figure(traces, sliced.axis, f"mean {measure_label(report.measure)}")
        plot.update_xaxes(
            tickvals=list(range(len(ticks))), ticktext=ticks, range=[-0.5, len(ticks) - 0.5]
        )
        note = "Mean stability of each group with its bootstrap 95 % interval over users."
        yield block.figure(f"slice-{number}", "slices", sliced.title, note, plot)


def _group_means(
    rows: list[dict[str, float]], shift: float, name: str, styles: Styles
) -> go.Scatter:
    """One method's means by group, beside those of the others."""
    return go.Scatter(
        x=[i + shift for i in range(len(rows))],
        y=[row["mean"] for row in rows],
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [_reach(row["high"], row["mean"]) for row in rows],
            "arrayminus": [_reach(row["mean"], row["low"]) for row in rows],
            "thickness": 1.5,
            "width": 5,
        },
        mode="markers",
        name=label(name),
        marker=styles.marker(name),
        hovertemplate="%{y:.3f}",
    )


def _reach(high: float, low: float) -> float:
    """Length of an error bar; none where the interval is not known."""
    return max(0.0, high - low) if np.isfinite(high - low) else 0.0
