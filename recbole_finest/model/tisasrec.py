"""TiSASRec: self-attention over absolute positions and personalised time intervals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from recbole.data.interaction import Interaction
from torch import Tensor, nn

from recbole_finest.errors import UserError
from recbole_finest.model.base import NextItemRecommender, init_normal
from recbole_finest.model.interval_units import NO_TIME, interval_units

if TYPE_CHECKING:
    from recbole.config import Config
    from recbole.data.dataset import SequentialDataset


class TimeIntervalAttention(nn.Module):
    r"""Attention of position i over positions j ≤ i (section 3.4), for each head of width d::

        e_ij = q_i · (k_j + pk_j + rk_ij) / √d          a_i = softmax_j(e_ij)
        z_i  = Σ_j a_ij (v_j + pv_j + rv_ij)

    with pk, pv the position embeddings for keys and for values, and rk_ij, rv_ij the rows
    ``intervals[i, j]`` of two tables of R rows. As q_i · rk_ij is one of the R numbers q_i · table,
    and Σ_j a_ij rv_ij weights each row by the attention that falls on its interval, both terms cost
    ``[B, heads, L, R]``, and no ``[B, L, L, H]`` tensor is ever made.
    """

    def __init__(self, hidden_size: int, n_heads: int, dropout: float):
        super().__init__()
        if hidden_size % n_heads:
            raise UserError(
                f"hidden_size {hidden_size} is not a multiple of n_heads {n_heads}: change either."
            )
        self.n_heads = n_heads
        self.query = nn.Linear(hidden_size, hidden_size)
        self.key = nn.Linear(hidden_size, hidden_size)
        self.value = nn.Linear(hidden_size, hidden_size)
        self.dropout = nn.Dropout(dropout)

    def _heads(self, x: Tensor) -> Tensor:
        """``[…, H]`` to ``[heads, …, d]``."""
        return x.unflatten(-1, (self.n_heads, -1)).movedim(-2, 0)

    def forward(
        self,
        inputs: Tensor,
        positions: tuple[Tensor, Tensor],
        table: tuple[Tensor, Tensor],
        intervals: Tensor,
        mask: Tensor,
    ) -> Tensor:
        """Mix ``inputs`` ``[B, L, H]``.

        Args:
            positions: embeddings of the positions for keys and for values, ``[L, H]`` each.
            table: embeddings of the intervals for keys and for values, ``[R, H]`` each.
            intervals: rows of the table, ``[B, L, L]``, int64.
            mask: added to the scores, ``[B, 1, L, L]``.
        """
        query = self._heads(self.query(inputs))  # [heads, B, L, d]
        key = self._heads(self.key(inputs) + positions[0])
        value = self._heads(self.value(inputs) + positions[1])
        table_key, table_value = self._heads(table[0]), self._heads(table[1])  # [heads, R, d]
        index = intervals.expand(self.n_heads, -1, -1, -1)  # [heads, B, L, L]

        # queries of all histories in one matrix: they share the table
        of_interval = torch.bmm(query.flatten(1, 2), table_key.transpose(1, 2))  # [heads, B L, R]
        of_interval = of_interval.unflatten(1, query.shape[1:3])
        scores = torch.matmul(query, key.transpose(-1, -2)) + of_interval.gather(-1, index)
        scores = scores / math.sqrt(query.shape[-1]) + mask.transpose(0, 1)
        weights = self.dropout(torch.softmax(scores, dim=-1))  # [heads, B, L, L]
        on_interval = torch.zeros_like(of_interval, dtype=weights.dtype)
        on_interval = on_interval.scatter_add(-1, index, weights).flatten(1, 2)  # [heads, B L, R]
        mixed = torch.bmm(on_interval, table_value).view_as(query)
        mixed = mixed + torch.matmul(weights, value)  # [heads, B, L, d]
        return mixed.movedim(0, -2).flatten(-2)  # [B, L, H]


class TiSASRecBlock(nn.Module):
    """``y = x + Attention(LayerNorm(x))``, then ``y + W2 ReLU(W1 LayerNorm(y) + b1) + b2``.

    Dropout precedes each sum.
    """

    def __init__(self, config: Config, hidden_size: int):
        super().__init__()
        inner_size = config["inner_size"] or hidden_size
        dropout, eps = config["hidden_dropout_prob"], config["layer_norm_eps"]
        self.attention = TimeIntervalAttention(
            hidden_size, config["n_heads"], config["attn_dropout_prob"]
        )
        self.attention_norm = nn.LayerNorm(hidden_size, eps=eps)
        self.feed_forward = nn.Sequential(
            nn.Linear(hidden_size, inner_size), nn.ReLU(), nn.Linear(inner_size, hidden_size)
        )
        self.feed_forward_norm = nn.LayerNorm(hidden_size, eps=eps)
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs: Tensor, *context: Any) -> Tensor:
        mixed = self.attention(self.attention_norm(inputs), *context)
        mixed = inputs + self.dropout(mixed)
        return mixed + self.dropout(self.feed_forward(self.feed_forward_norm(mixed)))


class TiSASRec(NextItemRecommender):
    r"""Li, Wang, McAuley, "Time Interval Aware Self-Attention for Sequential Recommendation",
    WSDM 2020.

    The interval between two interactions of user u is ``min(time_span, ⌊|t_i - t_j| / unit_u⌋)``
    (section 3.2; ``unit_u``: see ``interval_units``). Positions and intervals have one embedding
    for keys and one for values each, shared by the layers (3.3). A layer is
    ``TimeIntervalAttention`` and a position-wise feed-forward network with residual connections,
    dropout and layer normalisation (3.4). Scores are inner products with the item embeddings (3.5).
    Trained with RecBole's cross-entropy or BPR, where the paper takes binary cross-entropy.

    Reads times relative to the user's first one (``timestamp_offset_list``) where the batch has
    them, else RecBole's ``timestamp_list``, whose 32 bits keep Unix times to 64 or 128 seconds.

    Settings: ``n_layers``, ``n_heads``, ``hidden_size``, ``inner_size``, ``time_span``,
    ``hidden_dropout_prob``, ``attn_dropout_prob``, ``layer_norm_eps``, ``initializer_range``,
    ``loss_type``.
    """

    reads_time_offsets = True  # asks the data set for timestamp_offset_list
    interval_unit: Tensor  # [n_users]

    def __init__(self, config: Config, dataset: SequentialDataset):
        super().__init__(config, dataset)
        hidden_size, self.time_span = config["hidden_size"], config["time_span"]
        time_field, suffix = config["TIME_FIELD"], config["LIST_SUFFIX"]
        self.time_fields = (f"{time_field}_offset{suffix}", f"{time_field}{suffix}")
        self.register_buffer("interval_unit", interval_units(dataset, config))
        self.item_embedding = nn.Embedding(self.n_items, hidden_size, padding_idx=0)
        self.position_key = nn.Embedding(self.max_seq_length, hidden_size)
        self.position_value = nn.Embedding(self.max_seq_length, hidden_size)
        self.interval_key = nn.Embedding(self.time_span + 1, hidden_size)
        self.interval_value = nn.Embedding(self.time_span + 1, hidden_size)
        self.dropout = nn.Dropout(config["hidden_dropout_prob"])
        self.blocks = nn.ModuleList(
            [TiSASRecBlock(config, hidden_size) for _ in range(config["n_layers"])]
        )
        self.output_norm = nn.LayerNorm(hidden_size, eps=config["layer_norm_eps"])
        init_normal(self, config["initializer_range"])

    def output_layer(self) -> tuple[Tensor, None]:
        return self.item_embedding.weight, None

    def encode(self, interaction: Interaction) -> Tensor:
        item_seq, item_seq_len = interaction[self.ITEM_SEQ], interaction[self.ITEM_SEQ_LEN]
        return self.forward(item_seq, item_seq_len, self.intervals(interaction))

    def intervals(self, interaction: Interaction) -> Tensor:
        """Intervals between the interactions of each history, ``[B, L, L]``, 0 … ``time_span``."""
        field = next((name for name in self.time_fields if name in interaction), None)
        if field is None:
            raise UserError(NO_TIME)
        time = interaction[field]  # [B, L]
        unit = self.interval_unit[interaction[self.USER_ID]].to(time.dtype)  # [B]
        gap = (time.unsqueeze(2) - time.unsqueeze(1)).abs()
        return (gap / unit.view(-1, 1, 1)).floor().clamp_(max=self.time_span).long()

    def forward(self, item_seq: Tensor, item_seq_len: Tensor, intervals: Tensor) -> Tensor:
        """Outputs at the last item, ``[N, H]``.

        Args:
            item_seq: ``[B, L]``.
            item_seq_len: ``[B]``.
            intervals: ``[B, L, L]``, see ``intervals``.
        """
        length = item_seq.shape[1]
        positions = self.position_key.weight[:length], self.position_value.weight[:length]
        table = self.interval_key.weight, self.interval_value.weight
        mask = self.get_attention_mask(item_seq)  # [B, 1, L, L]
        states = self.dropout(self.item_embedding(item_seq))  # [B, L, H]
        for block in self.blocks:
            states = block(states, positions, table, intervals, mask)
        return self.gather_indexes(self.output_norm(states), item_seq_len - 1)
