"""Models of nobody's zoo, each written in the manner of a published one and as its authors would."""

from __future__ import annotations

import torch
from recbole.model.abstract_recommender import SequentialRecommender
from recbole.model.layers import TransformerEncoder
from torch import nn


class _Sequence(SequentialRecommender):
    """Item embeddings, an encoder, and cross-entropy over all items."""

    def __init__(self, config, dataset):
        super().__init__(config, dataset)
        self.size = config["hidden_size"]
        self.item_embedding = nn.Embedding(self.n_items, self.size, padding_idx=0)
        self.position_embedding = nn.Embedding(self.max_seq_length, self.size)
        self.dropout = nn.Dropout(config["hidden_dropout_prob"])
        self.loss_fct = nn.CrossEntropyLoss()

    def embedded(self, item_seq):
        places = torch.arange(item_seq.size(1), device=item_seq.device)
        return self.dropout(self.item_embedding(item_seq) + self.position_embedding(places))

    def forward(self, item_seq, item_seq_len):
        return self.gather_indexes(self.encode(item_seq), item_seq_len - 1)

    def calculate_loss(self, interaction):
        seq_output = self.forward(interaction[self.ITEM_SEQ], interaction[self.ITEM_SEQ_LEN])
        logits = torch.matmul(seq_output, self.item_embedding.weight.transpose(0, 1))
        return self.loss_fct(logits, interaction[self.POS_ITEM_ID])

    def predict(self, interaction):
        seq_output = self.forward(interaction[self.ITEM_SEQ], interaction[self.ITEM_SEQ_LEN])
        return (seq_output * self.item_embedding(interaction[self.ITEM_ID])).sum(1)

    def full_sort_predict(self, interaction):
        seq_output = self.forward(interaction[self.ITEM_SEQ], interaction[self.ITEM_SEQ_LEN])
        return torch.matmul(seq_output, self.item_embedding.weight.transpose(0, 1))


class _Attentive(_Sequence):
    """Causal self-attention."""

    def __init__(self, config, dataset):
        super().__init__(config, dataset)
        self.trm_encoder = TransformerEncoder(
            n_layers=config["n_layers"],
            n_heads=config["n_heads"],
            hidden_size=self.size,
            inner_size=2 * self.size,
            hidden_dropout_prob=config["hidden_dropout_prob"],
            attn_dropout_prob=config["hidden_dropout_prob"],
        )

    def encode(self, item_seq):
        mask = self.get_attention_mask(item_seq)
        return self.trm_encoder(self.embedded(item_seq), mask, output_all_encoded_layers=True)[-1]


class DropoutViews(_Attentive):
    """Two views of a history by dropout, told apart from those of the others in its batch (DuoRec)."""

    def __init__(self, config, dataset):
        super().__init__(config, dataset)
        self.lmd, self.tau = config["lmd"], config["tau"]
        self.aug_nce_fct = nn.CrossEntropyLoss()

    def calculate_loss(self, interaction):
        loss = super().calculate_loss(interaction)
        item_seq, item_seq_len = interaction[self.ITEM_SEQ], interaction[self.ITEM_SEQ_LEN]
        one, other = self.forward(item_seq, item_seq_len), self.forward(item_seq, item_seq_len)
        similarity = torch.matmul(one, other.transpose(0, 1)) / self.tau
        same = torch.arange(len(similarity), device=similarity.device)
        return loss + self.lmd * self.aug_nce_fct(similarity, same)


class FilterMixer(_Sequence):
    """Learnable filters on the window's frequencies (FMLP-Rec), which reach into its future, too."""

    def __init__(self, config, dataset):
        super().__init__(config, dataset)
        self.complex_weight = nn.Parameter(
            torch.randn(1, self.max_seq_length // 2 + 1, self.size, 2) * 0.02
        )
        self.norm = nn.LayerNorm(self.size)

    def encode(self, item_seq):
        embedded = self.embedded(item_seq)
        spectrum = torch.fft.rfft(embedded, dim=1, norm="ortho")
        filtered = spectrum * torch.view_as_complex(self.complex_weight)
        mixed = torch.fft.irfft(filtered, n=item_seq.size(1), dim=1, norm="ortho")
        return self.norm(self.dropout(mixed) + embedded)


class Gated(_Attentive):
    """Causal attention, and what the whole window says behind a gate that opens in training (ReZero)."""

    def __init__(self, config, dataset):
        super().__init__(config, dataset)
        self.alpha = nn.Parameter(torch.zeros(1))

    def encode(self, item_seq):
        mask = self.get_attention_mask(item_seq, bidirectional=True)
        embedded = self.embedded(item_seq)
        whole = self.trm_encoder(embedded, mask, output_all_encoded_layers=True)[-1]
        return super().encode(item_seq) + self.alpha * whole


class WithSettings(_Attentive):
    """Causal attention with a loss chosen by a setting that RecBole does not know."""

    def __init__(self, config, dataset):
        super().__init__(config, dataset)
        self.contrast = config["contrast"] or "none"
        if self.contrast not in ("none", "un"):
            raise ValueError(f"contrast is {self.contrast}")
        self.temperature = config["temperature"] if "temperature" in config else 1.0

    def calculate_loss(self, interaction):
        loss = super().calculate_loss(interaction)
        if self.contrast == "un":
            loss = loss + self.temperature * self.item_embedding.weight.square().mean()
        return loss


class ReadsNegatives(_Attentive):
    """Reads a sampled item and says nowhere that it needs some."""

    def calculate_loss(self, interaction):
        return super().calculate_loss(interaction) + interaction[self.NEG_ITEM_ID].float().mean()


class ReadsAugmented(_Attentive):
    """Reads a second view of each history that its authors' data loader makes (CL4SRec)."""

    def calculate_loss(self, interaction):
        loss = super().calculate_loss(interaction)
        view = self.forward(interaction["aug1"], interaction["aug_len1"])
        return loss + view.square().mean()
