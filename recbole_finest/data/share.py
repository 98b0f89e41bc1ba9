"""A global batch cut into one share a process, and what each share weighs.

With R processes every one makes the same global batch and keeps its share, so that batches, negative
samples and masks are those of one process. A share's loss is a mean over the share's own instances;
times (its instances · R / all instances), the mean of the R gradients is the gradient of the mean over
the global batch. A share without any instance holds one stand-in, which weighs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from recbole.data.interaction import Interaction
from torch import nn

from recbole_finest.data.instances import ROW_FIELD
from recbole_finest.errors import UserError

STAND_IN = -2  # row id of an instance that only keeps a process company


# Cutting ----------------------------------------------------------------------------------------


def row_share(batch: Interaction, instances: int, rank: int, world: int) -> Interaction:
    """One share of a batch of single histories.

    Args:
        batch: the global batch; its rows are its ``instances``, repeated as a whole for negatives.
        instances: histories of their own in it, at least 1.
        rank, world: which share, of how many.
    """
    first, stop = instances * rank // world, instances * (rank + 1) // world
    empty = first == stop
    kept = np.arange(1) if empty else np.arange(first, stop)
    blocks = np.arange(len(batch) // instances) * instances
    index = torch.from_numpy((blocks[:, None] + kept).reshape(-1))
    share = Interaction({name: batch[name][index] for name in batch.columns})
    return stand_in(share) if empty else share


def window_share(instances: np.ndarray, rank: int, world: int) -> slice:
    """One share of a batch of windows, about even in scored instances; it may be empty.

    Args:
        instances: scored instances of each window, ``[W]``.
        rank, world: which share, of how many.
    """
    middle = np.cumsum(instances) - instances / 2
    ends = np.searchsorted(middle, instances.sum() * np.arange(world + 1) / world)
    return slice(int(ends[rank]), int(ends[rank + 1]))


def stand_in(batch: Interaction) -> Interaction:
    """The same batch, as one that weighs nothing."""
    batch.update(Interaction({ROW_FIELD: torch.full_like(batch[ROW_FIELD], STAND_IN)}))
    return batch


# Weighing ---------------------------------------------------------------------------------------


def rows_of_loss(model: nn.Module, batch: Interaction) -> np.ndarray:
    """What a model's loss is the mean over, of each instance ``[N]``: 1, or BERT4Rec's masked positions.

    These are also its rows of scores. A stand-in has none.
    """
    rows = batch[ROW_FIELD]
    masked = getattr(model, "MASK_INDEX", None)
    if int(rows[0]) == STAND_IN:
        return np.zeros(len(rows), np.int64)
    if masked is not None and masked in batch:
        return (batch[masked] > 0).sum(1).cpu().numpy()
    return np.ones(len(rows), np.int64)


def weight(own: float, all_of_them: Sequence[float]) -> float:
    """What this process's (or part's) mean over ``own`` of all processes' instances weighs."""
    total = sum(all_of_them)
    return own * len(all_of_them) / total if total else 1.0


# What cannot be cut -----------------------------------------------------------------------------


def check_divisible(config: Any, model: nn.Module, loader: Any) -> None:
    """Refuse a model whose loss over a batch is not the mean of its instances' losses.

    Computed on a few instances in evaluation mode, whole and cut in two.

    Args:
        config: the run's settings.
        model: with any weights.
        loader: the training loader; its ``probe`` gives a batch, whole or a share of it.

    Raises:
        UserError: with the reason.
    """
    why = _why_not(config, model, loader)
    if why:
        raise UserError(
            f"model '{config['model']}' cannot be trained in several processes: {why}; leave out nproc "
            "and world_size"
        )


def _why_not(config: Any, model: nn.Module, loader: Any) -> str | None:
    if "train_stage" in config and not config["pre_model_path"]:
        return "its pre-training is a sum over a batch (or give pre_model_path)"
    if any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in model.modules()):
        return "its batch normalisation needs a whole batch at once"
    whole, *parts = [_loss(model, loader.probe(*part)) for part in ((0, 1), (0, 2), (1, 2))]
    total = sum(n for _, n in parts)
    mean = sum(loss * n for loss, n in parts) / max(total, 1)
    if total == whole[1] and abs(mean - whole[0]) <= 1e-4 * abs(whole[0]) + 1e-6:
        return None
    return "its loss is not a mean over the instances of a batch"


def _loss(model: Any, batch: Interaction) -> tuple[float, int]:
    from recbole_finest.scoring.scorer import evaluating, packed, shallow
    from recbole_finest.seeding import seed_globals

    batch = batch.to(next(model.parameters()).device)
    seed_globals(0)
    with torch.no_grad(), evaluating(model), packed(model, batch):
        losses = model.calculate_loss(shallow(batch))
    parts = losses if isinstance(losses, tuple) else (losses,)
    return sum(float(part) for part in parts), int(rows_of_loss(model, batch).sum())
