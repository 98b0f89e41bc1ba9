"""Models of one's own, as people write them: SASRec with a twist."""

from __future__ import annotations

import torch
from recbole.model.sequential_recommender.sasrec import SASRec
from torch import Tensor, nn
from torch.nn import functional as F


class Gated(SASRec):
    """SASRec + ``alpha`` times attention over the whole window; ReZero: ``alpha`` is 0 at first."""

    def __init__(self, config, dataset):
        super().__init__(config, dataset)
        self.alpha = nn.Parameter(torch.zeros(1))

    def gate(self) -> Tensor:
        return self.alpha

    def forward(self, item_seq, item_seq_len):
        place = self.position_embedding(torch.arange(item_seq.shape[1], device=item_seq.device))
        x = self.dropout(self.LayerNorm(self.item_embedding(item_seq) + place))
        mask = self.get_attention_mask(item_seq)
        causal = self.trm_encoder(x, mask, output_all_encoded_layers=True)[-1]
        weights = x @ x.transpose(1, 2) - 1e9 * (item_seq == 0)[:, None]
        whole = torch.softmax(weights, -1) @ x
        return self.gather_indexes(causal + self.gate() * whole, item_seq_len - 1)


class Scheduled(Gated):
    """Its gate is opened by training, by no parameter."""

    def __init__(self, config, dataset):
        super().__init__(config, dataset)
        self.register_buffer("steps", torch.zeros(()))

    def gate(self) -> Tensor:
        return (self.steps > 0).float()

    def calculate_loss(self, interaction):
        if self.training:
            self.steps += 1
        return super().calculate_loss(interaction)


class Timed(SASRec):
    """Its loss reads the time of the target."""

    def calculate_loss(self, interaction):
        weight = 1 + 0 * interaction["timestamp"].mean()
        return weight * super().calculate_loss(interaction)


class Contrastive(SASRec):
    """DuoRec's unsupervised part: two passes over a history, which differ by dropout alone."""

    def __init__(self, config, dataset):
        super().__init__(config, dataset)
        self.cosines: list[float] = []

    def views(self, interaction) -> list[Tensor]:
        given = interaction[self.ITEM_SEQ], interaction[self.ITEM_SEQ_LEN]
        return [self.forward(*given) for _ in range(2)]

    def calculate_loss(self, interaction):
        one, other = self.views(interaction)
        logits = one @ self.item_embedding.weight.T
        loss = self.loss_fct(logits, interaction[self.POS_ITEM_ID])
        if torch.is_grad_enabled():  # a step, no probe
            self.cosines.append(F.cosine_similarity(one, other).mean().item())
        same = F.normalize(one, dim=1) @ F.normalize(other, dim=1).T
        return loss + 0.1 * F.cross_entropy(same, torch.arange(len(same), device=same.device))


class ContrastiveInTraining(Contrastive):
    """Its second pass is one over the encoder, and in training mode only."""

    def views(self, interaction) -> list[Tensor]:
        if not self.training:
            return super().views(interaction)[:1] * 2
        items, length = interaction[self.ITEM_SEQ], interaction[self.ITEM_SEQ_LEN]
        return [self._encoded(items, length) for _ in range(2)]

    def _encoded(self, items: Tensor, length: Tensor) -> Tensor:
        return SASRec.forward(self, items, length)


SASREC = {
    "n_layers": 1,
    "n_heads": 2,
    "hidden_size": 16,
    "inner_size": 16,
    "hidden_dropout_prob": 0.5,
    "attn_dropout_prob": 0.5,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
    "initializer_range": 0.02,
    "loss_type": "CE",
}


def settings_of(model: str | type, toy: dict, **changed) -> dict:
    """Settings of a toy run; a class of one's own gets SASRec's beside."""
    return {**toy, **(SASREC if isinstance(model, type) else {}), **changed}
