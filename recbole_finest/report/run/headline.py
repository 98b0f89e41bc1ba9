"""What a run found, in a few sentences."""

from __future__ import annotations

from recbole_finest.evaluator.measures.direction import in_full_agreement, share_removed
from recbole_finest.experiment.protocol import CONTROL_FAILED
from recbole_finest.report.labels import label, measure_label
from recbole_finest.report.run.contents import Report
from recbole_finest.report.run.replicates import claim
from recbole_finest.report.run.run_table import perturbation_words
from recbole_finest.report.table import estimate, number, per_cent, signed


def headline(report: Report) -> list[str]:
    """Stability before and after, its price in accuracy, and what the controls say."""
    found = [_stability(report), claim(report), _accuracy(report), _control(report), _seeds(report)]
    return [sentence for sentence in found if sentence]


def _stability(report: Report) -> str:
    if "base" not in report.pairs:
        return "No test perturbation: the report says only what fine-tuning itself changed."
    base = report.pairs["base"].summary[report.measure]
    shown = measure_label(report.measure)
    changed = perturbation_words(report.result["perturbation"])
    text = (
        f"{changed[:1].upper()}{changed[1:]}: base's lists before and after have a mean {shown} of "
        f"{_three(base)}"
    )
    if "finest" not in report.pairs:
        return text + "."
    finest = report.pairs["finest"].summary[report.measure]
    text += f", those of finest {_three(finest)}"
    share = share_removed(report.measure, base["mean"], finest["mean"])
    if share >= 0:
        text += f": {per_cent(share)} of the instability is gone"
    return text + "."


def _three(row: dict[str, float]) -> str:
    return estimate(row["mean"], row["low"], row["high"], 3)


def _accuracy(report: Report) -> str:
    accuracy = report.result["accuracy"]
    wanted = (f"{kind}@{report.k}" for kind in ("ndcg", "mrr", "recall", "hit"))
    metric = next((m for m in wanted if m in accuracy.get("base", {})), None)
    if metric is None or "finest" not in accuracy:
        return ""
    text = (
        f"{measure_label(metric)} on the clean log is {number(accuracy['base'][metric])} for base and "
        f"{number(accuracy['finest'][metric])} for finest"
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
