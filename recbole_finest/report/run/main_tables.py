"""The tables of accuracy, stability and their comparison."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from recbole_finest.evaluator.accuracy import interval_of
from recbole_finest.report import questions
from recbole_finest.report.labels import label
from recbole_finest.report.run.contents import Report
from recbole_finest.report.run.pair import Summary
from recbole_finest.report.run.rows import (
    NAN,
    as_text,
    by_question,
    estimate_cell,
    summary_rows,
    wide,
    within,
)
from recbole_finest.report.table import Table, number, p_value, signed


def accuracy_table(report: Report) -> Table:
    rows = []
    for start, name in by_question(report, report.result["accuracy"]):
        for metric, value in report.result["accuracy"][name].items():
            known = interval_of(metric, report.accuracy.get(name, {}))
            interval = {end: known.get(end, NAN) for end in ("low", "high")}
            rows.append(
                {**start, "model": label(name), "metric": metric, "mean": value, **interval}
            )
    note = "Next-item accuracy on the test instances, with bootstrap 95 % intervals over users."
    shown = wide(rows, "model", "metric")
    return Table("accuracy", "Accuracy", note, pd.DataFrame(rows), shown, grouped=report.both)


def stability_table(report: Report) -> Table:
    rows = []
    for measure in next((pair.summary for pair in report.pairs.values()), {}):
        for start, name in by_question(report, report.pairs):
            share = report.share(name, measure)
            gone = {"removed": share["mean"]}
            gone |= {f"removed_{end}": share[end] for end in ("low", "high")}
            found = report.pairs[name].summary[measure]
            rows.append({**start, "measure": measure, "model": label(name), **found, **gone})
    frame = pd.DataFrame(rows)
    shown = as_text(
        rows,
        {
            "measure": lambda r: within(r, "measure"),
            "model": lambda r: r["model"],
            "mean [95 % interval]": estimate_cell,
            "median": lambda r: number(r["median"]),
            "5th percentile": lambda r: number(r["p5"]),
            "instability removed": lambda r: questions.share(
                r["removed"], r["removed_low"], r["removed_high"]
            ),
        },
    )
    note = (
        "Similarity of each model's lists before and after the test perturbation, 1 being identical: "
        "mean with bootstrap 95 % interval over users, median and 5th percentile over instances. "
        "Instability removed is the part of base's distance from identical lists that a method takes away, "
        f"with its interval, both models' lists of a user drawn together. {questions.NO_EFFECT_NOTE}"
    )
    return Table("stability", "Stability", note, frame, shown, grouped=True)


def paired_table(report: Report) -> Table:
    rows = [
        {
            "models": f"{report.asked(first)} → {report.asked(second)}",
            "measure": m,
            **found.to_dict(),
        }
        for (first, second), measures in report.paired.items()
        for m, found in measures.items()
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
        "perturbations. Holm's correction is over the measures of each pair of models. Stability is "
        "compared within a question only; of base and a method that knows the deployed model, accuracy."
    )
    return Table("paired", "Paired comparison", note, pd.DataFrame(rows), shown, grouped=True)


def similarity_table(report: Report) -> Table:
    note = "What fine-tuning itself changed: similarity of base's lists and those of each method."
    return _summary(report, "similarity", "Similarity to base", note, report.similarity)


def filtered_table(report: Report) -> Table:
    note = (
        "Stability of the lists that people would be shown: the items of a user's own history are "
        "taken out before the lists are cut."
    )
    return _summary(report, "filtered", "Stability without seen items", note, report.filtered)


def _summary(
    report: Report, name: str, title: str, note: str, found: Mapping[str, Summary]
) -> Table:
    rows = summary_rows(report, found)
    shown = wide(rows, "model", "measure")
    return Table(name, title, note, pd.DataFrame(rows), shown, grouped=report.both)
