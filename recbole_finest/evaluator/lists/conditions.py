"""What a comparison must meet, written ``jaccard@10:low=0.8``, and whether it does.

    measure@k[:change | :difference][:statistic]=limit

The limit is the least value where larger is better, the most where smaller is (churn, rank shift,
lost hits): a measure has one direction only. ``docs/gate.md`` has the table.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from recbole_finest.errors import UserError, nearest, printable
from recbole_finest.evaluator.lists.compare import Comparison
from recbole_finest.evaluator.lists.hits import FLIPS, RANKING
from recbole_finest.evaluator.lists.verdicts import Verdict
from recbole_finest.evaluator.measures import MEASURES, keys

UNDER, OVER = "--fail-under", "--fail-over"
PARTS = ("change", "difference")
OF_MEANS = ("mean", "low", "high")  # what a relative change has
STATISTICS = (*OF_MEANS, "median")  # and p1 … p99
SMALLER = {*(name for name, measure in MEASURES.items() if measure.smaller), "lost"}
UNBOUNDED = {"rankshift"}
ACCURACY = (*RANKING, *FLIPS)
DISPLAY = {
    **{name: one.display for name, one in MEASURES.items()},
    **{name: name for name in ACCURACY},
}
FORM = "write a measure, its depth and a value, as in jaccard@10=0.8 or jaccard@10:low=0.8"


@dataclass(frozen=True)
class Condition:
    """One condition.

    Attributes:
        name: a measure of ``measures.MEASURES``, or ``ndcg``, ``recall``, ``mrr``, ``lost``, ``gained``.
        k: its depth.
        part: ``""``, or of NDCG, recall and MRR ``change`` (relative) or ``difference``, against the
            reference's.
        statistic: ``mean``, ``low`` or ``high`` (ends of the mean's interval), ``median``, ``p5``, …
        limit: the least value, or of ``SMALLER`` ones the most.
        level: ``fail`` or ``warn``.
    """

    name: str
    k: int
    part: str
    statistic: str
    limit: float
    level: str = "fail"

    @classmethod
    def parse(cls, text: str, source: str, option: str = "", level: str = "fail") -> Condition:
        """Read ``measure@k[:part][:statistic]=limit``.

        Args:
            text: the condition.
            source: where it stands, for messages: ``--fail-under`` or ``gate.yaml, fail:``.
            option: ``--fail-under`` or ``--fail-over``, when one of them asks for a direction.
            level: ``fail`` or ``warn``.

        Raises:
            UserError: another form, an unknown measure, part or statistic, the option of the other
                direction, a limit that no value can reach.
        """
        shown = printable(text)
        where = f"{source} {shown}"
        left, equals, number = text.partition("=")
        head, *suffixes = (word.strip().lower() for word in left.split(":"))
        name, at, depth = head.partition("@")
        limit, k = _number(number), _depth(depth) if at else 1
        if not (equals and name and math.isfinite(limit) and k) or not (at or name == "top1"):
            raise UserError(f"{where}: {FORM}.")
        if name in MEASURES:
            ((_, (name, k)),) = keys([name], [k]).items()
        elif name not in ACCURACY:
            raise UserError(
                f"{where}: there is no stability measure or accuracy {name!r}; {nearest(name, DISPLAY)}"
            )
        _check_direction(name, option, where, shown)
        part, statistic = _suffixes(name, suffixes, where)
        _check_limit(name, part, limit, where)
        return cls(name, k, part, statistic, limit, level)

    @property
    def needs_truth(self) -> bool:
        """Whether it is about accuracy."""
        return self.name not in MEASURES

    @property
    def figure(self) -> str:
        """What :meth:`Comparison.figure` calls it: ``jaccard@10``, ``ndcg@10:change``."""
        return f"{self.name}@{self.k}" + (f":{self.part}" if self.part else "")

    def check(self, pair: Comparison) -> Verdict:
        """Hold it against one comparison, in which its measure and depth were measured."""
        shown = "" if self.statistic == "mean" else f":{self.statistic}"
        return Verdict(
            condition=self.figure + shown,
            bound="most" if self.name in SMALLER else "least",
            limit=self.limit,
            level=self.level,
            reference=pair.reference,
            other=pair.other,
            value=pair.figure(self.figure, self.statistic),
        )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _depth(text: str) -> int:
    """A depth as a whole number; 0 for anything else."""
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0


def _check_direction(name: str, option: str, where: str, text: str) -> None:
    smaller = name in SMALLER
    if option == (UNDER if smaller else OVER):
        better, right = ("smaller", OVER) if smaller else ("larger", UNDER)
        raise UserError(f"{where}: a {better} {name} is better; write {right} {text}.")


def _suffixes(name: str, suffixes: list[str], where: str) -> tuple[str, str]:
    """Part and statistic of a condition."""
    parts = PARTS if name in RANKING else ()
    part = suffixes.pop(0) if suffixes and suffixes[0] in parts else ""
    known = OF_MEANS if part == "change" else STATISTICS
    statistic = suffixes.pop(0) if suffixes else "mean"
    percentile = part != "change" and re.fullmatch(r"p[1-9][0-9]?", statistic)
    if suffixes or not (statistic in known or percentile):
        wrong = suffixes[0] if suffixes else statistic
        every = [*([] if part else parts), *known, *([] if part == "change" else ["p5"])]
        of = f"{name} {part}".strip()
        raise UserError(f"{where}: {of} has no {wrong!r} here; {nearest(wrong, every)}")
    return part, statistic


def _check_limit(name: str, part: str, limit: float, where: str) -> None:
    if part and not -1 < limit <= 1:
        raise UserError(f"{where}: a {part} lies between -1 and 1; write -0.01 for -1 %.")
    if limit > 1 and name not in UNBOUNDED:
        raise UserError(f"{where}: no {name} exceeds 1; write 0.8 for 80 %.")
    if limit < 0 and name in SMALLER:
        raise UserError(f"{where}: {name} is never below 0; write 0.2 for at most 20 %.")
