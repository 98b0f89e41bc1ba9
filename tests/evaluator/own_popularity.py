"""Models of one's own without weights: one list for everybody, and one for each."""

from __future__ import annotations

import torch
from recbole.model.abstract_recommender import SequentialRecommender


class Popularity(SequentialRecommender):
    """Scores an item by how often it is in the training set."""

    def __init__(self, config, dataset):
        super().__init__(config, dataset)
        self.unused = torch.nn.Parameter(torch.zeros(1))
        counted = torch.bincount(dataset.inter_feat[self.POS_ITEM_ID], minlength=self.n_items)
        self.register_buffer("counted", counted.float() + torch.arange(self.n_items) * 1e-3)

    def calculate_loss(self, interaction):
        return (self.unused**2).sum()

    def predict(self, interaction):
        return self.counted[interaction[self.ITEM_ID]]

    def full_sort_predict(self, interaction):
        return self.counted.expand(len(interaction[self.ITEM_SEQ]), -1) + self.unused


class Random(Popularity):
    """Scores an item by its distance from the last one."""

    def full_sort_predict(self, interaction):
        last = interaction[self.ITEM_SEQ].max(dim=1).values
        return -(torch.arange(self.n_items) - last[:, None]).abs().float()
