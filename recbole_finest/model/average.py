"""The average of several models' scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from recbole.data.interaction import Interaction
from torch import Tensor, nn
from torch.nn import functional as F

from recbole_finest.model.build import build_model
from recbole_finest.scoring.scorer import Scorer

if TYPE_CHECKING:
    from recbole.data.dataset import SequentialDataset

    from recbole_finest.config.config import Config


class AverageModel(nn.Module):
    """Scores ``mean over members of log softmax(member's logits)``, over the items without padding.

    An ensemble of the same model trained with several seeds, as Lakshminarayanan et al. (NIPS 2017,
    arXiv 1612.01474) make it; RobustRecSys (RecSys 2024) reports that it makes lists more stable. The
    normalisation gives members equal say whatever the scale of their logits: the mean of logarithms is
    that of a geometric mean of distributions, where Lakshminarayanan et al. take the arithmetic one;
    for one member both give its own order, and the logarithm keeps scores far down the list apart.

    Args:
        members: at least one trained model; of any kind that :class:`Scorer` scores.
        dataset: their data set.

    Example::

        model = AverageModel([one, other], data.train)
        Scorer(model, data.train).all_items(batch)
    """

    def __init__(self, members: Sequence[nn.Module], dataset: SequentialDataset):
        super().__init__()
        self.members = nn.ModuleList(members)
        self.dataset = dataset
        self.ITEM_ID = dataset.iid_field

    @classmethod
    def from_checkpoint(
        cls, config: Config, dataset: SequentialDataset, state: Mapping[str, Any]
    ) -> AverageModel:
        """The model that a checkpoint (``ensemble.pth``) holds.

        Args:
            config: the settings of its members.
            dataset: their training set.
            state: from ``torch.load(path, weights_only=True)``.
        """
        weights = state["state_dict"]
        size = len({name.split(".")[1] for name in weights})
        model = cls([build_model(config, dataset) for _ in range(size)], dataset)
        model.load_state_dict(weights)
        return model

    def full_sort_predict(self, interaction: Interaction) -> Tensor:
        """Average log-probabilities of all items, ``[B, n_items]``; 0 in column 0 (padding)."""
        return self.averaged(
            Scorer(member, self.dataset).all_items(interaction) for member in self.members
        )

    @staticmethod
    def averaged(scores: Iterable[Tensor]) -> Tensor:
        """The average of the members' scores of the same instances, ``[B, n_items]`` each."""
        found = [torch.log_softmax(one.float()[:, 1:], 1) for one in scores]
        return F.pad(torch.stack(found).mean(0), (1, 0))

    def predict(self, interaction: Interaction) -> Tensor:
        """That of one item a row, ``[B]``."""
        return self.full_sort_predict(interaction).gather(1, interaction[self.ITEM_ID][:, None])[
            :, 0
        ]
