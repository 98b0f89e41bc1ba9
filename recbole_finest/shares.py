"""A global batch cut into one share a process, and what each share weighs.

With R processes every one makes the same global batch and keeps its share, so that batches, negative
samples and masks are those of one process. A share's loss is a mean over the share's own instances;
times (its instances · R / all instances), the mean of the R gradients is the gradient of the mean over
the global batch. A share without any instance holds one stand-in, which weighs nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from recbole.data.interaction import Interaction
from torch import Tensor, nn

from recbole_finest import distributed
from recbole_finest.data.instances import ROW_FIELD
from recbole_finest.errors import UserError
from recbole_finest.method.base import Method, Step
from recbole_finest.reference import ReferenceLists

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


def units(model: nn.Module, batch: Interaction) -> int:
    """What a model's loss is the mean over: a share's instances, or BERT4Rec's masked positions."""
    rows = batch[ROW_FIELD]
    if int(rows[0]) == STAND_IN:
        return 0
    masked = getattr(model, "MASK_INDEX", None)
    if masked is not None and masked in batch:
        return int((batch[masked] > 0).sum())
    return len(rows)


def _weight(own: int, all_of_them: list[int]) -> float:
    total = sum(all_of_them)
    return own * len(all_of_them) / total if total else 1.0


def weighted(loss: Tensor, model: nn.Module, batch: Interaction) -> Tensor:
    """The next-item loss of this process's share, weighed."""
    if distributed.world_size() == 1:
        return loss
    own = units(model, batch)
    return loss * _weight(own, distributed.gather(own))


def method_loss(
    method: Method,
    step: Step,
    model: nn.Module,
    batch: Interaction,
    rows: Tensor,
    references: ReferenceLists | None,
) -> Tensor:
    """A method's loss of this process's share, weighed.

    The next-item loss is a mean over instances, a regulariser one over those with a reference list:
    each gets the weight of its own denominator.

    Args:
        method, step, model, batch: of the step.
        rows: row ids of the instances that take part in the regulariser, ``[N]``.
        references: the lists, where the method needs them.
    """
    if distributed.world_size() == 1:
        return method.loss(step)
    own = units(model, batch)
    lists = references.count(rows) if method.needs_lists and references is not None else 0
    users = np.unique(batch[method.config["USER_ID_FIELD"]].cpu().numpy())
    found = distributed.gather((own, lists, users))
    weight = _weight(own, [n for n, _, _ in found])
    if lists == 0:
        return weight * method.loss(step)
    of_lists = _weight(lists, [n for _, n, _ in found])
    loss = step.next_item_loss * (weight / of_lists)
    users_of_all = len(np.unique(np.concatenate([ids for _, _, ids in found])))
    return of_lists * method.loss(replace(step, next_item_loss=loss, users=users_of_all))


def places(batch: Interaction, instances: int | None) -> tuple[np.ndarray, int]:
    """Place of each row of a share in the global batch, ``[rows]``, and the rows of that.

    ``instances`` is how many rows of the share are histories of their own; the others repeat them.
    """
    rows = len(batch[ROW_FIELD])
    instances = rows if instances is None else instances
    if distributed.world_size() == 1:
        return np.arange(rows), rows
    own = 0 if int(batch[ROW_FIELD][0]) == STAND_IN else instances
    counts = distributed.gather(own)
    block, index = np.divmod(np.arange(rows), instances)
    before = sum(counts[: distributed.rank()])
    return block * sum(counts) + before + index, rows // instances * sum(counts)


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
    from recbole_finest.scoring import evaluating, packed, shallow
    from recbole_finest.seeding import seed_globals

    batch = batch.to(next(model.parameters()).device)
    seed_globals(0)
    with torch.no_grad(), evaluating(model), packed(model, batch):
        losses = model.calculate_loss(shallow(batch))
    parts = losses if isinstance(losses, tuple) else (losses,)
    return sum(float(part) for part in parts), units(model, batch)
