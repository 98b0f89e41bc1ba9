"""The deployed and tonight's model on the same histories: lists, accuracy, similarity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from recbole.data.interaction import Interaction
from torch import Tensor, nn

from recbole_finest.config.config import Config
from recbole_finest.data.prepare import Data
from recbole_finest.evaluator.evaluation import Evaluation, evaluate, per_instance
from recbole_finest.names import DEPLOYED, UPDATED
from recbole_finest.scoring.scorer import Scorer
from recbole_finest.update.known import Known, people_with_news

Similarity = dict[str, dict[str, float]]


class DeployedScorer(Scorer):
    """Scores of the deployed model, which cannot recommend what it does not know.

    Args:
        model: the deployed model, grown.
        dataset: today's training set.
        new_items: ids of the items that it did not have, ``[m]``; their scores are -inf.
    """

    def __init__(self, model: nn.Module, dataset: object, new_items: np.ndarray):
        super().__init__(model, dataset)  # type: ignore[arg-type]
        self.hidden = torch.from_numpy(new_items.astype(np.int64))

    def all_items(self, interaction: Interaction) -> Tensor:
        scores = super().all_items(interaction).clone()
        scores[:, self.hidden.to(scores.device)] = -torch.inf
        return scores


@dataclass(frozen=True)
class Pair:
    """Yesterday's and tonight's model on today's data.

    Attributes:
        config, data: of tonight.
        known: what the deployed model knew of it.
        deployed: yesterday's model, grown.
        updated: tonight's.
    """

    config: Config
    data: Data
    known: Known
    deployed: nn.Module
    updated: nn.Module

    def measured(self) -> dict[str, Evaluation]:
        """Both models' lists and accuracy on today's test instances, by name."""
        train = self.data.train_loader("evaluation")
        scorers = {
            DEPLOYED: DeployedScorer(self.deployed, self.data.train, self.known.new_items),
            UPDATED: Scorer(self.updated, self.data.train),
        }
        return {
            name: evaluate(self.config, scorer, self.data.measured_loader(), train, name)
            for name, scorer in scorers.items()
        }

    def groups(self) -> dict[str, np.ndarray]:
        """Which test instances are of ``all`` people, and of those ``without_news`` and ``with_news``."""
        view = self.data.measured.inter_feat
        news = people_with_news(self.data.log, self.known)[view.log.user[view.positions]]
        return {"all": np.ones(len(news), bool), "without_news": ~news, "with_news": news}

    def similarity(self, found: Mapping[str, Evaluation]) -> Similarity:
        """How alike both models' lists for the same people at the same moment are.

        Args:
            found: from :meth:`measured`.

        Returns:
            The mean of every stability measure by group, unrounded; nothing where there is nobody.
        """
        values = per_instance(self.config, found[DEPLOYED], found[UPDATED])
        return {
            name: {key: float(v[chosen].mean()) for key, v in values.items() if chosen.any()}
            for name, chosen in self.groups().items()
        }
