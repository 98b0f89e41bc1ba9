"""The test of causality: does one pass over a window give each position its own history's score?"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from recbole_finest.config.config import Config
from recbole_finest.data.dataset import LogDataset
from recbole_finest.data.log import InteractionLog
from recbole_finest.data.packed import Windows, packed_batch
from recbole_finest.scoring.probes import loss_is_mean, why_not_all_positions

PROBE_USERS = 8


def why_not_causal(
    config: Config, model: Any, dataset: LogDataset, trained: bool = False
) -> str | None:
    """Why one pass over whole histories does not serve the model as it is; None where it does.

    Args:
        config: the run's settings.
        model: with weights that show what its scores depend on: :func:`spread_weights`, or trained.
        dataset: a training set.
        trained: whether its scores have the size that training gives them; rounding grows with it.
    """
    every = dataset.log.with_targets(None)  # whichever of them are trained on
    windows, targets = whole_histories(every, dataset.fields.width)
    batch = packed_batch(every, dataset.fields, windows, np.arange(len(windows)))
    device = config["device"]
    tolerance = 1e-4 if trained else 0.0
    return why_not_all_positions(model, batch.to(device), dataset.at(targets).to(device), tolerance)


def loss_is_of_each(config: Config, model: Any, dataset: LogDataset) -> bool:
    """Whether the loss of a few instances is the mean over two parts of them.

    A contrastive loss is not: a window would give it a person's own histories as those of others.
    Arguments as for :func:`why_not_causal`.
    """
    _, targets = whole_histories(dataset.log.with_targets(None), dataset.fields.width)
    parts = (part for part in (targets, targets[::2], targets[1::2]) if len(part))
    whole, *halves = (dataset.at(part).to(config["device"]) for part in parts)
    return loss_is_mean(model, whole, halves)


def whole_histories(log: InteractionLog, width: int) -> tuple[Windows, np.ndarray]:
    """Windows from the first interaction of the few users with the most training rows.

    Args:
        log: whose training rows precede the others.
        width: L; windows are no longer.

    Returns:
        The windows, and the positions of all their targets, ``[N]``.
    """
    rows = np.bincount(log.user[log.train_positions], minlength=log.n_users)
    count = np.minimum(rows - 1, width)
    users = (-count).argsort(kind="stable")[:PROBE_USERS]
    users = users[count[users] > 0]
    start, count = log.user_begin[users].astype(np.int64), count[users]
    stop = start + 1 + count
    windows = Windows(start, start + 1, stop, np.zeros(len(users), np.uint64), count)
    ranges = [np.arange(a + 1, b) for a, b in zip(start, stop)]
    return windows, np.concatenate(ranges)


def spread_weights(model: nn.Module) -> None:
    """Move every parameter, scalars too: fresh weights can be too small to show a dependence, gates shut.

    Those of at most one dimension move by 0.05 … 0.15, so that no gate stays at 0.
    """
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in model.parameters():
            noise = 0.1 * torch.randn(weight.shape, generator=generator)
            if weight.dim() < 2:
                noise = noise.sign() * (0.05 + noise.abs().clamp(max=0.1))
            weight.add_(noise.to(weight))
