"""The rank-preserving loss of FINEST."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class RankPreservingLoss(nn.Module):
    r"""Hinge losses that keep a reference list in order and ahead of its competitors.

    With scores :math:`s` of the 2K items of a reference list :math:`r` and margin :math:`m`:

    .. math::
        order      &= \frac{1}{K-1} \sum_{k<K} \max(0,\, m - (s_{r_k} - s_{r_{k+1}})) \\
        separation &= \frac{1}{K} \sum_{k \le K} \max(0,\, m - (s_{r_k} - s_{r_{k+K}}))

    Oh, Ustun, McAuley, Kumar: FINEST, TKDD 2024 (arXiv 2402.03481), section 4.

    Args:
        margin: m, in logits; at least 0.

    Example:
        >>> RankPreservingLoss(0.5)(torch.tensor([[2.0, 1.8, 1.0, 1.7]]))  # K = 2
        tensor([0.5000])
    """

    def __init__(self, margin: float):
        super().__init__()
        self.margin = margin

    def forward(self, scores: Tensor) -> Tensor:
        """Per-instance losses ``[B]`` from scores ``[B, 2K]`` in the order of the reference list."""
        order, separation = self.parts(scores)
        return order + separation

    def parts(self, scores: Tensor) -> tuple[Tensor, Tensor]:
        """Order and separation loss of each instance, ``[B]`` each."""
        k = scores.shape[1] // 2
        if k < 2 or scores.shape[1] != 2 * k:
            raise ValueError(f"a reference list must have 2K >= 4 items, but has {scores.shape[1]}")
        top, competitors = scores[:, :k], scores[:, k:]
        order = torch.relu(self.margin - (top[:, :-1] - top[:, 1:])).mean(1)
        separation = torch.relu(self.margin - (top - competitors)).mean(1)
        return order, separation
