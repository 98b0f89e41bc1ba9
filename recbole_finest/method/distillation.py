"""Churn reduction by distillation, and by the likelihood of the reference order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from recbole_finest.method.base import LIST_SETTINGS, Method, Step

if TYPE_CHECKING:
    from recbole_finest.config.config import Config


class Distillation(Method):
    """Next-item loss plus the divergence from base's softened scores on the reference items.

    ``weight · T² · KL(softmax(base / T) || softmax(scores / T))``, mean over instances; the churn
    reduction by distillation of Jiang et al., ICLR 2022 (arXiv 2106.02654), with the temperature of
    Hinton et al. (arXiv 1503.02531). Reads ``distillation_weight`` and ``distillation_temperature``.
    """

    needs_lists = True
    needs_reference_scores = True
    reads = ("distillation_weight", "distillation_temperature", *LIST_SETTINGS)

    def __init__(self, config: Config):
        super().__init__(config)
        self.weight = config["distillation_weight"]
        self.temperature = config["distillation_temperature"]

    def loss(self, step: Step) -> Tensor:
        scores = step.scores()
        if len(scores) == 0:
            return step.next_item_loss
        target = F.log_softmax(step.reference_scores() / self.temperature, 1)
        found = F.log_softmax(scores / self.temperature, 1)
        divergence = F.kl_div(found, target, reduction="none", log_target=True).sum(1)
        return step.next_item_loss + self.weight * self.temperature**2 * step.mean(divergence)


class ListMLE(Method):
    """Next-item loss plus the negative Plackett–Luce log-likelihood of the reference order.

    For scores s of a list of 2K items, mean over the first K ranks of
    ``logsumexp(s_k, …, s_2K) - s_k``; ListMLE of Xia et al., ICML 2008. Reads ``listmle_weight``.
    """

    needs_lists = True
    reads = ("listmle_weight", *LIST_SETTINGS)

    def __init__(self, config: Config):
        super().__init__(config)
        self.weight = config["listmle_weight"]

    def loss(self, step: Step) -> Tensor:
        scores = step.scores()
        if len(scores) == 0:
            return step.next_item_loss
        return step.next_item_loss + self.weight * step.mean(negative_log_likelihood(scores))


def negative_log_likelihood(scores: Tensor) -> Tensor:
    """Mean over the first half of the ranks of ``logsumexp(s_k …) - s_k``, ``[B]`` from ``[B, 2K]``.

    >>> negative_log_likelihood(torch.zeros(1, 2))  # log 2: two items, equal scores
    tensor([0.6931])
    """
    k = scores.shape[1] // 2
    rest = torch.logcumsumexp(scores.flip(1), 1).flip(1)
    return (rest - scores)[:, :k].mean(1)
