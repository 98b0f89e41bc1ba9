"""The learning rate of base over its training."""

from __future__ import annotations

import math

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

SCHEDULES = ("constant", "linear", "cosine")


def learning_rate_schedule(
    optimizer: Optimizer, kind: str, warmup_ratio: float, steps: int
) -> LambdaLR:
    """PyTorch's scheduler that rises linearly to the learning rate and then follows ``kind``.

    Args:
        optimizer: with the peak learning rate.
        kind: ``constant``; ``linear``, falling to 0 in a line; ``cosine``, in half a cosine (Loshchilov,
            Hutter, SGDR, ICLR 2017, arXiv 1608.03983, without restarts).
        warmup_ratio: share of the steps in which it rises.
        steps: of the whole training.
    """
    warmup = round(warmup_ratio * steps)

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        if kind == "constant":
            return 1.0
        done = min(1.0, (step - warmup) / max(1, steps - warmup))
        return 1 - done if kind == "linear" else 0.5 * (1 + math.cos(math.pi * done))

    return LambdaLR(optimizer, factor)
