"""FINEST with one part taken away, to see what each part does."""

from __future__ import annotations

from torch import Tensor

from recbole_finest.method.base import LIST_SETTINGS, SIMULATION_SETTINGS, Step
from recbole_finest.method.finest import RANK_SETTINGS, Finest


class NoSimulation(Finest):
    """The rank-preserving loss on the log as it is."""

    reads = (*RANK_SETTINGS, *LIST_SETTINGS)

    def simulation(self) -> None:
        return None


class NoRegularizer(Finest):
    """Simulated perturbations and the next-item loss alone: FINEST with ``rank_weight: 0``."""

    needs_lists = False
    reads = ("finest_dropout", *SIMULATION_SETTINGS)

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
