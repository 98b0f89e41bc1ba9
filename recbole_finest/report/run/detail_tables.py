"""The tables of what the lists are made of, where the change is, and whom it meets."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import pandas as pd

from recbole_finest.names import ALONE
from recbole_finest.report.labels import label, measure_label
from recbole_finest.report.run.contents import Report
from recbole_finest.report.run.rows import by_question, estimate_cell, wide
from recbole_finest.report.table import Table, number, per_cent


def profile_table(report: Report) -> Table:
    lists = report.result.get("lists", {})
    rows = [
        {**start, "model": label(name), "metric": metric, "value": value}
        for start, name in by_question(report, lists)
        for metric, value in lists[name].items()
    ]
    note = (
        "Coverage is the share of the catalogue that anybody is shown; popularity the mean number of "
        "training interactions of the listed items. Lists that collapse to popular items look stable."
    )
    shown = wide(rows, "model", "metric", _profile_cell)
    title = "What the lists are made of"
    return Table("lists", title, note, pd.DataFrame(rows), shown, grouped=report.both)


def _profile_cell(row: dict[str, Any]) -> str:
    return number(row["value"], 1 if row["metric"].startswith("popularity") else 4)


def slice_tables(report: Report) -> Iterator[Table]:
    """A table for each question."""
    for asked, names in report.blocks(n for n in report.methods if n in report.pairs).items():
        words = report.words(asked)
        place = f"-{asked}" if asked != ALONE else ""
        title = "Stability by group" + (f": {words.lower()}" if words else "")
        yield _slices(report, f"slices{place}", title, names)


def _slices(report: Report, table: str, title: str, names: Collection[str]) -> Table:
    rows = [
        {"slice": s.title, "group": group, "n": found["n"], "model": label(name), **values}
        for s in report.slices
        for group, found in s.groups.items()
        for name, values in found["metrics"].items()
        if name in names
    ]
    lines: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        start = {"slice": row["slice"], "group": row["group"], "n": str(row["n"])}
        lines.setdefault((row["slice"], row["group"]), start)[row["model"]] = estimate_cell(row)
    shown_measure = measure_label(report.measure)
    note = f"Mean {shown_measure} of each group of test instances, with 95 % intervals over users."
    shown = pd.DataFrame(list(lines.values()))
    return Table(table, title, note, pd.DataFrame(rows), shown, grouped=True)


def near_tie_table(report: Report) -> Table:
    rows = []
    for start, name in by_question(report, (n for n in report.methods if n in report.pairs)):
        near = report.pairs[name].near
        if near is None:
            continue
        row: dict[str, Any] = {
            **start,
            "model": label(name),
            f"items that left the top {report.k}": near.left,
        }
        row |= {f"of these within {gap:g} logits": v for gap, v in near.left_near.items()}
        row |= {"neighbours": near.pairs, "neighbours flipped": near.flipped}
        row |= {f"flipped within {gap:g} logits": v for gap, v in near.flipped_near.items()}
        row |= {f"all neighbours within {gap:g} logits": v for gap, v in near.pairs_near.items()}
        rows.append(row)
    shown = pd.DataFrame(
        [{k: per_cent(v) if isinstance(v, float) else str(v) for k, v in r.items()} for r in rows]
    )
    note = (
        "How much of the change is among items of nearly equal score. For an item that left, the gap is "
        "to the best item outside the list of the unperturbed side; for neighbours whose order flipped, "
        "it is between them. The last columns say how common such gaps are among all neighbours."
    )
    return Table("near_ties", "Near-ties", note, pd.DataFrame(rows), shown, grouped=report.both)


def depth_table(report: Report) -> Table:
    rows = [
        {"model": report.asked(name), "k": depth, "jaccard": value}
        for _, name in by_question(report, report.pairs)
        for depth, value in report.pairs[name].by_depth.items()
    ]
    note = "Mean Jaccard index of the two sides' top k, for growing k."
    shown = wide(rows, "k", "model", lambda row: number(row["jaccard"]))
    return Table("depth", "Stability against depth", note, pd.DataFrame(rows), shown)


def movement_table(report: Report) -> Table:
    rows = [
        {"model": report.asked(name), "rank before": one, "rank after": other, "items": int(count)}
        for name in report.methods
        if name in report.pairs
        for one, counts in zip(
            report.pairs[name].movement.before, report.pairs[name].movement.counts
        )
        for other, count in zip(report.pairs[name].movement.after, counts)
    ]
    note = "Number of listed items by their rank before and after the perturbation."
    frame = pd.DataFrame(rows)
    return Table("movement", "Where items went", note, frame, frame.astype(str))


def example_table(report: Report) -> Table:
    rows = [
        {
            "group": example.group,
            "user": example.user,
            "target": example.target.token,
            "model": label(name),
            "rank": rank,
            "item": entry.token,
            "name": entry.name,
            "moved": entry.note,
        }
        for example in report.examples
        for name, entries in example.columns.items()
        for rank, entry in enumerate(entries, 1)
    ]
    note = "The lists of the most and the least changed users."
    frame = pd.DataFrame(rows)
    return Table("examples", "Examples", note, frame, frame.astype(str))
