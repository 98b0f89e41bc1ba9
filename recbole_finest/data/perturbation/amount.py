"""How much to change, and the other wishes a selection may read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_UP, Context, Decimal
from fractions import Fraction

import numpy as np

from recbole_finest.errors import UserError

Ids = np.ndarray | Sequence[int]


@dataclass(frozen=True)
class Amount:
    """What the caller of ``perturb`` asked for; see there for the meaning of each field."""

    ratio: float | None = None
    count: int | None = None
    per_user: int | None = None
    position: str | None = None
    users: Ids | None = None
    rows: Ids | None = None
    max_seq_len: int | None = None

    def number(
        self,
        available: int,
        what: str,
        base: int | None = None,
        of: str = "training interactions",
    ) -> int:
        """How many of the ``available`` things, named ``what`` in errors, to take; at least 1.

        A ratio is one of the ``base`` (default ``available``) things that errors call ``of``. It is
        read as the decimal that it prints as, so that 0.29 of 100 is 29, which binary floating
        point would make 28.

        Raises:
            UserError: not exactly one of ratio and count, or a number out of 1 … ``available``.
        """
        if (self.ratio is None) == (self.count is None):
            raise UserError("give exactly one amount: a ratio, a count, or a count per user")
        if available < 1:
            raise UserError(f"the log has no {what} to change")
        if self.count is not None:
            number, asked = _whole(self.count, "count"), f"count={self.count}"
        else:
            number, asked = (
                self._share(available if base is None else base, of),
                f"ratio={self.ratio}",
            )
        if number > available:
            raise UserError(
                f"{asked} asks for {number} changes but there are only {available} {what}: "
                "ask for fewer"
            )
        return number

    def _share(self, base: int, of: str) -> int:
        ratio = float(self.ratio)  # type: ignore[arg-type]
        if not 0 < ratio <= 1:  # false for NaN too
            raise UserError(f"ratio={self.ratio} is not a number above 0 and up to 1")
        number = math.floor(Fraction(repr(ratio)) * base)
        if number == 0:
            smallest = Context(prec=3, rounding=ROUND_UP).divide(Decimal(1), Decimal(base))
            raise UserError(
                f"ratio={self.ratio} of {base} {of} rounds down to 0 changes: "
                f"the smallest ratio that changes one is {float(smallest)!r}"
            )
        return number

    def each(self) -> int:
        """The number asked for per user, at least 1."""
        if self.ratio is not None or self.count is not None:
            raise UserError("give exactly one amount: a ratio, a count, or a count per user")
        return _whole(self.per_user, "per_user")

    def refuse(self, selection: str, *names: str) -> None:
        """Raise ``UserError`` when one of the fields ``names``, without meaning here, was given."""
        for name in names:
            if getattr(self, name) is not None:
                raise UserError(
                    f"{name}={getattr(self, name)} means nothing for the selection {selection}: "
                    "leave it out"
                )


def _whole(number: object, name: str) -> int:
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < 1:
        raise UserError(f"{name}={number} is not a whole number of at least 1")
    return int(number)
