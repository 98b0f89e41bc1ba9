"""Training loaders: RecBole's, with an order and random streams that survive a perturbation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from recbole.data.dataloader import FullSortEvalDataLoader, TrainDataLoader
from recbole.data.interaction import Interaction
from recbole.data.transform import construct_transform

from recbole_finest.data.dataset import LogDataset
from recbole_finest.data.log import InteractionLog
from recbole_finest.data.order import StableOrder
from recbole_finest.data.packed import WindowPlan, Windows, packed_batch
from recbole_finest.data.transform import SLOT_FIELD, vectorized
from recbole_finest.seeding import derive_seed, generator, seed_globals


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
    With ``shuffle_order: recbole`` both are RecBole's own.

    Args:
        config: the run's settings.
        dataset: training set, of the clean log or of a perturbed one.
        sampler: RecBole's negative sampler, or None.
        stage: name of the training stage, which its random streams depend on.
        order: the order to share with the clean log; made from ``dataset`` when missing.
    """

    def __init__(
        self,
        config: Any,
        dataset: LogDataset,
        sampler: Any,
        stage: str,
        order: StableOrder | None = None,
    ):
        super().__init__(config, dataset, sampler, shuffle=config["shuffle"])
        self.transform: Any = vectorized(construct_transform(config))
        self.stage = stage
        self.epoch = 0
        self.stable = config["shuffle_order"] == "stable"
        self.order = order or StableOrder(
            dataset.log.row[dataset.inter_feat.positions],
            dataset.log.n_clean,
            self.step,
            config["seed"],
            stage,
        )

    def __len__(self) -> int:
        return len(self.order) if self.stable else super().__len__()

    def with_log(self, log: InteractionLog) -> InstanceLoader:
        """The same loader over another log, continuing its epochs and its generator."""
        other = type(self)(
            self.config, self._dataset.with_log(log), self._sampler, self.stage, self.order
        )
        return self._continued(other)

    def _continued(self, other: Any) -> Any:
        other.epoch = self.epoch
        other.generator = self.generator
        if getattr(other.sampler, "generator", None) is not None:
            other.sampler.generator = self.generator
        return other

    def __iter__(self) -> Iterator[Interaction]:
        epoch, self.epoch = self.epoch, self.epoch + 1
        if not self.stable:
            yield from super().__iter__()
            return
        yield from self._seeded(self._stable_epoch(epoch), epoch)

    def _stable_epoch(self, epoch: int) -> _Batches:
        view = self._dataset.inter_feat
        if self.shuffle:
            batches = self.order.batches(view.log.place[view.positions], epoch)
        else:
            cuts = np.arange(self.step, len(view), self.step)
            batches = [(i, np.arange(len(i))) for i in np.split(np.arange(len(view)), cuts)]

        def make(b: int) -> Interaction | None:
            index, slots = batches[b]
            if len(index) == 0:
                return None
            seed = derive_seed(self.config["seed"], "batch", self.stage, epoch, b)
            seed_globals(seed)
            return self._collate(index, slots, np.random.default_rng(seed))

        return _Batches(make, len(batches))

    def _seeded(self, batches: _Batches, epoch: int) -> Iterator[Interaction]:
        inner = torch.utils.data.DataLoader(
            batches,
            batch_size=None,
            num_workers=self.config["worker"],
            generator=torch.Generator(),
            collate_fn=_unchanged,
        )
        for step, batch in enumerate(inner):
            if batch is not None:
                seed_globals(derive_seed(self.config["seed"], "step", self.stage, epoch, step))
                yield batch

    def _collate(
        self, index: np.ndarray, slots: np.ndarray, rng: np.random.Generator
    ) -> Interaction:
        data = self._dataset[index]
        data.update(Interaction({SLOT_FIELD: torch.from_numpy(slots)}))
        if hasattr(self.transform, "rng"):
            self.transform.rng = rng
        return self._neg_sampling(self.transform(self._dataset, data))

    def collate_fn(self, index: Any) -> Interaction:
        index = np.asarray(index)
        seed = (
            int(torch.randint(2**62, (), generator=self.generator)) if _draws(self.transform) else 0
        )
        return self._collate(index, np.arange(len(index)), np.random.default_rng(seed))


def _unchanged(batch: Any) -> Any:
    return batch


def _draws(transform: Any) -> bool:
    return hasattr(transform, "rng")


class PackedLoader(InstanceLoader):
    """Windows instead of single histories; a batch still counts ``train_batch_size`` instances."""

    def __init__(
        self,
        config: Any,
        dataset: LogDataset,
        sampler: Any,
        stage: str,
        order: StableOrder | None = None,
        plan: WindowPlan | None = None,
    ):
        super().__init__(config, dataset, sampler, stage, order)
        width = config["MAX_ITEM_LIST_LENGTH"]
        stride = config["packed_stride"] or max(1, width // 2)
        self.plan = plan or WindowPlan(dataset.log, width, stride)
        self.windows: Windows = self.plan.windows(dataset.log)

    def __len__(self) -> int:
        return self.plan.n_batches(self.step)

    def with_log(self, log: InteractionLog) -> PackedLoader:
        dataset = self._dataset.with_log(log)
        other = type(self)(self.config, dataset, self._sampler, self.stage, self.order, self.plan)
        return self._continued(other)

    def __iter__(self) -> Iterator[Interaction]:
        epoch, self.epoch = self.epoch, self.epoch + 1
        index = self.plan.batches(self.windows, self._window_rank(epoch), self.step)
        log, fields = self._dataset.log, self._dataset.fields

        def make(b: int) -> Interaction | None:
            return packed_batch(log, fields, self.windows, index[b]) if len(index[b]) else None

        batches = _Batches(make, len(index))
        if self.stable:
            yield from self._seeded(batches, epoch)
        else:
            yield from (batch for batch in map(make, range(len(index))) if batch is not None)

    def _window_rank(self, epoch: int) -> np.ndarray:
        n = len(self.plan.start_row)
        if not self.shuffle:
            return np.arange(n)
        if self.stable:
            return generator(self.config["seed"], "windows", self.stage, epoch).permutation(n)
        return torch.randperm(n, generator=self.generator).numpy()


class EvalLoader(FullSortEvalDataLoader):
    """RecBole's full-sorting loader, its transform vectorised and seeded."""

    def __init__(self, config: Any, dataset: LogDataset, sampler: Any = None):
        super().__init__(config, dataset, sampler, shuffle=False)
        self.transform: Any = vectorized(construct_transform(config))

    def collate_fn(self, index: Any) -> Any:
        if _draws(self.transform):
            self.transform.rng = np.random.default_rng(derive_seed(self.config["seed"], "eval"))
        return super().collate_fn(index)
