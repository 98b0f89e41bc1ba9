"""Figures of change: over the epochs of fine-tuning, and of the places of items."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import plotly.graph_objects as go

from recbole_finest.names import PERTURBED
from recbole_finest.report.labels import label, measure_label
from recbole_finest.report.run.blocks import FigureBlock
from recbole_finest.report.run.contents import Report
from recbole_finest.report.style import Figure, Styles, figure


def curves(report: Report, styles: Styles) -> Iterator[Figure]:
    """Validation accuracy and similarity to base's lists, by epoch of fine-tuning."""
    shown = [name for name in report.methods if name != "base" and report.curves.get(name)]
    known = set().union(*(row for name in shown for row in report.curves[name])) if shown else set()
    accuracy = next(
        (f"{m}@{report.k}" for m in ("ndcg", "mrr") if f"{m}@{report.k}" in known), None
    )
    notes = {
        accuracy: "Next-item accuracy on the validation instances after each epoch of fine-tuning.",
        report.measure: (
            "How much the lists on the validation instances still agree with those of base on the clean "
            "log, which both sides are compared with."
        ),
    }
    chosen = [m for m in (accuracy, report.measure) if m in known]
    for metric, (asked, names) in product(chosen, report.blocks(shown).items()):
        sides = [s for n in names for s in (n, n + PERTURBED) if report.curves.get(s)]
        traces = [_curve(report, name, str(metric), styles) for name in sides]
        words = measure_label(str(metric))
        plot = figure(traces, "epoch of fine-tuning", f"{words} (validation)")
        last = max((x for trace in traces for x in trace.x), default=1)
        plot.update_xaxes(tick0=0, dtick=max(1, round(last / 10)))  # whole epochs, and
        plot.update_xaxes(range=[0.5, last + 0.5])  # only those that there were
        title = "Accuracy by epoch" if metric == accuracy else "Similarity to base by epoch"
        block = FigureBlock(asked, report.words(asked), names)
        yield block.figure(
            f"curve-{str(metric).split('@')[0]}", "curves", title, notes[metric], plot
        )


def _curve(report: Report, name: str, metric: str, styles: Styles) -> go.Scatter:
    rows = [row for row in report.curves[name] if metric in row]
    method, other_side = name.replace(PERTURBED, ""), name.endswith(PERTURBED)
    return go.Scatter(
        x=[int(row["epoch"]) + 1 for row in rows],
        y=[row[metric] for row in rows],
        mode="lines+markers",
        name=label(name),
        line={**styles.line(method), "dash": "dot" if other_side else "solid"},
        marker={**styles.marker(method), "size": 6},
        hovertemplate="epoch %{x}: %{y:.4f}",
    )


def movements(report: Report, styles: Styles) -> Iterator[Figure]:
    """Where the items of the lists went, for base and finest."""
    for name in ("base", "finest"):
        if name not in report.pairs:
            continue
        found = report.pairs[name].movement
        shares = 100 * found.shares
        heat = go.Heatmap(
            x=found.after,
            y=found.before,
            z=shares.tolist(),
            text=[[f"{v:.0f}" if v >= 0.5 else "" for v in row] for row in shares],
            texttemplate="%{text}",
            textfont={"size": 12},
            colorscale="Blues",
            zmin=0,
            zmax=100,
            showscale=False,
            xgap=1,
            ygap=1,
            hovertemplate="rank %{y} before, %{x} after: %{z:.1f} % of items",
        )
        plot = figure([heat], "rank after the perturbation", "rank before", height=400)
        plot.update_xaxes(type="category", tickangle=-45)
        plot.update_yaxes(type="category", autorange="reversed")
        note = (
            "Of the items that stood at a rank before, per cent that stand at each rank after; a model "
            "that changed nothing would have 100 on the diagonal."
        )
        title = f"Items of {report.asked(name)}"
        yield Figure(f"movement-{name}", "movement", title, note, plot)
