"""The cells of the leaderboard's tables as people read them."""

from __future__ import annotations

import math
from collections.abc import Iterable

from recbole_finest.evaluator.statistics.estimates import ENOUGH, LEVEL, Estimate
from recbole_finest.report.leaderboard.rows import Against, Row
from recbole_finest.report.questions import (
    COSTLY,
    NO_EFFECT,
    NO_EFFECT_NOTE,
    costly,
    costly_note,
    holds_zero,
)
from recbole_finest.report.table import NOTHING, estimate, number, p_value, signed


def value(found: Estimate, digits: int = 4) -> str:
    """A mean and its interval; the mean alone where the interval has no width."""
    if found.low == found.high:
        return number(found.mean, digits)
    return estimate(found.mean, found.low, found.high, digits)


def per_cent(found: Estimate, interval: bool = True) -> str:
    """A share as signed per cent, ``+1.2 [-0.3, +2.5]``."""
    text = signed(_hundred(found.mean), 1)
    if not interval or math.isnan(found.low) or found.low == found.high:
        return text
    return f"{text} [{signed(_hundred(found.low), 1)}, {signed(_hundred(found.high), 1)}]"


def _hundred(share: float) -> float:
    return 0.0 if abs(share) < 5e-4 else 100 * share  # no -0.0


def ratio(found: float) -> str:
    """A cost against base's."""
    return NOTHING if math.isnan(found) else f"{found:.2f} ×"


def seconds(found: float) -> str:
    """Seconds to three digits.

    >>> seconds(0.06341), seconds(13.327), seconds(1234.5)
    ('0.0634', '13.3', '1234')
    """
    if math.isnan(found):
        return NOTHING
    digits = 2 - math.floor(math.log10(found)) if found > 0 else 0
    return f"{found:.{max(0, digits)}f}"


def comparison(found: Against | None) -> str:
    """The gain and what the test says: ``+0.0831, p 0.031 *``, the star for p < 0.05."""
    if found is None or not found.n:
        return NOTHING
    if found.n < ENOUGH:
        return f"{signed(found.gain)}, n < {ENOUGH}"
    star = " *" if found.p_holm < LEVEL else ""
    return f"{signed(found.gain)}, p {p_value(found.p_holm)}{star}"


def removed(found: Estimate) -> str:
    """The share of base's instability that is gone, marked where no effect is shown."""
    text = per_cent(found)
    if found.mean in (0.0, 1.0) or math.isnan(found.mean) or found.low == found.high:
        return text
    if math.isnan(found.low):
        return f"{text} (no interval)"
    return f"{text} {NO_EFFECT}" if holds_zero(found.low, found.high) else text


def loses(row: Row) -> bool:
    """Whether a method's accuracy is more than is tolerated below base's, on either side."""
    return costly(row.change.mean, row.change_perturbed.mean)


def notes(rows: Iterable[Row], metric: str) -> list[str]:
    """What the marks of these rows mean, one sentence for each that is there."""
    rows = list(rows)
    found = [NO_EFFECT_NOTE] if any(NO_EFFECT in removed(row.removed) for row in rows) else []
    return found + ([costly_note(metric)] if any(map(loses, rows)) else [])


def method(row: Row, label: str | None = None) -> str:
    """A method's name with what it is: the best baseline, on the front; and what it costs in accuracy."""
    marks = [word for word, holds in (("best baseline", row.best), ("front", row.front)) if holds]
    text = (label or row.method) + (f" ({', '.join(marks)})" if marks else "")
    return f"{text} {COSTLY}" if loses(row) else text
