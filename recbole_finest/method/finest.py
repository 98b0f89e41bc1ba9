"""FINEST: simulated perturbations and the rank-preserving loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from recbole_finest.data.transform import OneOf
from recbole_finest.method.base import LIST_SETTINGS, SIMULATION_SETTINGS, Method, Step, simulation
from recbole_finest.method.loss import RankPreservingLoss

if TYPE_CHECKING:
    from recbole_finest.config.config import Config

RANK_SETTINGS = ("rank_weight", "rank_margin", "rank_reduction")


class Finest(Method):
    """``next-item loss + rank_weight · (order + separation)`` on a log perturbed in every epoch.

    Oh, Ustun, McAuley, Kumar: FINEST, TKDD 2024 (arXiv 2402.03481).
    """

    needs_lists = True
    follows_dropout = True
    reads: tuple[str, ...] = (*RANK_SETTINGS, *LIST_SETTINGS, *SIMULATION_SETTINGS)

    def __init__(self, config: Config):
        super().__init__(config)
        self.rank_loss = RankPreservingLoss(config["rank_margin"])
        self.weight = config["rank_weight"]
        self.per_user = config["rank_reduction"] == "sum_over_users"

    def simulation(self) -> OneOf | None:
        return simulation(self.config)

    def rank_terms(self, scores: Tensor) -> Tensor:
        """The regulariser of each instance, ``[R]``, from scores ``[R, 2K]``."""
        return self.rank_loss(scores)

    def loss(self, step: Step) -> Tensor:
        scores = step.scores()
        if len(scores) == 0:
            return step.next_item_loss
        rank = step.mean(self.rank_terms(scores))
        if self.per_user:  # the released code sums over the users of a batch
            rank = rank * step.users
        return step.next_item_loss + self.weight * rank
