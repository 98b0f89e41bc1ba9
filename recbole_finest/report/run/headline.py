"""What a run found, in a few sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator

from recbole_finest.evaluator.measures.direction import in_full_agreement
from recbole_finest.experiment.protocol import CONTROL_FAILED
from recbole_finest.names import ANCHORED
from recbole_finest.report.labels import label, measure_label
from recbole_finest.report.questions import TITLES, in_words
from recbole_finest.report.run.contents import Report
from recbole_finest.report.run.replicates import claim
from recbole_finest.report.run.run_table import perturbation_words
from recbole_finest.report.run.summary_table import collapses
from recbole_finest.report.table import estimate, number, signed


def headline(report: Report) -> list[str]:
    """Stability before and after, by question, its price in accuracy, and what the controls say."""
    found = [_stability(report), *_blocks(report), claim(report), _accuracy(report)]
    found += [_control(report), _seeds(report)]
    return [*collapses(report.result), *filter(None, found)]


def _stability(report: Report) -> str:
    if "base" not in report.pairs:
        return "No test perturbation: the report says only what fine-tuning itself changed."
    changed = perturbation_words(report.result["perturbation"])
    return (
        f"{changed[:1].upper()}{changed[1:]}: base's lists before and after, each side retrained alone, "
        f"have a mean {measure_label(report.measure)} of "
        f"{_three(report.pairs['base'].summary[report.measure])}."
    )


def _blocks(report: Report) -> Iterator[str]:
    """What the methods of each question remove of base's instability, each with its interval."""
    tuned = [n for n in report.methods if n in report.pairs and n != "base"]
    for asked, names in report.blocks(tuned).items():
        parts = []
        for name in names:
            share = report.share(name, report.measure)
            if not math.isnan(share["mean"]):
                mean = _three(report.pairs[name].summary[report.measure])
                parts.append(f"{label(name)} ({mean}) {in_words(**share)}")
        if parts:
            last = ""
            if asked == ANCHORED and "keep" not in names:
                last = "; keeping the deployed model would remove all of it, at no cost"
            yield f"{TITLES[asked]}: {'; '.join(parts)}{last}."


def _three(row: dict[str, float]) -> str:
    return estimate(row["mean"], row["low"], row["high"], 3)


def _accuracy(report: Report) -> str:
    accuracy = report.result["accuracy"]
    wanted = (f"{kind}@{report.k}" for kind in ("ndcg", "mrr", "recall", "hit"))
    metric = next((m for m in wanted if m in accuracy.get("base", {})), None)
    if metric is None or "finest" not in accuracy:
        return ""
    text = (
        f"{measure_label(metric)} on the clean log is {number(accuracy['base'][metric])} for "
        f"{report.asked('base')} and {number(accuracy['finest'][metric])} for {report.asked('finest')}"
    )
    paired = report.paired.get(("base", "finest"), {}).get(metric)
    if paired is None:
        return text + "."
    return (
        f"{text} (difference {signed(paired.difference)}, 95 % interval over users "
        f"{signed(paired.low)} to {signed(paired.high)})."
    )


def _control(report: Report) -> str:
    if "control" not in report.pairs:
        return ""
    means = {name: row["mean"] for name, row in report.pairs["control"].summary.items()}
    if in_full_agreement(means):
        return (
            "Control: base trained once more, without a perturbation, gives identical lists, so that "
            "all of the difference above comes from the perturbation."
        )
    return CONTROL_FAILED


def _seeds(report: Report) -> str:
    if "seed_control" not in report.pairs:
        return ""
    row = report.pairs["seed_control"].summary[report.measure]
    return (
        f"Noise floor: base trained with another seed, without a perturbation ({label('seed_control')}), "
        f"has a mean {measure_label(report.measure)} of {_three(row)} with base."
    )
