"""The part of the leaderboard about a sweep: trade-off curves and the recommended setting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from recbole_finest.benchmark.grid.sweep import MAX_ACCURACY_LOSS
from recbole_finest.report.labels import measure_label
from recbole_finest.report.leaderboard import cells
from recbole_finest.report.leaderboard.blocks import Block, board_name
from recbole_finest.report.leaderboard.figures import DRAWN, ENTRY, bar, known, marker
from recbole_finest.report.leaderboard.measures import Keys
from recbole_finest.report.leaderboard.recommend import (
    Variants,
    recommend,
    swept_methods,
)
from recbole_finest.report.leaderboard.rows import Row
from recbole_finest.report.questions import in_words
from recbole_finest.report.style import Figure, figure
from recbole_finest.report.table import NOTHING, Table, per_cent

# of a value beside its point: curves meet at the default
CORNERS = ("top right", "bottom right", "top left", "bottom left")


def max_loss(grid: Mapping[str, Any]) -> float:
    """The share of accuracy that a recommended setting may cost."""
    given = grid.get("max_accuracy_loss")
    return MAX_ACCURACY_LOSS if given is None else float(given)


def rule(keys: Keys, loss: float) -> str:
    """How the recommended setting is chosen, in words."""
    return (
        f"The recommended setting is the one that removes most instability "
        f"({measure_label(keys.stability[0])}) among those whose {measure_label(keys.accuracy[0])} is not "
        f"more than {per_cent(loss, 1)} below that of none, on the clean and on the perturbed log; of "
        "equals, to a tenth of a per cent, the one that is cheaper to train. It is chosen by the same "
        "figures that it is shown with, which flatters it."
    )


def sweep_table(blocks: Sequence[Block], variants: Variants, keys: Keys, loss: float) -> Table:
    """The recommended setting for all models together and for each."""
    rows = [
        {"block": block, "method": method, "row": recommend(members, loss)}
        for block in blocks
        for method, members in swept_methods(block.rows, variants).items()
    ]
    texts = [_shown(found, keys) for found in rows]
    frame = pd.DataFrame(texts).fillna(NOTHING)
    first = blocks[0]
    place = board_name(first.dataset, first.shuffle_order)
    title = f"Recommended setting: {first.dataset}, shuffle order {first.shuffle_order}"
    return Table(f"sweep-{place}", title, rule(keys, loss), frame, frame)


def _shown(found: Mapping[str, Any], keys: Keys) -> dict[str, str]:
    row: Row | None = found["row"]
    block = found["block"]
    texts = {"model": block.model, "method": found["method"]}
    texts |= {"question": block.question} if block.both else {}
    if row is None:
        return {**texts, "recommended": "none keeps accuracy"}
    return {
        **texts,
        "recommended": row.method,
        "instability removed, %": cells.removed(row.removed),
        f"{measure_label(keys.accuracy[0])} change, %": cells.per_cent(row.accuracy_change),
        "training cost": cells.ratio(row.cost),
    }


def recommendations(block: Block, variants: Variants, keys: Keys, loss: float) -> Iterator[str]:
    """The recommended settings of one block in sentences."""
    place = block.place
    metric = measure_label(keys.accuracy[0])
    for method, members in swept_methods(block.rows, variants).items():
        row = recommend(members, loss)
        if row is None:
            yield (
                f"Recommended setting of {method} on {place}: none of {len(members)} loses at most "
                f"{per_cent(loss, 1)} of {metric}."
            )
            continue
        yield (
            f"Recommended setting of {method} on {place}: {row.method}, the best of {len(members)}; it "
            f"{in_words(row.removed.mean, row.removed.low, row.removed.high)} while "
            f"{metric} changes by {cells.per_cent(row.accuracy_change)} %."
        )


def sweep_figures(block: Block, variants: Variants, keys: Keys, loss: float) -> Iterator[Figure]:
    """One figure a swept method: a curve for each setting that was varied alone."""
    place = board_name(block.dataset, block.shuffle_order)
    for method, members in swept_methods(block.rows, variants).items():
        rows = [row for row in members if known(row)]
        if not rows:
            continue
        traces = [*_curves(rows, variants), *_others(rows, variants), *_ring(recommend(rows, loss))]
        plot = figure(
            traces,
            f"{measure_label(keys.accuracy[0])} change against none (%)",
            "instability removed (%)",
            DRAWN + ENTRY * len(traces),
        )
        plot.add_vline(x=-100 * loss, line={"color": "#9aa4b2", "width": 1.5, "dash": "dash"})
        yield Figure(
            board_name("sweep", block.name, method),
            f"sweep-{place}",
            f"Trade-off of {method}: {block.dataset}, {block.model}{block.words}",
            "Each curve varies one setting, the others at their defaults; the numbers are its values. "
            f"What is left of the dashed line costs more than {per_cent(loss, 1)} of accuracy; the "
            "recommended setting is ringed. Bars are 95 % intervals over replicates.",
            plot,
        )


def _curves(rows: Sequence[Row], variants: Variants) -> Iterator[go.Scatter]:
    by_setting: dict[str, list[tuple[Any, Row]]] = {}
    for row in rows:
        settings = _settings(row, variants)
        if len(settings) == 1:
            ((name, value),) = settings.items()
            by_setting.setdefault(name, []).append((value, row))
    for place, (name, points) in enumerate(by_setting.items()):
        ordered = _ordered(points)
        yield _points(
            [row for _, row in ordered],
            name,
            marker(place),
            mode="lines+markers+text",
            text=[str(value) for value, _ in ordered],
            textposition=CORNERS[place % len(CORNERS)],
            cliponaxis=False,
            line={"color": marker(place)["color"], "width": 1.5},
        )


def _settings(row: Row, variants: Variants) -> dict[str, Any]:
    return variants[row.method].settings if row.method in variants else {}


def _ordered(points: list[tuple[Any, Row]]) -> list[tuple[Any, Row]]:
    """By value where the values are numbers, as they come otherwise."""
    if all(isinstance(value, (int, float)) for value, _ in points):
        return sorted(points, key=lambda point: point[0])
    return points


def _others(rows: Sequence[Row], variants: Variants) -> Iterator[go.Scatter]:
    """The default, and combinations of several settings."""
    default = [row for row in rows if not _settings(row, variants)]
    several = [row for row in rows if len(_settings(row, variants)) > 1]
    if default:
        style = {"color": "#000000", "symbol": "star", "size": 13}
        yield _points(default, f"{default[0].method}, default settings", style)
    if several:
        style = {"color": "#56606e", "symbol": "circle", "size": 9}
        yield _points(several, "combinations (point at one to see it)", style)


def _ring(row: Row | None) -> Iterator[go.Scatter]:
    if row is not None:
        style = {"color": "#1c2430", "symbol": "circle-open", "size": 24, "line": {"width": 2}}
        ring = _points([row], f"recommended: {row.method}", style)
        yield ring.update(error_x=None, error_y=None, hoverinfo="skip", hovertemplate=None)


def _points(
    rows: Sequence[Row], name: str, style: Mapping[str, Any], mode: str = "markers", **more: Any
) -> go.Scatter:
    return go.Scatter(
        x=[100 * row.accuracy_change.mean for row in rows],
        y=[100 * row.removed.mean for row in rows],
        error_x=_bars([bar(row.accuracy_change) for row in rows]),
        error_y=_bars([bar(row.removed) for row in rows]),
        mode=mode,
        name=name,
        marker=dict(style),
        customdata=[row.method for row in rows],
        hovertemplate="%{customdata}<br>accuracy %{x:+.1f} %<br>instability removed %{y:.0f} %",
        **more,
    )


def _bars(bars: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The error bars of several points as those of one trace."""
    ends = {end: [length for one in bars for length in one[end]] for end in ("array", "arrayminus")}
    return {**bars[0], **ends}
