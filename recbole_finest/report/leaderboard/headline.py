"""The leaderboard's first sentences: what was run, what the controls say, and what came out."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from recbole_finest.evaluator.measures.direction import EXACT, full_agreement
from recbole_finest.evaluator.statistics.estimates import replicates_needed
from recbole_finest.names import ALONE, ANCHORED
from recbole_finest.report.labels import measure_label
from recbole_finest.report.leaderboard import cells
from recbole_finest.report.leaderboard.blocks import Block
from recbole_finest.report.leaderboard.measures import Keys
from recbole_finest.report.leaderboard.records import CONTROLS, Benchmark
from recbole_finest.report.leaderboard.result import result_sentence
from recbole_finest.report.questions import MEANING, TITLES
from recbole_finest.report.table import p_value

HOW_TO_READ = (
    "How to read it: each row is a way to train a model. Its stability compares the lists for the same "
    "people before and after a small change of the training log (1 means identical lists), instability "
    "removed is the part of the distance from 1 of plain base training (none) that is gone, and the "
    "change in accuracy is its price; cost is what has to be computed each time the model is "
    "renewed, and to score the test instances, against base's. The best "
    "baseline is the most stable method, FINEST and its variants aside, that loses at most 1 % of the "
    "accuracy. By default FINEST, its ablations, distillation and listmle train without dropout, and "
    "plain, warm_start and adversarial with it, so that part of a difference in accuracy may come from "
    "that; finest_dropout: both gives all of them dropout. Test perturbations of one model and seed share "
    "its base, and ensembles of neighbouring seeds share members (of size 3, seed s uses the bases "
    "of s, s + 1 and s + 2), so that replicates are not wholly independent."
)

TWO_QUESTIONS = (
    "Two questions, never mixed: "
    + "; ".join(f"{TITLES[q].lower()}, {MEANING[q]}" for q in (ALONE, ANCHORED))
    + ". Methods are ranked, compared and recommended within a question only; instability removed and "
    "changes of accuracy are of base's, which is retrained alone, in both."
)


def headline(
    bench: Benchmark, blocks: Sequence[Block], keys: Keys, recommended: Sequence[str] = ()
) -> list[str]:
    """All sentences, in the order of importance to somebody who doubts the figures.

    Args:
        bench: what was run.
        blocks: all rows.
        keys: what is shown.
        recommended: what a sweep recommends.
    """
    first = _first_blocks(blocks)
    found = [_run(bench), _controls(bench.trainings, keys)]
    found += [sentence for block in first if (sentence := result_sentence(block, keys))]
    found += [*recommended, _noise_floor(first, keys), _replicates(first)]
    two = [TWO_QUESTIONS] if any(block.both for block in blocks) else []
    return [*(sentence for sentence in found if sentence), *two, HOW_TO_READ]


def _first_blocks(blocks: Sequence[Block]) -> list[Block]:
    """The first block of each data set, shuffle order and question: all its models together."""
    found: dict[tuple[str, str, str], Block] = {}
    for block in blocks:
        found.setdefault((block.dataset, block.shuffle_order, block.question), block)
    return list(found.values())


def _run(bench: Benchmark) -> str:
    rows = bench.trainings
    own = rows[~rows["method"].isin(CONTROLS)] if len(rows) else rows
    parts = [
        _several(own, "model", "model", named=True),
        _several(own, "dataset", "data set", named=True),
        _methods(bench, own),
        _several(own, "drawn", "test perturbation"),
        _several(own, "seed", "seed"),
        _several(own, "shuffle_order", "shuffle order", named=True),
    ]
    text = f"What was run: {' × '.join(parts)}; {len(own)} trainings measured"
    failed = (
        f"{len(bench.failed)} cell{'' if len(bench.failed) == 1 else 's'} FAILED (listed below)"
    )
    text += f", {failed if bench.failed else 'none failed'}"
    text += f", {duration(bench.seconds)} of wall time"
    if bench.cell_seconds is not None:  # a continued run takes no time for what was there
        text += f" for the last command, {duration(bench.cell_seconds)} of work in all"
    versions = ", ".join(f"{name} {version}" for name, version in bench.versions.items())
    return text + (f"; {versions}." if versions else ".")


def _several(rows: pd.DataFrame, column: str, word: str, named: bool = False) -> str:
    values = list(dict.fromkeys(map(str, rows[column])))
    text = f"{len(values)} {word}{'' if len(values) == 1 else 's'}"
    return text + (f" ({', '.join(values)})" if named and values else "")


def _methods(bench: Benchmark, rows: pd.DataFrame) -> str:
    """The methods, a swept one once with the number of its settings."""
    settings: dict[str, int] = {}
    for name in dict.fromkeys(map(str, rows["method"])):
        method = bench.method_of(name)
        settings[method] = settings.get(method, 0) + 1
    names = [name + (f" in {n} settings" if n > 1 else "") for name, n in settings.items()]
    return f"{len(names)} method{'' if len(names) == 1 else 's'} ({', '.join(names)})"


def duration(seconds: float) -> str:
    """Seconds in words: ``1 h 02 min``, ``3 min 05 s``, ``12 s``."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 60} min {whole % 60:02d} s" if whole >= 60 else f"{whole} s"


def broken_controls(trainings: pd.DataFrame, keys: Keys) -> list[str]:
    """What is not exact in the controls with the same seed, in words."""
    found = []
    for _, row in trainings[trainings["method"] == "control"].iterrows():
        for key in keys.every:
            value = row[f"stability/{key}"]
            off = abs(value - full_agreement(key))
            if not off <= EXACT:  # an unknown value is not exact either
                place = (
                    f"{row['model']}, {row['dataset']}, seed {row['seed']}, {row['shuffle_order']}"
                )
                found.append(f"{measure_label(key)} {float(value)!r} ({place})")
    return found


def _controls(trainings: pd.DataFrame, keys: Keys) -> str:
    n = int((trainings["method"] == "control").sum())
    if not n:
        return "No control was run: nothing here shows that the same training gives the same lists."
    broken = broken_controls(trainings, keys)
    if broken:
        return (
            "CONTROL FAILED: the same training, without a perturbation, gave other lists, so that a part "
            f"of all differences below is noise of the machine: {'; '.join(broken)}."
        )
    return f"Controls: all {n} trainings repeated without a perturbation gave identical lists."


def _noise_floor(blocks: Sequence[Block], keys: Keys) -> str:
    floors = [
        f"{measure_label(keys.stability[0])} {cells.value(row.stability[keys.stability[0]], 3)} "
        f"({block.dataset}, {block.shuffle_order})"
        for block in blocks
        for row in block.controls
        if row.method == "seed_control"
    ]
    return (
        f"Noise floor, base trained with another seed on the same log: {'; '.join(floors)}."
        if floors
        else ""
    )


def _replicates(blocks: Sequence[Block]) -> str:
    """Says when the tests cannot find anything."""
    tested = [row.against_none or row.against_best for block in blocks for row in block.rows]
    found = [made for made in tested if made]
    least = min((made.n for made in found), default=0)
    compared = max((made.compared for made in found), default=0)
    needed = replicates_needed(compared)
    if not found or least >= needed:
        return ""
    return (
        f"Too few replicates for significance: with {least}, Wilcoxon's p-value cannot be below "
        f"{p_value(min(1.0, 2.0 ** (1 - least)))}, and Holm's correction over {compared} methods asks for "
        f"at least {needed} replicates (more seeds or test perturbations); intervals from few "
        "replicates are too narrow."
    )
