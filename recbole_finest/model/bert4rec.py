"""BERT4Rec as RecBole has it, without the Python loop over the rows of a batch."""

from __future__ import annotations

import torch
from recbole.model.sequential_recommender.bert4rec import BERT4Rec as RecBoleBERT4Rec
from torch import Tensor


class BERT4Rec(RecBoleBERT4Rec):
    """RecBole's BERT4Rec, scoring without a loop."""

    def reconstruct_test_data(self, item_seq: Tensor, item_seq_len: Tensor) -> Tensor:
        """Drop the first item and append the mask: ``[5, 6, 7] → [6, 7, mask]``, ``[B, L]``."""
        item_seq = torch.cat((item_seq, item_seq.new_zeros(len(item_seq), 1)), dim=1)
        return item_seq.scatter(1, item_seq_len.unsqueeze(1), self.mask_token)[:, 1:]
