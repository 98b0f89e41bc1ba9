"""Batch transforms: RecBole's mask and inverse, vectorised; and simulated perturbations of the log.

A batch transform is called as RecBole's are, ``transform(dataset, interaction)``; one that draws is
given its generator by the loader before every batch. A log transform is called as
``transform(log, rng)`` and returns another log; it feeds RecBole's loader before any batch exists, so
that one perturbed interaction is seen changed by every training instance that contains it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from recbole.data import transform as recbole_transform
from recbole.data.dataset import Dataset
from recbole.data.interaction import Interaction

from recbole_finest.data.instances import KEY_FIELD
from recbole_finest.data.log import InteractionLog
from recbole_finest.data.perturbation import perturb
from recbole_finest.errors import UserError
from recbole_finest.seeding import Keys, keyed_uniform

BatchTransform = Callable[[Dataset, Interaction], Interaction]


class MaskItemSequence:
    """RecBole's ``mask_itemseq`` (the Cloze task of BERT4Rec), without its loops over rows and items.

    With probability ``ft_ratio`` the whole batch has its last item masked; else every item is masked
    with probability ``mask_ratio``. Adds ``[B, L]`` and ``[B, M]`` fields under RecBole's names,
    M = int(mask_ratio · L). An instance's draws depend on its key only, so that a row that leaves
    the batch does not change what is masked in the others.

    Args:
        original: RecBole's transform, whose settings and field names are taken over.
    """

    def __init__(self, original: recbole_transform.MaskItemSequence):
        self.names = original
        self.rng = np.random.default_rng(0)
        if original.mask_item_length < 1:
            raise UserError(
                f"mask_ratio is {original.mask_ratio}, which masks no item of a history of "
                f"MAX_ITEM_LIST_LENGTH={original.max_seq_length}; raise one of them so that their "
                "product reaches 1"
            )

    def __call__(self, dataset: Dataset, interaction: Interaction) -> Interaction:
        names = self.names
        items = interaction[names.ITEM_SEQ].numpy()  # [B, L]
        n_items, width = dataset.num(names.ITEM_ID), names.mask_item_length
        keys = _keys(interaction, len(items))
        last_only = self.rng.random() < names.ft_ratio
        for_masks, for_negatives = self.rng.integers(2**63 - 1, size=2).tolist()
        if last_only:
            last = interaction[names.ITEM_SEQ_LEN].numpy() - 1
            masked = np.arange(items.shape[1]) == last[:, None]
        else:
            draws = keyed_uniform(keys, for_masks, items.shape[1])
            masked = (draws < names.mask_ratio) & (items != 0)
        from_right = masked[:, ::-1].cumsum(1)[:, ::-1]  # of masked ones; only ``width`` have room
        row, position = np.nonzero(masked & (from_right <= width))
        place = row, width - from_right[row, position]
        positive, index, negative = np.zeros((3, len(items), width), np.int64)
        positive[place], index[place] = items[row, position], position
        draws = keyed_uniform(keys, for_negatives, width)
        negative[place] = absent_items(items, n_items, row, draws[place])
        new = {
            names.MASK_ITEM_SEQ: np.where(masked, n_items, items),
            names.POS_ITEMS: positive,
            names.NEG_ITEMS: negative,
            names.MASK_INDEX: index,
        }
        interaction.update(Interaction({k: torch.from_numpy(v) for k, v in new.items()}))
        return interaction


def _keys(interaction: Interaction, n: int) -> Keys:
    """Keys of the instances of a batch; their places in it where it has none."""
    if KEY_FIELD in interaction:
        return interaction[KEY_FIELD].numpy().view(np.uint64)
    return np.arange(n, dtype=np.uint64)


def absent_items(
    histories: np.ndarray, n_items: int, row: np.ndarray, draws: np.ndarray
) -> np.ndarray:
    """Uniform items that are not in the history of their row, ``[P]``, from uniform draws.

    A draw u becomes the ⌊u · f⌋-th (from 0) of the f items that the history lacks: that number, plus
    1, plus how many items of the history come before.

    Args:
        histories: ``[B, L]``, padded with zeros.
        n_items: number of item ids, padding included.
        row: history of each draw, ``[P]``.
        draws: ``[P]``, in [0, 1).

    Raises:
        UserError: a history has every item.
    """
    present = np.sort(histories, axis=1)
    new = present > 0
    new[:, 1:] &= present[:, 1:] != present[:, :-1]
    rank = new.cumsum(1)
    free = n_items - 1 - rank[:, -1]
    if len(free) and free.min() < 1:
        raise UserError(
            f"a history has all {n_items - 1} items, so no negative item can be drawn for it; lower "
            "MAX_ITEM_LIST_LENGTH or leave such users out with user_inter_num_interval"
        )
    # the items of all histories in one ascending row: row number, then items lacking before it
    lacking = (np.arange(len(present))[:, None] * n_items + present - rank)[new]
    number = (draws * free[row]).astype(np.int64)
    ends = np.append(0, np.cumsum(rank[:, -1]))
    before = np.searchsorted(lacking, row * n_items + number, "right") - ends[row]
    return number + 1 + before


class InverseItemSequence:
    """RecBole's ``inverse_itemseq`` without its loop: padding moved to the front, [1,2,0] → [0,1,2]."""

    def __init__(self, original: recbole_transform.InverseItemSequence):
        self.names = original

    def __call__(self, dataset: Dataset, interaction: Interaction) -> Interaction:
        items = interaction[self.names.ITEM_SEQ]
        length = interaction[self.names.ITEM_SEQ_LEN]
        source = torch.arange(items.shape[1]) - (items.shape[1] - length)[:, None]
        reverse = items.gather(1, source.clamp(min=0)) * (source >= 0)
        interaction.update(Interaction({self.names.INVERSE_ITEM_SEQ: reverse}))
        return interaction


