"""TransRec as RecBole has it, scoring all items in memory that grows with batch × items only."""

from __future__ import annotations

import torch
from recbole.data.interaction import Interaction
from recbole.model.sequential_recommender.transrec import TransRec as RecBoleTransRec
from torch import Tensor

EXACT = "donot_use_mm_for_euclid_dist"


class TransRec(RecBoleTransRec):
    """RecBole's TransRec; its full sorting builds ``[B, n_items, H]`` tensors, this one none."""

    def full_sort_predict(self, interaction: Interaction) -> Tensor:
        """Popularity of the item minus its distance from the translated last item, ``[B, n_items]``."""
        output = self.forward(
            interaction[self.USER_ID], interaction[self.ITEM_SEQ], interaction[self.ITEM_SEQ_LEN]
        )  # [B, H]
        distance = torch.cdist(output, self.item_embedding.weight, compute_mode=EXACT)
        return self.bias.weight.squeeze(-1) - distance
