"""What came out in one block, in a sentence."""

from __future__ import annotations

from recbole_finest.evaluator.statistics.estimates import ENOUGH
from recbole_finest.names import ALONE
from recbole_finest.report.labels import measure_label
from recbole_finest.report.leaderboard import cells
from recbole_finest.report.leaderboard.blocks import Block
from recbole_finest.report.leaderboard.measures import Keys
from recbole_finest.report.leaderboard.questions import KEEP, NO_METHOD
from recbole_finest.report.leaderboard.rows import Row
from recbole_finest.report.questions import in_words
from recbole_finest.report.table import number, p_value, signed


def result_sentence(block: Block, keys: Keys) -> str:
    """What FINEST and the best baseline of one question do on one data set, beside base."""
    base, best = block.reference, block.best
    others = [row for row in block.rows if row.method not in (NO_METHOD, KEEP)]
    if base is None or not others or not keys.stability:
        return ""
    alone = ", retrained alone," if block.both and block.question != ALONE else ""
    main = keys.stability[0]
    text = f"{block.place}: base{alone} has {measure_label(main)} {number(base.stability[main].mean, 3)}"
    finest = block.row("finest")
    text += _gain(finest, keys, "finest") if finest is not None else ""
    if block.row(KEEP) is not None:
        text += "; keeping the deployed model removes all of it, at no cost"
    if best is None or best is base:
        return text + "; no baseline is more stable at an accuracy loss of at most 1 %."
    name = f"the best baseline, {best.method} (chosen on these figures),"
    return f"{text}{_gain(best, keys, name)}{_beside(finest)}."


def _gain(row: Row, keys: Keys, name: str) -> str:
    """What one method gives, and at what price; nothing where that is not known."""
    found, main = row.removed, keys.stability[0]
    if found.mean != found.mean:
        return ""
    return (
        f"; {name} has {number(row.stability[main].mean, 3)} and "
        f"{in_words(found.mean, found.low, found.high)}{_price(row, keys)}, at {cells.ratio(row.cost)} "
        "the training cost"
    )


def _price(row: Row, keys: Keys) -> str:
    if not row.accuracy_change.n:
        return ""
    metric = measure_label(keys.accuracy[0])
    return f" while {metric} changes by {cells.per_cent(row.accuracy_change)} %"


def _beside(finest: Row | None) -> str:
    found = None if finest is None else finest.against_best
    if found is None or not found.n:
        return ""
    test = "" if found.n < ENOUGH else f", p {p_value(found.p_holm)}"
    return f" (finest against it {signed(found.gain)}{test})"
