"""Methods with lists, each side with those of its own base: retrained alone, without an anchor."""

from __future__ import annotations

from recbole_finest.method.distillation import Distillation, ListMLE
from recbole_finest.method.finest import Finest


class FinestOwn(Finest):
    """FINEST that knows no other log's model."""

    lists_of = "own"


class DistillationOwn(Distillation):
    """Distillation from the side's own base."""

    lists_of = "own"


class ListMLEOwn(ListMLE):
    """ListMLE with the lists of the side's own base."""

    lists_of = "own"
