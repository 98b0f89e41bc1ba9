"""LSTM: item embedding, long short-term memory, linear output over the items."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from recbole_finest.model.base import NextItemRecommender

if TYPE_CHECKING:
    from recbole.config import Config
    from recbole.data.dataset import SequentialDataset


class LSTM(NextItemRecommender):
    r"""The LSTM next-item predictor that CASPER and FINEST study.

    With ``x_t`` the embedding of the t-th item of the history and ``s`` the logistic function
    (Hochreiter and Schmidhuber, Neural Computation 1997; forget gate: Gers et al., 2000)::

        i_t = s(W_i x_t + U_i h_{t-1} + b_i)        f_t = s(W_f x_t + U_f h_{t-1} + b_f)
        g_t = tanh(W_g x_t + U_g h_{t-1} + b_g)     o_t = s(W_o x_t + U_o h_{t-1} + b_o)
        c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t             h_t = o_t ⊙ tanh(c_t)
        scores = W h_t + b                          W: [n_items, hidden_size], an output of its own

    Settings: ``embedding_size``, ``hidden_size``, ``num_layers``, ``dropout_prob``, ``loss_type``.

    Used by: Oh, Ustun, McAuley, Kumar, "Rank List Sensitivity of Recommender Systems to Interaction
    Perturbations", CIKM 2022; the same, "FINEST: Stabilizing Recommendations by Rank-Preserving
    Fine-Tuning", TKDD 2024.
    """

    def __init__(self, config: Config, dataset: SequentialDataset):
        super().__init__(config, dataset)
        hidden_size, n_layers = config["hidden_size"], config["num_layers"]
        dropout = config["dropout_prob"]
        self.item_embedding = nn.Embedding(self.n_items, config["embedding_size"], padding_idx=0)
        self.dropout = nn.Dropout(dropout)
        self.lstm = nn.LSTM(
            input_size=config["embedding_size"],
            hidden_size=hidden_size,
            num_layers=n_layers,
            batch_first=True,
            dropout=dropout if n_layers > 1 else 0.0,  # nn.LSTM drops out between layers only
        )
        self.output = nn.Linear(hidden_size, self.n_items)

    def output_layer(self) -> tuple[Tensor, Tensor]:
        return self.output.weight, self.output.bias

    def forward(self, item_seq: Tensor, item_seq_len: Tensor) -> Tensor:
        """States after the last item, ``[N, H]``, of histories ``[B, L]`` with lengths ``[B]``."""
        embedded = self.dropout(self.item_embedding(item_seq))  # [B, L, E]
        states, _ = self.lstm(embedded)  # [B, L, H]
        # padding follows the items, so no state that is gathered has seen any
        return self.gather_indexes(states, item_seq_len - 1)
