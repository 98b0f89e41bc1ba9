"""The leaderboard's figures: stability against accuracy, with the Pareto front."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from recbole_finest.evaluator.statistics.estimates import Estimate
from recbole_finest.evaluator.statistics.pareto import pareto_front
from recbole_finest.report.labels import measure_label
from recbole_finest.report.leaderboard.blocks import Block, board_name
from recbole_finest.report.leaderboard.measures import Keys
from recbole_finest.report.leaderboard.rows import Row
from recbole_finest.report.style import COLOURS, SYMBOLS, Figure, figure

DRAWN, ENTRY = (
    330,
    22,
)  # pixels: the drawing, and an entry of the legend, which a phone shows one a row


def trade_off(
    block: Block, keys: Keys, places: Mapping[str, int], left_out: Container[str] = ()
) -> Figure | None:
    """One point a method: accuracy change against instability removed; None without points.

    Args:
        block: the methods.
        keys: what is shown.
        places: each method's marker, the same in all figures.
        left_out: methods that have a figure of their own.
    """
    rows = [row for row in block.rows if known(row) and row.method not in left_out]
    if len(rows) < 2:
        return None
    traces = [_front(rows), *(_point(row, places[row.method]) for row in rows)]
    plot = figure(
        traces,
        f"{measure_label(keys.accuracy[0])} change against none (%)",
        "instability removed (%)",
        DRAWN + ENTRY * len(traces),
    )
    base = "base, which is retrained alone," if block.reference not in block.rows else "none"
    return Figure(
        f"front-{block.name}",
        f"board-{board_name(block.dataset, block.shuffle_order)}",
        f"Stability against accuracy: {block.dataset}, {block.model}{block.words}",
        f"Further up is more stable (in {measure_label(keys.stability[0])}), further right more accurate; "
        f"{base} is at 0, 0. The line is the Pareto front: no method here beats those on it in both. Bars "
        "are 95 % intervals over replicates; accuracy is that of the side, clean or perturbed, that lost "
        "more.",
        plot,
    )


def known(row: Row) -> bool:
    """Whether a row has a point in the figure."""
    return row.removed.mean == row.removed.mean and row.accuracy_change.n > 0


def _front(rows: Sequence[Row]) -> go.Scatter:
    points = {row.method: (100 * row.accuracy_change.mean, 100 * row.removed.mean) for row in rows}
    names = pareto_front(points)
    return go.Scatter(
        x=[points[name][0] for name in names],
        y=[points[name][1] for name in names],
        mode="lines",
        name="Pareto front",
        line={"color": "#9aa4b2", "width": 2, "dash": "dash"},
        hoverinfo="skip",
    )


def _point(row: Row, place: int) -> go.Scatter:
    return go.Scatter(
        x=[100 * row.accuracy_change.mean],
        y=[100 * row.removed.mean],
        error_x=bar(row.accuracy_change),
        error_y=bar(row.removed),
        mode="markers",
        name=row.method,
        marker=marker(place),
        hovertemplate="accuracy %{x:+.1f} %<br>instability removed %{y:.0f} %",
    )


def marker(place: int) -> dict[str, Any]:
    """Colour and symbol of the method at a place; different for the first 36."""
    n = len(COLOURS)
    return {
        "color": COLOURS[place % n],
        "symbol": SYMBOLS[(place + place // n) % n],
        "size": 11,
    }


def bar(found: Estimate) -> dict[str, Any]:
    """An error bar in per cent; of no length where the interval is not known."""
    known = found.low == found.low and found.high == found.high
    return {
        "type": "data",
        "symmetric": False,
        "array": [100 * max(0.0, found.high - found.mean) if known else 0.0],
        "arrayminus": [100 * max(0.0, found.mean - found.low) if known else 0.0],
        "thickness": 1.2,
        "width": 4,
    }
