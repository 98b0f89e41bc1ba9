"""KSR as RecBole has it, made to run: weights of a data set are 64-bit floats there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recbole.model.sequential_recommender.ksr import KSR as RecBoleKSR

if TYPE_CHECKING:
    from recbole.config import Config
    from recbole.data.dataset import SequentialDataset


class KSR(RecBoleKSR):
    """RecBole's KSR with its relation vectors as a 32-bit buffer.

    RecBole keeps them as a plain 64-bit tensor: the first product with the 32-bit states fails, and
    ``model.to(device)`` leaves the tensor behind. They come from the data set, so they are no part of
    a checkpoint.
    """

    def __init__(self, config: Config, dataset: SequentialDataset):
        super().__init__(config, dataset)
        relations = self.relation_Matrix.to(self.entity_embedding.weight.dtype)  # [R, K]
        del self.relation_Matrix
        self.register_buffer("relation_Matrix", relations, persistent=False)
