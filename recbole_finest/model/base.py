"""What the models of this package share: one vector per history, one linear score per item."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import SequentialRecommender
from recbole.model.loss import BPRLoss
from torch import Tensor, nn
from torch.nn import functional as F

from recbole_finest.errors import UserError

if TYPE_CHECKING:
    from recbole.config import Config
    from recbole.data.dataset import SequentialDataset


class NextItemRecommender(SequentialRecommender):
    """A causal encoder followed by ``score = output · weight[item] + bias[item]``.

    A subclass defines ``forward``, which ends in ``self.gather_indexes(states, item_seq_len - 1)``,
    and ``output_layer``. The state at position t must depend on positions up to t only: then an
    override of ``gather_indexes`` can score every position of ``[B, L]`` windows in one pass. N is
    the number of rows that ``gather_indexes`` returns: B, or as many as an override selects. The
    target and negative items have N rows, the sequence fields and the user id B.
    """

    def __init__(self, config: Config, dataset: SequentialDataset):
        super().__init__(config, dataset)
        self.loss_type = config["loss_type"]
        losses = {"CE": nn.CrossEntropyLoss, "BPR": BPRLoss}
        if self.loss_type not in losses:
            raise UserError(f"loss_type is {self.loss_type!r}: set it to 'CE' or 'BPR'.")
        self.loss_fct = losses[self.loss_type]()

    def output_layer(self) -> tuple[Tensor, Tensor | None]:
        """Weight ``[n_items, H]`` and bias ``[n_items]`` (or None) of the score."""
        raise NotImplementedError

    def encode(self, interaction: Interaction) -> Tensor:
        """The scored positions' vectors, ``[N, H]``."""
        return self.forward(interaction[self.ITEM_SEQ], interaction[self.ITEM_SEQ_LEN])

    def score_items(self, output: Tensor, items: Tensor) -> Tensor:
        """Score of one item per row, ``[N]``, from ``[N, H]`` and ``[N]``."""
        weight, bias = self.output_layer()
        score = (output * F.embedding(items, weight)).sum(-1)
        return score if bias is None else score + bias[items]

    def calculate_loss(self, interaction: Interaction) -> Tensor:
        output = self.encode(interaction)
        pos_items = interaction[self.POS_ITEM_ID]
        if self.loss_type == "BPR":
            neg_items = interaction[self.NEG_ITEM_ID]
            pos_score = self.score_items(output, pos_items)
            return self.loss_fct(pos_score, self.score_items(output, neg_items))
        return self.loss_fct(F.linear(output, *self.output_layer()), pos_items)

    def predict(self, interaction: Interaction) -> Tensor:
        return self.score_items(self.encode(interaction), interaction[self.ITEM_ID])  # [N]

    def full_sort_predict(self, interaction: Interaction) -> Tensor:
        return F.linear(self.encode(interaction), *self.output_layer())  # [N, n_items]


def init_normal(model: nn.Module, std: float) -> None:
    """Draw linear and embedding weights from N(0, std²), set biases to 0: as RecBole's SASRec."""
    for module in model.modules():
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=std)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)


def is_item(item_seq: Tensor) -> Tensor:
    """1.0 where ``item_seq`` holds an item and 0.0 where it holds padding, ``[B, L, 1]``."""
    return (item_seq != 0).to(torch.get_default_dtype()).unsqueeze(-1)
