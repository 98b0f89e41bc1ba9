"""Whether a pair of files meets a condition, and how that is said."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

ROUNDING = 1e-9  # identical lists may give 0.9999999999999999


@dataclass(frozen=True)
class Verdict:
    """Whether one pair of files meets one condition.

    Attributes:
        condition: the figure, such as ``jaccard@10:low`` or ``coverage``.
        bound: ``least`` or ``most``.
        limit: the value that it must reach, or must not exceed.
        level: ``fail`` or ``warn``.
        reference, other: the files' names.
        value: the figure; NaN where it is undefined, and then the condition is not met.
    """

    condition: str
    bound: str
    limit: float
    level: str
    reference: str
    other: str
    value: float

    @property
    def holds(self) -> bool:
        if self.bound == "least":
            return self.value >= self.limit - ROUNDING
        return self.value <= self.limit + ROUNDING

    @property
    def wanted(self) -> str:
        """The condition in words: ``jaccard@10:low at least 0.8``."""
        return f"{self.condition} at {self.bound} {self.limit:g}"

    @property
    def sentence(self) -> str:
        """What was found, for a condition that is not met as for one that is."""
        what = f"{self.condition} of {self.other} against {self.reference} is"
        if math.isnan(self.value):
            return (
                f"{what} undefined (one user alone, or a reference without hits), so that it is not "
                f"at {self.bound} {self.limit:g}."
            )
        side = {"least": ("below", "at least"), "most": ("above", "at most")}[self.bound]
        return f"{what} {self.value:.6g}, {side[self.holds]} {self.limit:g}."

    def to_dict(self) -> dict:
        """Return the attributes and ``holds`` for JSON; an undefined value is None."""
        value = None if math.isnan(self.value) else self.value
        return {**asdict(self), "value": value, "holds": self.holds}
