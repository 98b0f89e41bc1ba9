"""The leaderboard's tables of one data set and shuffle order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from recbole_finest.evaluator.statistics.estimates import NAN, Estimate
from recbole_finest.report.labels import label, measure_label
from recbole_finest.report.leaderboard import cells
from recbole_finest.report.leaderboard.blocks import Block
from recbole_finest.report.leaderboard.measures import Keys
from recbole_finest.report.leaderboard.questions import KEEP
from recbole_finest.report.leaderboard.rows import ALL, Row
from recbole_finest.report.table import NOTHING, Table, number

COSTS = ("cost_seconds", "cost", "inference_seconds", "inference")
COST = (
    "Training is one renewal, all that is computed each time the model is renewed, in seconds (mean over "
    "models) and against training base once: base, reference lists and fine-tuning; every base of an "
    "ensemble; of a warm start its further training alone, since yesterday's model is there. Inference is "
    "scoring all test instances once; a fine-tuned model has base's size. A cell of one thread on a CPU "
    "counts the processor's seconds, any other one the time that passed; of cells that run side by side "
    "both are only roughly comparable. Therefore work that differs in seed and perturbation alone counts "
    "as one, with the least seconds per epoch that any of it took, times the mean number of epochs "
    "(evaluations: the least seconds)."
)


def main_board(blocks: Sequence[Block], keys: Keys) -> Table:
    """The leaderboard of one data set, shuffle order and question: one row a method for each model."""
    rows = [row for block in blocks for row in [*block.rows, *block.controls]]
    first = blocks[0]
    metric = measure_label(keys.accuracy[0]) if keys.accuracy else "accuracy"
    frame = pd.DataFrame([shown(row, keys) for row in rows]).fillna(NOTHING)
    if first.both and (frame["against none"] == NOTHING).all():
        frame = frame.drop(columns="against none")
    note = (
        "Mean over n replicates (model, seed and test perturbation) with a bootstrap 95 % interval; "
        "accuracy is that of the models of the clean log. Changes and instability removed are against "
        f"none{', base retrained alone' if first.both else ''}. Differences are in the first stability "
        "measure, positive where the method is more stable; p is Wilcoxon's signed-rank test over paired "
        "replicates after Holm's correction over the methods of a group of rows, * below 0.05; fewer than "
        "six replicates (n < 6) allow no p-value below 0.05. On the front are the methods that no other "
        "one here beats in both accuracy and stability. "
    )
    if KEEP in frame["method"].str.partition(" ")[0].to_numpy():
        note += (
            "keep is the deployed model, kept: its lists do not change and nothing is trained, so that it "
            "is never called the best baseline. "
        )
    note += " ".join([*cells.notes(rows, metric), COST])
    return Table(
        f"board-{first.name}",
        f"{first.dataset}, shuffle order {first.shuffle_order}{first.words}",
        note,
        pd.DataFrame([r for block in blocks for r in flat_rows(block)]),
        frame,
        grouped=True,
    )


def shown(row: Row, keys: Keys) -> dict[str, str]:
    """A row as people read it."""
    accuracy = measure_label(keys.accuracy[0]) if keys.accuracy else "accuracy"
    stability = {measure_label(k): cells.value(row.stability[k]) for k in keys.stability}
    found = {
        "model": row.model,
        "method": cells.method(row, label(row.method)),
        "n": str(row.n),
        **dict(list(stability.items())[:1]),
        "instability removed, %": cells.removed(row.removed),
        **{measure_label(k): number(row.accuracy[k].mean) for k in keys.accuracy[:1]},
        f"{accuracy} change, %": cells.per_cent(row.change),
        "change on the perturbed log, %": cells.per_cent(row.change_perturbed),
        "training, s": cells.seconds(row.cost_seconds),
        "training cost": cells.ratio(row.cost),
        "inference, s": cells.seconds(row.inference_seconds),
        "inference cost": cells.ratio(row.inference),
        "against none": cells.comparison(row.against_none),
        "against the best baseline": cells.comparison(row.against_best),
        **dict(list(stability.items())[1:]),
        **{measure_label(k): number(row.accuracy[k].mean) for k in keys.accuracy[1:]},
        "similarity to base": number(row.similarity, 3),
        "coverage": number(row.coverage, 3),
    }
    if row.worst == row.worst:
        found["worst 5 % of users"] = number(row.worst, 3)
    return found


def flat(row: Row) -> dict[str, Any]:
    """A row unrounded, one column a number."""
    found: dict[str, Any] = {
        name: getattr(row, name) for name in ("dataset", "shuffle_order", "model", "method", "n")
    }
    for prefix, values in (("", row.accuracy), ("perturbed_", row.perturbed), ("", row.stability)):
        for key, value in values.items():
            found |= _ends(prefix + key, value)
    for name in ("change", "change_perturbed", "removed"):
        found |= _ends(name, getattr(row, name))
    for name in ("similarity", "coverage", "worst", *COSTS, "best", "front"):
        found[name] = getattr(row, name)
    for name in ("against_none", "against_best"):
        made = getattr(row, name)
        for part in ("gain", "p", "p_holm", "n"):
            found[f"{name}_{part}"] = NAN if made is None else getattr(made, part)
    return found


def flat_rows(block: Block) -> list[dict[str, Any]]:
    """A block's rows unrounded, each with its question."""
    rows = [*block.rows, *block.controls]
    return [{"question": block.question, **flat(row)} for row in rows]


def _ends(name: str, found: Estimate) -> dict[str, float]:
    return {name: found.mean, f"{name}_low": found.low, f"{name}_high": found.high}


def every_measure(blocks: Sequence[Block], keys: Keys) -> Table:
    """All stability measures, for the models together."""
    block = blocks[0]
    rows = [*block.rows, *block.controls]
    texts = [
        {
            "method": label(row.method),
            **{measure_label(k): cells.value(row.stability[k], 3) for k in keys.every},
        }
        for row in rows
    ]
    note = "All stability measures" + (" over all models" if block.model == ALL else "") + "."
    return _simple("measures", blocks, "All stability measures", note, texts)


def by_kind(blocks: Sequence[Block], trainings: pd.DataFrame, keys: Keys) -> Table:
    """The first stability measure by kind of test perturbation."""
    main = keys.stability[0]
    methods = trainings[trainings["kind"] != "none"]
    means = methods.groupby(["method", "kind"], sort=False)[f"stability/{main}"].mean()
    texts = [
        {
            "method": row.method,
            **{
                kind: number(means.get((row.method, kind), NAN))
                for kind in dict.fromkeys(methods["kind"])
            },
        }
        for row in blocks[0].rows
    ]
    note = f"Mean {measure_label(main)} by kind of test perturbation."
    return _simple("kinds", blocks, "By kind of perturbation", note, texts)


def _simple(
    kind: str, blocks: Sequence[Block], title: str, note: str, rows: Iterable[dict[str, str]]
) -> Table:
    frame = pd.DataFrame(list(rows))
    block = blocks[0]
    return Table(f"{kind}-{block.name}", f"{title}{block.words}", note, frame, frame)
