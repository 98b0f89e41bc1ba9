"""What a gate found as Markdown, for the summary page of a CI run."""

from __future__ import annotations

import math
from collections.abc import Iterable

from tabulate import tabulate

from recbole_finest.evaluator.lists.compare import Comparison
from recbole_finest.evaluator.lists.tables import notes, tables
from recbole_finest.evaluator.lists.verdicts import Verdict
from recbole_finest.report.table import NOTHING, escape_markdown

TITLE = "## Rank lists compared: "


def summary(comparisons: Iterable[Comparison], verdicts: Iterable[Verdict]) -> str:
    """The outcome as heading, the conditions with what was found, the tables, the notes."""
    verdicts, pairs = list(verdicts), list(comparisons)
    parts = [TITLE + outcome(verdicts)]
    if verdicts:
        parts.append(_conditions(verdicts))
    parts += tables(pairs, escape_markdown)
    said = [f"- {escape_markdown(note)}" for note in notes(pairs)]
    if said:
        parts.append("\n".join(said))
    return "\n\n".join(parts) + "\n"


def summary_of_error(message: str) -> str:
    """The page of a comparison that was refused."""
    return f"{TITLE}not possible\n\n{escape_markdown(message)}\n"


def outcome(verdicts: Iterable[Verdict]) -> str:
    """``passed``, ``FAILED (1 of 3 conditions)``, …, with the number of warnings."""
    verdicts = list(verdicts)
    failed = sum(not one.holds and one.level == "fail" for one in verdicts)
    warned = sum(not one.holds and one.level == "warn" for one in verdicts)
    if not verdicts:
        return "no condition"
    text = f"FAILED ({failed} of {len(verdicts)} conditions)" if failed else "passed"
    return f"{text}, {warned} warning{'s' if warned > 1 else ''}" if warned else text


def _conditions(verdicts: Iterable[Verdict]) -> str:
    words = {"fail": "**failed**", "warn": "warning"}
    rows = [
        (
            "met" if one.holds else words[one.level],
            one.wanted,
            NOTHING if math.isnan(one.value) else f"{one.value:.6g}",
            escape_markdown(one.reference),
            escape_markdown(one.other),
        )
        for one in verdicts
    ]
    headers = ["", "condition", "value", "reference", "other"]
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)
