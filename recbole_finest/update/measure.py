"""The deployed and tonight's model on the same histories: lists, accuracy, similarity."""

from __future__ import annotations

import numpy as np
import torch
from recbole.data.interaction import Interaction
from torch import Tensor, nn

from recbole_finest.config.config import Config
from recbole_finest.data.prepare import Data
from recbole_finest.evaluator.evaluation import Evaluation, evaluate, per_instance
from recbole_finest.scoring.scorer import Scorer

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


def measured(config: Config, data: Data, scorer: Scorer, name: str) -> Evaluation:
    """A model's lists and accuracy on today's test instances."""
    train = data.train_loader("evaluation")
    return evaluate(config, scorer, data.test_loader(), train, name)


def similarity(
    config: Config, data: Data, deployed: Evaluation, updated: Evaluation, news: np.ndarray
) -> tuple[Similarity, dict[str, int]]:
    """How alike the two models' lists for the same people at the same moment are.

    Args:
        config, data: of tonight.
        deployed, updated: the two models' lists.
        news: whether each user has news, ``[n_users]``.

    Returns:
        The mean of every stability measure of ``all`` people, of those ``without_news`` and ``with_news``,
        unrounded, nothing where there is nobody; and how many test instances each is a mean over.
    """
    values = per_instance(config, deployed, updated)
    view = data.test.inter_feat
    with_news = news[view.log.user[view.positions]]
    groups = {
        "all": np.ones(len(with_news), bool),
        "without_news": ~with_news,
        "with_news": with_news,
    }
    means = {
        name: {key: float(value[chosen].mean()) for key, value in values.items()}
        for name, chosen in groups.items()
        if chosen.any()
    }
    counts = {name: int(chosen.sum()) for name, chosen in groups.items()}
    return {name: means.get(name, {}) for name in groups}, counts
