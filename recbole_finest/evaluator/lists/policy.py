"""A gate: the conditions that all pairs of files must meet, from options and from a policy file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from recbole_finest.errors import UserError, nearest
from recbole_finest.evaluator.lists.compare import Comparison
from recbole_finest.evaluator.lists.conditions import Condition
from recbole_finest.evaluator.lists.verdicts import Verdict

LEVELS = ("fail", "warn")
COVERAGE = "min_coverage"


@dataclass(frozen=True)
class Policy:
    """Conditions, and the least share of users that both files must hold.

    Attributes:
        conditions: each of a level, ``fail`` or ``warn``.
        min_coverage: least :attr:`joins.Join.coverage`, above 0 to 1, or None.
    """

    conditions: tuple[Condition, ...] = ()
    min_coverage: float | None = None

    @classmethod
    def from_mapping(cls, content: Mapping[str, Any], source: str) -> Policy:
        """Take what a policy's YAML holds: ``fail``, ``warn`` (lists of conditions), ``min_coverage``.

        Raises:
            UserError: another key, no list, something that is no condition, nothing at all.
        """
        for key in content:
            if key not in (*LEVELS, COVERAGE):
                hint = nearest(key, (*LEVELS, COVERAGE))
                raise UserError(f"{source} has an unknown entry {str(key)!r}; {hint}")
        conditions = [
            one for level in LEVELS for one in _conditions(content.get(level), source, level)
        ]
        least = content.get(COVERAGE)
        if not conditions and least is None:
            raise UserError(
                f"{source} holds no condition, so that nothing could fail: "
                "list some under fail, such as jaccard@10=0.8."
            )
        return cls(tuple(conditions), checked_coverage(least, f"{COVERAGE} of {source}"))

    def judge(self, pairs: Iterable[Comparison]) -> list[Verdict]:
        """Hold all conditions against all pairs, condition by condition; coverage first."""
        pairs = list(pairs)
        verdicts = [
            Verdict(
                "coverage", "least", self.min_coverage, "fail", pair.reference, pair.other, share
            )
            for pair in pairs
            if self.min_coverage is not None
            for share in [pair.join.coverage]
        ]
        return [*verdicts, *(one.check(pair) for one in self.conditions for pair in pairs)]


def checked_coverage(value: object, name: str) -> float | None:
    """A share above 0, up to 1, or None; ``UserError`` for anything else."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise UserError(f"{name} is {value!r}, but must be a share above 0, up to 1, as in 0.95.")
    return float(value)


def _conditions(entries: object, source: str, level: str) -> list[Condition]:
    if entries is None:
        return []
    if not isinstance(entries, list):
        raise UserError(
            f"{level} of {source} is {entries!r}, but must be a list: a line '- jaccard@10=0.8' for "
            "each condition."
        )
    for entry in entries:
        if not isinstance(entry, str):
            raise UserError(
                f"{source}, {level}: {entry!r} is no condition; write it as in jaccard@10:low=0.8."
            )
    return [Condition.parse(entry, f"{source}, {level}:", level=level) for entry in entries]
