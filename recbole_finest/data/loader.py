"""Training loaders: RecBole's, with an order and random streams that survive a perturbation."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from recbole.data.dataloader import FullSortEvalDataLoader, TrainDataLoader
from recbole.data.interaction import Interaction
from recbole.data.transform import construct_transform

from recbole_finest.data.dataset import LogDataset
from recbole_finest.data.instances import KEY_FIELD
from recbole_finest.data.log import InteractionLog
from recbole_finest.data.order import StableOrder
from recbole_finest.data.packed import Windows, cut_windows, packed_batch
from recbole_finest.data.share import row_share, stand_in, window_share
from recbole_finest.data.transform import vectorized
from recbole_finest.parallel import distributed
from recbole_finest.seeding import Keys, derive_seed, seed_globals, seed_torch

if TYPE_CHECKING:
    from typing_extensions import Self

    from recbole_finest.config.config import Config


class _Batches(torch.utils.data.Dataset):
    """Batch ``b`` of one epoch, made when a worker (or this process) asks for it."""

    def __init__(self, make: Any, count: int):
        self.make, self.count = make, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, b: int) -> Interaction | None:
        return self.make(b)


class InstanceLoader(TrainDataLoader):
    """RecBole's ``TrainDataLoader`` over a :class:`LogDataset`, one history a row.

    With ``shuffle_order: stable`` the batches come from :class:`StableOrder`, masks and dropout are drawn
    for each instance from its key, and all other random streams (negative samples) are seeded from (seed,
    stage, epoch, step) before each batch.
    With ``shuffle_order: recbole`` both are RecBole's own: the same generator gives the same batches.

    In a training of several processes each one makes the same batches, and gives its share of them.

    Args:
        config: the run's settings.
        dataset: training set, of the clean log or of a perturbed one.
        sampler: RecBole's negative sampler, or None.
        stage: name of the training stage, which its random streams depend on.
        order: the order that loaders over a log and its simulations share; made when missing.
    """

    transform: Any

    def __init__(
        self, config: Config, dataset: LogDataset, sampler: Any, stage: str, order: Any = None
    ):
        # RecBole's constructor makes a list of all row numbers, 36 bytes each; of no rows, an empty one.
        super().__init__(config, dataset.copy(dataset.inter_feat[:0]), sampler, shuffle=False)
        self._dataset = dataset
        self.sample_size = len(dataset)
        self.shuffle = config["shuffle"]
        self.transform = vectorized(self.transform)
        self.stage = stage
        self.rank, self.world = distributed.rank(), distributed.world_size()
        self.epoch = 0
        self.stable = config["shuffle_order"] == "stable"
        self.order = self._new_order() if order is None else order

    def _new_order(self) -> StableOrder:
        return StableOrder(len(self._dataset), self.step, self.config["seed"], self.stage)

    def __len__(self) -> int:
        keyed = self.stable and self.shuffle
        return len(self.order) if keyed else -(-len(self._dataset) // self.step)

    def with_log(self, log: InteractionLog) -> Self:
        """The same loader over another log, continuing its epochs and its generator."""
        dataset = self._dataset.with_log(log)
        other = type(self)(self.config, dataset, self._sampler, self.stage, self.order)
        other.epoch = self.epoch
        other.generator = self.generator
        other.model = self.model  # of dynamic negative sampling
        return other

    def __iter__(self) -> Iterator[Interaction]:
        epoch, self.epoch = self.epoch, self.epoch + 1
        return self._stable_epoch(epoch) if self.stable else self._recbole_epoch(epoch)

    def _recbole_epoch(self, epoch: int) -> Iterator[Interaction]:
        batches = iter(
            torch.utils.data.DataLoader(
                range(len(self._dataset)),  # type: ignore[arg-type]
                batch_size=self.step,
                shuffle=self.shuffle,
                collate_fn=self.collate_fn,
                num_workers=self.config["worker"],
                generator=self.generator,
            )
        )
        return batches if self.world == 1 else self._own_dropout(batches, epoch)

    def _own_dropout(self, batches: Iterator[Interaction], epoch: int) -> Iterator[Interaction]:
        """The batches, PyTorch's generators seeded for each, so that no two processes drop alike."""
        for step, batch in enumerate(batches):
            seed_torch(derive_seed(*self._step_key(epoch, step)))
            yield batch

    def _step_key(self, epoch: int, step: int) -> list[int | str]:
        key: list[int | str] = [self.config["seed"], "step", self.stage, epoch, step]
        return key if self.world == 1 else [*key, self.rank]

    def _stable_epoch(self, epoch: int) -> Iterator[Interaction]:
        log = self._dataset.log
        targets = log.target_positions
        batches = self._batches(log, log.keys[targets], epoch)

        def make(b: int) -> Interaction | None:
            if len(batches[b]) == 0:
                return None
            seed = derive_seed(self.config["seed"], "batch", self.stage, epoch, b)
            seed_globals(seed)
            positions = targets[batches[b]]
            data = self._dataset.at(positions)
            keys = torch.from_numpy(log.keys[positions].view(np.int64))
            data.update(Interaction({KEY_FIELD: keys}))
            return self._finish(data, np.random.default_rng(seed))

        return self._seeded(_Batches(make, len(batches)), epoch)

    def _batches(self, log: InteractionLog, keys: Keys, epoch: int) -> list[np.ndarray]:
        """Indices of the training instances in each batch."""
        if self.shuffle:
            return self.order.batches(keys, epoch)
        rank = self._dataset.training_rank()[log.place[log.target_positions]]
        order = np.argsort(rank, kind="stable")
        return np.split(order, np.arange(self.step, len(order), self.step))

    def _seeded(self, batches: _Batches, epoch: int) -> Iterator[Interaction]:
        """The batches, the global generators seeded for the training step that uses each."""
        inner = torch.utils.data.DataLoader(
            batches,
            batch_size=None,
            num_workers=self.config["worker"],
            generator=torch.Generator(),
            collate_fn=_unchanged,
        )
        for step, batch in enumerate(inner):
            if batch is not None:
                seed_globals(derive_seed(*self._step_key(epoch, step)))
                yield batch

    def _finish(self, data: Interaction, rng: np.random.Generator) -> Interaction:
        if _draws(self.transform):
            self.transform.rng = rng
        n = len(data)
        whole = self._neg_sampling(self.transform(self._dataset, data))
        return whole if self.world == 1 else row_share(whole, n, self.rank, self.world)

    def probe(self, rank: int, world: int, size: int = 16) -> Interaction:
        """Share ``rank`` of ``world`` of a batch of a few training instances."""
        part = copy.copy(self)
        part.rank, part.world = rank, world
        return part._probe(size)

    def _probe(self, size: int) -> Interaction:
        seed_globals(0)
        index = np.linspace(0, len(self._dataset) - 1, size).astype(np.int64)
        return InstanceLoader.collate_fn(self, index)  # self.collate_fn is bound to the original

    def collate_fn(self, index: Any) -> Interaction:
        """RecBole's order: the instances at ``index``; draws come from the global generators."""
        index = np.asarray(index)
        seed = random.getrandbits(63) if _draws(self.transform) else 0
        return self._finish(self._dataset[index], np.random.default_rng(seed))