def vectorized(transform: BatchTransform) -> BatchTransform:
    """Our counterpart of one of RecBole's transforms, or the transform itself where there is none."""
    table: dict[type, Callable[..., BatchTransform]] = {
        recbole_transform.MaskItemSequence: MaskItemSequence,
        recbole_transform.InverseItemSequence: InverseItemSequence,
    }
    ours = table.get(type(transform))
    return ours(transform) if ours else transform


@dataclass(frozen=True)
class LogPerturbation:
    """A perturbation (kind × selection × item choice) as a transform of the interaction log.

    >>> log = InteractionLog.from_columns(user=[1, 1, 1, 2], item=[1, 2, 3, 1], time=[0, 1, 2, 0])
    >>> simulate = LogPerturbation("deletion", amount={"count": 1})
    >>> len(simulate(log, np.random.default_rng(0)))
    3
    """

    kind: str
    selection: str = "random"
    item_choice: str = "random"
    amount: dict[str, Any] = field(default_factory=dict)

    def __call__(self, log: InteractionLog, rng: np.random.Generator) -> InteractionLog:
        return perturb(log, self.kind, self.selection, self.item_choice, rng=rng, **self.amount)[0]


@dataclass(frozen=True)
class OneOf:
    """One of several log transforms, drawn for each call: FINEST draws a kind for a whole epoch."""

    transforms: tuple[LogPerturbation, ...]

    def __call__(self, log: InteractionLog, rng: np.random.Generator) -> InteractionLog:
        return self.transforms[int(rng.integers(len(self.transforms)))](log, rng)


@dataclass(frozen=True)
class Compose:
    """Log transforms one after another, from one generator."""

    transforms: tuple[Any, ...]

    def __call__(self, log: InteractionLog, rng: np.random.Generator) -> InteractionLog:
        for transform in self.transforms:
            log = transform(log, rng)
        return log
