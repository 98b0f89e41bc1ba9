"""Two questions, never mixed: what stands in which block, and what stability may have cost."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from recbole_finest.experiment.protocol import declared_question
from recbole_finest.names import ALONE, ANCHORED, UNKNOWN, methods_of

TITLES = {
    ALONE: "Retrained alone",
    ANCHORED: "Knowing the deployed model",
    UNKNOWN: "Question not known",
}
MEANING = {
    ALONE: "each side sees its own log only",
    ANCHORED: "the perturbed side takes lists or weights from the model of the clean log",
    UNKNOWN: "of a method that an earlier version recorded; made again, it is known",
}
TOLERATED = 0.01  # share of base's accuracy that a method may lose
ROUNDING = 1e-9
COSTLY, NO_EFFECT = "†", "°"  # marks of a table
NO_EFFECT_NOTE = f"{NO_EFFECT} The interval holds 0: no effect is shown."


def questions_of(result: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, str]:
    """The question that base and each method of a run answer.

    Args:
        result: the contents of ``result.json``; what it does not say is worked out from the method.
        settings: the run's.
    """
    said = result.get("question")
    return {
        name: said_question(said.get(name) if isinstance(said, Mapping) else None)
        or declared_question(name, settings)
        for name in methods_of(result["accuracy"])
    }


def said_question(said: object) -> str | None:
    """What a file says of a method's question; None where it is no question."""
    return said if isinstance(said, str) and said in TITLES else None


def split(names: Iterable[str], question: Mapping[str, str]) -> dict[str, list[str]]:
    """Names by their question, in the order of ``TITLES``; a control, which has none, is alone."""
    found: dict[str, list[str]] = {asked: [] for asked in TITLES}
    for name in names:
        found[question.get(name, ALONE)].append(name)
    return {asked: members for asked, members in found.items() if members}


def costly(*changes: float) -> bool:
    """Whether one of the changes of accuracy, as shares, is a loss of more than is tolerated.

    >>> costly(0.02, -0.01), costly(0.02, -0.011), costly(float("nan"))
    (False, True, False)
    """
    return any(change < -TOLERATED - ROUNDING for change in changes)


def costly_note(metric: str) -> str:
    """What the mark of a loss of accuracy means."""
    return (
        f"{COSTLY} {metric} is more than {100 * TOLERATED:.0f} % below base's, on the clean or on the "
        "perturbed log: stability may be bought with accuracy."
    )


def holds_zero(low: float, high: float) -> bool:
    """Whether an interval, whose ends are known, holds 0."""
    return low <= 0 <= high


def share(mean: float, low: float, high: float) -> str:
    """A share of the instability that is gone, never without what is known of its error.

    >>> share(0.63, 0.58, 0.67), share(0.21, -0.05, 0.43), share(1.0, 1.0, 1.0)
    ('63 % [58, 67]', '21 % [-5, 43] °', '100 %')
    >>> share(0.5, float("nan"), float("nan")), share(float("nan"), 0, 0)
    ('50 % (no interval)', '–')
    """
    if math.isnan(mean):
        return "–"
    text = f"{round(100 * mean)} %"
    if math.isnan(low) or math.isnan(high):
        return f"{text} (no interval)"
    if low == high:
        return text
    mark = f" {NO_EFFECT}" if holds_zero(low, high) else ""
    return f"{text} [{round(100 * low)}, {round(100 * high)}]{mark}"


def in_words(mean: float, low: float, high: float) -> str:
    """The same in a sentence: what it removes, or that no effect is shown.

    >>> in_words(0.21, -0.05, 0.43)
    "shows no effect (21 % [-5, 43] of base's instability)"
    >>> in_words(0.5, float("nan"), float("nan"))
    "shows no effect (50 % of base's instability, without an interval)"
    """
    what = "of base's instability"
    if math.isnan(low) or math.isnan(high):
        return f"shows no effect ({round(100 * mean)} % {what}, without an interval)"
    text = f"{share(mean, low, high).removesuffix(f' {NO_EFFECT}')} {what}"
    if low != high and holds_zero(low, high):
        return f"shows no effect ({text})"
    return f"removes {text}" if mean >= 0 else f"adds instability ({text} removed)"
