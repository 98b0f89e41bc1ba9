"""The report of a replay: a table of the methods, figures over the nights, one page."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from tabulate import tabulate

from recbole_finest.errors import CONTINUES, kept
from recbole_finest.evaluator.statistics.replicates import crossed_interval
from recbole_finest.files import write_text
from recbole_finest.report.page import WORDS, by_section, render
from recbole_finest.report.style import Figure, Styles, figure
from recbole_finest.report.table import NOTHING, Table, escape_markdown, estimate, number, per_cent

TEMPLATE = Path(__file__).with_name("rolling.html")
GROUP = ["model", "served", "method"]
FIGURES = {
    "ndcg": ("Accuracy", "NDCG@{k} of the next period's items; further up is more accurate."),
    "churn_without_news": (
        "People without news",
        "Churn@{k} of people without an interaction in the period; further down they notice less.",
    ),
    "drift": (
        "Drift",
        "Churn@{k} against a full retraining of the same night; a line that rises drifts away.",
    ),
}
NOTE = (
    "Means over the nights, with 95 % intervals over seeds (Student's t) where there are several. "
    "Retrained alone: retrain_recbole, as RecBole does, and retrain, in the stable order. Anchored, "
    "knowing the deployed model: all others; keep trains never. Churn@{k} compares what people see "
    "before and after a night: people without an interaction in that period, and with one. "
    "NDCG@{k} and recall@{k}: the next period's items. New items: places given to items of that period. "
    "Drift: churn@{k} against retrain's lists on the first and on the last night. Cost: seconds of "
    "training over retrain's."
)
SERVED = {
    "everybody": "everybody gets new lists",
    "with_news": "only people with news get new lists",
}


def write_replay_report(found: Mapping[str, Any], folder: str | os.PathLike[str]) -> Path:
    """Write ``report.html`` and ``report.md`` of a replay.

    Args:
        found: the contents of ``records.json``.
        folder: of the replay.

    Returns:
        The page.

    Raises:
        UserError: it cannot be written.
    """
    asked, records = found["replay"], pd.DataFrame(found["records"])
    table, place = _table(records, asked["topk"]), Path(folder)
    title = f"Replay of {asked['dataset']}, {asked['periods']} nights"
    figures = [f for key in FIGURES for f in _figures(records, key, asked["topk"])]
    page = render(
        TEMPLATE,
        title=title,
        tables={"methods": table},
        figures=by_section(figures),
        words=(*WORDS, "method", "lists"),
    )
    text = f"# {title}\n\n{escape_markdown(table.note)}\n\n{table.markdown()}\n"
    with kept("output_dir", place, CONTINUES):
        write_text(place / "report.html", page)
        write_text(place / "report.md", text)
    return place / "report.html"


def replay_table(found: Mapping[str, Any]) -> str:
    """The table of methods, to be printed."""
    table = _table(pd.DataFrame(found["records"]), found["replay"]["topk"])
    return tabulate(table.rows, table.header, tablefmt="github", disable_numparse=True)


def _table(records: pd.DataFrame, k: int) -> Table:
    # as floats: a figure that nobody has is None
    figures = records.columns.difference([*GROUP, "seed", "night"])
    records = records.astype(dict.fromkeys(figures, float))
    frame, shown = [], []
    for keys, rows in records.groupby(GROUP, sort=False):
        names = dict(zip(GROUP, keys))
        by_seed = rows.groupby("seed")[list(figures)].mean()
        drift = [rows[rows.night == n].drift.mean() for n in (rows.night.min(), rows.night.max())]
        frame.append({**names, "seeds": len(by_seed), **by_seed.mean().to_dict()})
        shown.append(
            {
                "model": names["model"],
                "lists": SERVED[names["served"]],
                "method": names["method"],
                f"churn@{k} without news": _value(by_seed.churn_without_news),
                "with news": _value(by_seed.churn_with_news),
                f"NDCG@{k}": _value(by_seed.ndcg),
                f"recall@{k}": _value(by_seed.recall),
                "new items": per_cent(by_seed.new_items.mean(), 1),
                "drift, first to last": " to ".join(number(one, 3) for one in drift),
                "cost": f"{by_seed.cost.mean():.2f}" if by_seed.cost.notna().any() else NOTHING,
            }
        )
    note = NOTE.format(k=k)
    return Table("methods", "Methods", note, pd.DataFrame(frame), pd.DataFrame(shown))


def _value(seeds: pd.Series) -> str:
    low, high = crossed_interval(seeds.to_numpy()[:, None])
    return estimate(float(seeds.mean()), low, high)


def _figures(records: pd.DataFrame, key: str, k: int) -> list[Figure]:
    """One figure a model: a measure over the nights, a line a method."""
    heading, note = FIGURES[key]
    found = []
    for model, rows in records[records.served == "everybody"].groupby("model", sort=False):
        styles = Styles(list(rows.method.unique()))
        traces = [
            _line(method, lines.groupby("night")[key].mean(), styles)
            for method, lines in rows.groupby("method", sort=False)
        ]
        plot = figure(traces, "night", note.partition(" ")[0].rstrip(";").format(k=k))
        plot.update_xaxes(dtick=1)
        name = f"{key}-{model}"
        found.append(Figure(name, "nights", f"{heading}: {model}", note.format(k=k), plot))
    return found


def _line(method: str, values: pd.Series, styles: Styles) -> go.Scatter:
    return go.Scatter(
        x=values.index.to_numpy(),
        y=values.to_numpy(dtype=np.float64),
        mode="lines+markers",
        name=method,
        line=styles.line(method),
        marker=styles.marker(method),
    )
