"""Methods with lists, each side with those of its own base: retrained alone, without an anchor."""

from __future__ import annotations

from recbole_finest.method.distillation import Distillation, ListMLE
from recbole_finest.method.finest import Finest


class FinestOwn(Finest):
    """FINEST that knows no other log's model."""

    lists_of = "own"


class FinestEnsemble(FinestOwn):
    """FINEST with the lists of an ensemble of its own side, as :class:`Ensemble` has it.

    One network is fine-tuned, the side's own base, so that scoring costs as much as base's; training
    costs ``ensemble_size`` bases.
    """

    def list_seeds(self, seed: int) -> list[int]:
        return [seed + i for i in range(self.config["ensemble_size"])]


class DistillationOwn(Distillation):
    """Distillation from the side's own base."""

    lists_of = "own"


class ListMLEOwn(ListMLE):
    """ListMLE with the lists of the side's own base."""

    lists_of = "own"
