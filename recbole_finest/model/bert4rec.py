"""BERT4Rec as RecBole has it, without its loop over rows and its scores of padding."""

from __future__ import annotations

import torch
from recbole.data.interaction import Interaction
from recbole.model.sequential_recommender.bert4rec import BERT4Rec as RecBoleBERT4Rec
from torch import Tensor
from torch.nn import functional as F


class BERT4Rec(RecBoleBERT4Rec):
    """RecBole's BERT4Rec: the same scores and the same loss, for less."""

    def reconstruct_test_data(self, item_seq: Tensor, item_seq_len: Tensor) -> Tensor:
        """Drop the first item and append the mask: ``[5, 6, 7] → [6, 7, mask]``, ``[B, L]``."""
        item_seq = torch.cat((item_seq, item_seq.new_zeros(len(item_seq), 1)), dim=1)
        return item_seq.scatter(1, item_seq_len.unsqueeze(1), self.mask_token)[:, 1:]

    def calculate_loss(self, interaction: Interaction) -> Tensor:
        """Mean cross-entropy over the masked positions, a scalar.

        RecBole scores all items at ``mask_ratio · L`` slots of every row and multiplies those that
        hold no masked position by 0; here only the others are scored. As in RecBole, position 0 does
        not count. A batch without any masked position has loss 0.
        """
        if self.loss_type != "CE":
            return super().calculate_loss(interaction)
        masked_index = interaction[self.MASK_INDEX]  # [B, M]
        row, slot = torch.nonzero(masked_index > 0, as_tuple=True)
        hidden = self.forward(interaction[self.MASK_ITEM_SEQ])  # [B, L, H]
        hidden = hidden[row, masked_index[row, slot]]  # [P, H]
        weight = self.item_embedding.weight[: self.n_items]
        logits = F.linear(hidden, weight, self.output_bias)  # [P, n_items]
        wanted = interaction[self.POS_ITEMS][row, slot]
        return F.cross_entropy(logits, wanted, reduction="sum") / max(len(row), 1)
