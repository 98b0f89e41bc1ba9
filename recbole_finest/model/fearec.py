"""FEARec as RecBole has it, without the work that its default settings throw away."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from recbole.data.interaction import Interaction
from recbole.model.sequential_recommender.fearec import FEARec as RecBoleFEARec
from torch import Tensor

if TYPE_CHECKING:
    from recbole.data.dataset import SequentialDataset

CONTRASTS = ("us", "un", "su", "us_x")


class FEARec(RecBoleFEARec):
    """RecBole's FEARec.

    RecBole draws a second history with the same target for every instance, row by row, from a whole
    column of the data set, also when ``contrast`` is null and nothing reads it. The index of equal
    targets takes time quadratic in the training instances there.
    """

    def get_same_item_index(self, dataset: SequentialDataset) -> dict[int, np.ndarray]:
        """Positions of the training instances by target item."""
        targets = dataset.inter_feat[self.ITEM_ID].numpy()
        order = np.argsort(targets, kind="stable")
        items, first = np.unique(targets[order], return_index=True)
        return _Positions(zip(items.tolist(), np.split(order, first[1:])), everything=order)

    def calculate_loss(self, interaction: Interaction) -> Tensor:
        if self.ssl in CONTRASTS:
            return super().calculate_loss(interaction)
        output = self.forward(interaction[self.ITEM_SEQ], interaction[self.ITEM_SEQ_LEN])  # [B, H]
        positive = interaction[self.POS_ITEM_ID]
        items = self.item_embedding.weight
        if self.loss_type == "BPR":
            scores = [
                (output * items[ids]).sum(-1) for ids in (positive, interaction[self.NEG_ITEM_ID])
            ]
            return self.loss_fct(*scores)
        return self.loss_fct(output @ items.T, positive)


class _Positions(dict):
    """An item that is no target of the data set, as a perturbation may put one in, has all positions."""

    def __init__(self, pairs: Iterable[tuple[int, np.ndarray]], everything: np.ndarray):
        super().__init__(pairs)
        self.everything = everything

    def __missing__(self, item: int) -> np.ndarray:
        return self.everything
