"""Figures of stability: over users, against depth, by group of instances."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import plotly.graph_objects as go

from recbole_finest.evaluator.statistics.paired import per_user
from recbole_finest.report.labels import label, measure_label
from recbole_finest.report.run.contents import Report
from recbole_finest.report.style import Figure, Styles, figure

POINTS = 400  # of a distribution's curve: the file must not grow with the number of users


def distributions(report: Report, styles: Styles) -> Iterator[Figure]:
    """Cumulative distribution of the users' stability, for two measures."""
    names = [name for name in report.methods if name in report.pairs]
    for measure in dict.fromkeys([report.measure, f"rbo@{report.k}"]):
        traces = [
            _cumulative(per_user(report.pairs[name].values[measure], report.users), name, styles)
            for name in names
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
            title = f"Users by {shown}"
            yield Figure(f"users-{measure.split('@')[0]}", "stability", title, note, plot)


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
    traces = [
        go.Scatter(
            x=list(pair.by_depth),
            y=list(pair.by_depth.values()),
            mode="lines+markers",
            name=label(name),
            line=styles.line(name),
            marker={**styles.marker(name), "size": 6},
            hovertemplate="top %{x}: %{y:.3f}",
        )
        for name, pair in report.pairs.items()
    ]
    if traces:
        plot = figure(traces, "list depth k (items, logarithmic)", "mean Jaccard@k")
        plot.update_xaxes(type="log", tickvals=[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000])
        plot.update_yaxes(rangemode="tozero")
        note = (
            "How much of the top k survives the perturbation, from the first place to whole lists."
        )
        yield Figure("depth", "stability", "Stability against depth", note, plot)


def slices(report: Report, styles: Styles) -> Iterator[Figure]:
    """Stability by group of instances, one figure for each way to divide them."""
    for number, sliced in enumerate(report.slices):
        groups = sliced.groups
        ticks = [f"{group}<br>n = {found['n']}" for group, found in groups.items()]
        names = [name for name in report.methods if name in report.pairs]
        traces = []
        for place, name in enumerate(names):
            rows = [found["metrics"][name] for found in groups.values()]
            shift = 0.16 * (place - (len(names) - 1) / 2)
            mean = [row["mean"] for row in rows]
            traces.append(
                go.Scatter(
                    x=[i + shift for i in range(len(rows))],
                    y=mean,
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
            )
        plot = figure(traces, sliced.axis, f"mean {measure_label(report.measure)}")
        plot.update_xaxes(
            tickvals=list(range(len(ticks))), ticktext=ticks, range=[-0.5, len(ticks) - 0.5]
        )
        note = "Mean stability of each group with its bootstrap 95 % interval over users."
        yield Figure(f"slice-{number}", "slices", sliced.title, note, plot)


def _reach(high: float, low: float) -> float:
    """Length of an error bar; none where the interval is not known."""
    return max(0.0, high - low) if np.isfinite(high - low) else 0.0
