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
from recbole_finest.data.log import InteractionLog
from recbole_finest.data.order import StableOrder
from recbole_finest.data.packed import WindowPlan, Windows, packed_batch
from recbole_finest.data.share import row_share, stand_in, window_share
from recbole_finest.data.transform import SLOT_FIELD, vectorized
from recbole_finest.parallel import distributed
from recbole_finest.seeding import derive_seed, generator, seed_globals, seed_torch

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

    With ``shuffle_order: stable`` the batches come from :class:`StableOrder`, and all random streams
    (negative samples, masks, dropout) are seeded from (seed, stage, epoch, step) before each batch.
    With ``shuffle_order: recbole`` both are RecBole's own: the same generator gives the same batches.

    In a training of several processes each one makes the same batches, and gives its share of them.

    Args:
        config: the run's settings.
        dataset: training set, of the clean log or of a perturbed one.
        sampler: RecBole's negative sampler, or None.
        stage: name of the training stage, which its random streams depend on.
        order: the order that loaders over logs of one clean log share; made when missing.
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

    def _new_order(self) -> Any:
        rows = None if self.shuffle else np.argsort(self._dataset.training_rank(), kind="stable")
        return StableOrder(
            self._dataset.clean_log, self.step, self.config["seed"], self.stage, rows
        )

    def __len__(self) -> int:
        return len(self.order) if self.stable else -(-len(self._dataset) // self.step)

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
        batches = self.order.batches(self._dataset.log, epoch)

        def make(b: int) -> Interaction | None:
            positions, slots = batches[b]
            if len(positions) == 0:
                return None
            seed = derive_seed(self.config["seed"], "batch", self.stage, epoch, b)
            seed_globals(seed)
            data = self._dataset.at(positions)
            return self._finish(data, slots, np.random.default_rng(seed))

        return self._seeded(_Batches(make, len(batches)), epoch)

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

    def _finish(
        self, data: Interaction, slots: np.ndarray, rng: np.random.Generator
    ) -> Interaction:
        data.update(Interaction({SLOT_FIELD: torch.from_numpy(slots.astype(np.int64))}))
        if _draws(self.transform):
            self.transform.rng = rng
        whole = self._neg_sampling(self.transform(self._dataset, data))
        return whole if self.world == 1 else row_share(whole, len(slots), self.rank, self.world)

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
        rng = np.random.default_rng(seed)
        return self._finish(self._dataset[index], np.arange(len(index)), rng)


def _unchanged(batch: Any) -> Any:
    return batch


def _draws(transform: Any) -> bool:
    return hasattr(transform, "rng")


class PackedLoader(InstanceLoader):
    """Windows instead of single histories; a batch still counts ``train_batch_size`` instances.

    Its ``order`` is a :class:`WindowPlan`.
    """

    def __init__(
        self, config: Config, dataset: LogDataset, sampler: Any, stage: str, order: Any = None
    ):
        super().__init__(config, dataset, sampler, stage, order)
        self.windows: Windows = self.order.windows(dataset.log)

    def _new_order(self) -> WindowPlan:
        width = self.config["MAX_ITEM_LIST_LENGTH"]
        stride = self.config["packed_stride"] or max(1, width // 2)
        return WindowPlan(self._dataset.clean_log, width, stride)

    def __len__(self) -> int:
        return self.order.n_batches(self.step)

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
        if self.shuffle and not self.stable:
            return self._recbole_batches()
        rank = np.arange(len(self.order.start_row))
        if self.shuffle:
            rank = generator(self.config["seed"], "windows", self.stage, epoch).permutation(rank)
        return self.order.batches(self.windows, rank, self.step)

    def _recbole_batches(self) -> list[np.ndarray]:
        """RecBole's shuffling, a permutation of n instances: a window stands where its first one does.

        As there, one instance less gives another permutation and so another order of all windows.
        """
        size = self.windows.instances
        place = torch.randperm(int(size.sum()), generator=self.generator).numpy()
        order = np.argsort(place[np.cumsum(size) - size])
        before = np.cumsum(size[order]) - size[order]
        batches = -(-int(size.sum()) // self.step)
        return np.split(order, np.searchsorted(before // self.step, np.arange(1, batches)))


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
