"""The tables of accuracy, stability and their comparison."""

from __future__ import annotations

import pandas as pd

from recbole_finest.evaluator.accuracy import interval_of
from recbole_finest.evaluator.measures.direction import share_removed
from recbole_finest.report.labels import label
from recbole_finest.report.run.contents import Report
from recbole_finest.report.run.rows import NAN, as_text, estimate_cell, summary_rows, wide
from recbole_finest.report.table import Table, number, p_value, per_cent, signed


def accuracy_table(report: Report) -> Table:
    rows = []
    for name, metrics in report.result["accuracy"].items():
        for metric, value in metrics.items():
            known = interval_of(metric, report.accuracy.get(name, {}))
            interval = {end: known.get(end, NAN) for end in ("low", "high")}
            rows.append({"model": label(name), "metric": metric, "mean": value, **interval})
    note = "Next-item accuracy on the test instances, with bootstrap 95 % intervals over users."
    return Table("accuracy", "Accuracy", note, pd.DataFrame(rows), wide(rows, "model", "metric"))


def stability_table(report: Report) -> Table:
    rows = []
    for measure in next((pair.summary for pair in report.pairs.values()), {}):
        base = report.pairs["base"].summary[measure]["mean"] if "base" in report.pairs else NAN
        for name, pair in report.pairs.items():
            found = pair.summary[measure]
            tuned = name in report.methods and name != "base"
            share = share_removed(measure, base, found["mean"]) if tuned else NAN
            rows.append({"measure": measure, "model": label(name), **found, "removed": share})
    frame = pd.DataFrame(rows)
    shown = as_text(
        rows,
        {
            "measure": lambda r: r["measure"],
            "model": lambda r: r["model"],
            "mean [95 % interval]": estimate_cell,
            "median": lambda r: number(r["median"]),
            "5th percentile": lambda r: number(r["p5"]),
            "instability removed": lambda r: per_cent(r["removed"]),
        },
    )
    note = (
        "Similarity of each model's lists before and after the test perturbation, 1 being identical: "
        "mean with bootstrap 95 % interval over users, median and 5th percentile over instances. "
        "Instability removed is the part of base's distance from identical lists that a method takes away."
    )
    return Table("stability", "Stability", note, frame, shown, grouped=True)


def paired_table(report: Report) -> Table:
    rows = [
        {"models": f"{label(first)} → {label(second)}", "measure": measure, **found.to_dict()}
        for (first, second), measures in report.paired.items()
        for measure, found in measures.items()
    ]
    shown = as_text(
        rows,
        {
            "models": lambda r: r["models"],
            "measure": lambda r: r["measure"],
            "first": lambda r: number(r["first"]),
            "second": lambda r: number(r["second"]),
            "difference [95 % interval]": lambda r: (
                f"{signed(r['difference'])} [{signed(r['low'])}, {signed(r['high'])}]"
            ),
            "p (Wilcoxon, Holm)": lambda r: p_value(r["p_holm"]),
            "effect size d": lambda r: signed(r["effect_size"], 2),
            "rank-biserial": lambda r: signed(r["rank_biserial"], 2),
        },
    )
    note = (
        "User by user, second model minus first, for stability and for accuracy. Intervals and p-values "
        "are about these models and users like these; a claim about the method needs several seeds and "
        "perturbations. Holm's correction is over the measures of each pair of models."
    )
    return Table("paired", "Paired comparison", note, pd.DataFrame(rows), shown, grouped=True)


def similarity_table(report: Report) -> Table:
    note = "What fine-tuning alone changed: similarity of base's lists and those of each method."
    rows = summary_rows(report.similarity)
    shown = wide(rows, "model", "measure")
    return Table("similarity", "Similarity to base", note, pd.DataFrame(rows), shown)


def filtered_table(report: Report) -> Table:
    note = (
        "Stability of the lists that people would be shown: the items of a user's own history are "
        "taken out before the lists are cut."
    )
    rows = summary_rows(report.filtered)
    shown = wide(rows, "model", "measure")
    return Table("filtered", "Stability without seen items", note, pd.DataFrame(rows), shown)