def _unchanged(batch: Any) -> Any:
    return batch


def _draws(transform: Any) -> bool:
    return hasattr(transform, "rng")


class PackedLoader(InstanceLoader):
    """Windows instead of single histories; a batch still counts ``train_batch_size`` instances."""

    def __init__(
        self,
        config: Config,
        dataset: LogDataset,
        sampler: Any,
        stage: str,
        order: StableOrder | None = None,
    ):
        super().__init__(config, dataset, sampler, stage, order)
        width = config["MAX_ITEM_LIST_LENGTH"]
        stride = config["packed_stride"] or max(1, width // 2)
        self.windows: Windows = cut_windows(dataset.log, width, stride)

    def __len__(self) -> int:
        return len(self.order)

    def __iter__(self) -> Iterator[Interaction]:
        epoch, self.epoch = self.epoch, self.epoch + 1
        index = self._window_batches(epoch)

        def make(b: int) -> Interaction | None:
            return self._share(index[b]) if len(index[b]) else None

        if self.stable:
            return self._seeded(_Batches(make, len(index)), epoch)
        batches = (batch for batch in map(make, range(len(index))) if batch is not None)
        return batches if self.world == 1 else self._own_dropout(batches, epoch)

    def _share(self, index: np.ndarray) -> Interaction:
        """This process's part of the windows ``index``."""
        log, fields = self._dataset.log, self._dataset.fields
        if self.world == 1:
            return packed_batch(log, fields, self.windows, index)
        own = index[window_share(self.windows.instances[index], self.rank, self.world)]
        if len(own):
            return packed_batch(log, fields, self.windows, own)
        return stand_in(packed_batch(log, fields, self.windows, index[:1]))

    def _probe(self, size: int) -> Interaction:
        return self._share(np.linspace(0, len(self.windows) - 1, size).astype(np.int64))

    def _window_batches(self, epoch: int) -> list[np.ndarray]:
        """Indices of the windows of each batch."""
        if not self.shuffle:
            return self._cut(np.arange(len(self.windows)))
        if self.stable:
            return self.order.batches(self.windows.keys, epoch)
        return self._recbole_batches()

    def _cut(self, order: np.ndarray) -> list[np.ndarray]:
        """Windows in this order, cut where they hold ``train_batch_size`` instances."""
        size = self.windows.instances[order]
        batch = (np.cumsum(size) - size) // self.step
        return np.split(order, np.searchsorted(batch, np.arange(1, batch[-1] + 1)))

    def _recbole_batches(self) -> list[np.ndarray]:
        """RecBole's shuffling, a permutation of n instances: a window stands where its first one does.

        As there, one instance less gives another permutation and so another order of all windows.
        """
        size = self.windows.instances
        place = torch.randperm(int(size.sum()), generator=self.generator).numpy()
        return self._cut(np.argsort(place[np.cumsum(size) - size]))


class EvalLoader(FullSortEvalDataLoader):
    """RecBole's full-sorting loader, its transform vectorised and seeded.

    Of several processes, each gets every ``world_size``-th batch, from its rank on; no instance twice.
    """

    step: int

    def __init__(self, config: Config, dataset: LogDataset, sampler: Any = None):
        super().__init__(config, dataset, sampler, shuffle=False)
        if distributed.world_size() > 1:  # no process without a batch
            self.step = min(self.step, -(-self.sample_size // distributed.world_size()))
        self.transform: Any = vectorized(construct_transform(config))

    def __iter__(self) -> Any:
        return super().__iter__() if distributed.world_size() == 1 else self._own_batches()

    def _own_batches(self) -> Iterator[Any]:
        first, stride = distributed.rank() * self.step, distributed.world_size() * self.step
        for begin in range(first, self.sample_size, stride):
            yield self.collate_fn(range(begin, min(begin + self.step, self.sample_size)))

    def collate_fn(self, index: Any) -> Any:
        if _draws(self.transform):
            self.transform.rng = np.random.default_rng(derive_seed(self.config["seed"], "eval"))
        return super().collate_fn(index)
