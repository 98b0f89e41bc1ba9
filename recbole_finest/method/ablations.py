"""FINEST with one part taken away, to see what each part does."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from recbole_finest.method.base import Step
from recbole_finest.method.finest import Finest


class NoSimulation(Finest):
    """The rank-preserving loss on the log as it is."""

    def simulation(self) -> Any | None:
        return None


class NoRegularizer(Finest):
    """Simulated perturbations and the next-item loss alone: FINEST with ``rank_weight: 0``."""

    needs_lists = False

    def loss(self, step: Step) -> Tensor:
        return step.next_item_loss


class OrderOnly(Finest):
    """The order part of the rank-preserving loss without the separation part."""

    def rank_terms(self, scores: Tensor) -> Tensor:
        return self.rank_loss.parts(scores)[0]


class SeparationOnly(Finest):
    """The separation part of the rank-preserving loss without the order part."""

    def rank_terms(self, scores: Tensor) -> Tensor:
        return self.rank_loss.parts(scores)[1]
