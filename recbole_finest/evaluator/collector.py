"""RecBole's collector and evaluator, with reference lists and exact ties."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import numpy as np
import torch
from recbole.data.interaction import Interaction
from recbole.evaluator.collector import Collector, DataStruct
from recbole.evaluator.evaluator import Evaluator
from recbole.evaluator.register import Register

from recbole_finest.evaluator.base_metric import REFERENCE, StabilityMetric
from recbole_finest.evaluator.topk import top_items
from recbole_finest.parallel import distributed

if TYPE_CHECKING:
    from recbole.config import Config


class BatchedStruct(DataStruct):
    """A DataStruct that joins its batches once, when they are read, instead of at every batch."""

    def __init__(self) -> None:
        super().__init__()
        self._batches: dict[str, list[torch.Tensor]] = {}

    def update_tensor(self, name: str, value: torch.Tensor) -> None:
        """Append a batch; it is copied to the CPU, so that the device's memory is free again."""
        self._batches.setdefault(name, []).append(value.detach().to("cpu", copy=True))

    def take_batches(self, shared: bool = False) -> dict[str, torch.Tensor]:
        """Return what was appended since the last call, joined along the first dimension.

        ``shared``: several processes evaluated a batch each in turn; all of theirs are joined.
        """
        parts = distributed.gather(self._batches) if shared else [self._batches]
        self._batches = {}
        names = dict.fromkeys(name for part in parts for name in part)
        return {
            name: torch.cat(distributed.in_order([part.get(name, []) for part in parts]))
            for name in names
        }


class _RestOfRegister(Register):
    """What is left for RecBole's collector to collect: its lists break ties at random."""

    def need(self, key: str) -> bool:
        return key not in ("rec.items", "rec.topk") and bool(super().need(key))


class FinestCollector(Collector):
    """Collects what RecBole's collector does, and supplies reference lists to stability metrics.

    ``rec.items`` and ``rec.topk`` come from :func:`top_items`: ties by item id, and item 0 where a
    row has no more items to recommend.

    Attributes:
        shared: whether each of several processes evaluates its share of the batches.
    """

    shared = False

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.lists_register = Register(config)
        self.register = _RestOfRegister(config)
        self.data_struct: BatchedStruct = BatchedStruct()
        self.reference: torch.Tensor | None = None

    def set_reference(self, rank_lists: np.ndarray | None) -> None:
        """Set the lists that the following evaluations are compared with, or None for none.

        Args:
            rank_lists: internal item ids best first, ``[n_instances, depth]``, in the order in
                which the evaluation loader gives its instances; short lists end in -1 or 0.
        """
        lists = None if rank_lists is None else np.asarray(rank_lists).astype(np.int64)
        self.reference = None if lists is None else torch.from_numpy(lists)

    def eval_batch_collect(
        self,
        scores_tensor: torch.Tensor,
        interaction: Interaction,
        positive_u: torch.Tensor,
        positive_i: torch.Tensor,
    ) -> None:
        """Collect from one batch; arguments as in RecBole, scores ``[B, n_items]``."""
        need = self.lists_register.need
        if need("rec.items") or need("rec.topk"):
            items = top_items(scores_tensor, max(self.topk)).clamp(min=0)  # [B, max k]
            if need("rec.items"):
                self.data_struct.update_tensor("rec.items", items)
            if need("rec.topk"):
                hits = _hits(items, positive_u, positive_i, scores_tensor.shape[1])
                self.data_struct.update_tensor("rec.topk", hits)
        super().eval_batch_collect(scores_tensor, interaction, positive_u, positive_i)

    def get_data_struct(self) -> DataStruct:
        """Return all that was collected, tensors on the CPU, and forget this evaluation's part.

        RecBole's own copies everything and fails on what is no tensor, such as ``data.num_items``.
        """
        struct = DataStruct()
        for name, value in self.data_struct._data_dict.items():
            struct.set(name, value.cpu() if isinstance(value, torch.Tensor) else value)
        for name, value in self.data_struct.take_batches(self.shared).items():
            struct.set(name, value)
        if self.reference is not None and self.lists_register.need(REFERENCE):
            struct.set(REFERENCE, self.reference)
        return struct


class FinestEvaluator(Evaluator):
    """RecBole's evaluator; without reference lists it leaves the stability metrics out."""

    def evaluate(self, dataobject: DataStruct) -> OrderedDict:
        """Return the metrics' values by name, such as ``{"ndcg@10": 0.0312, "rbo@10": 0.8312}``."""
        result = OrderedDict()
        for name in self.metrics:
            metric = self.metric_class[name]
            if REFERENCE in dataobject or not isinstance(metric, StabilityMetric):
                result.update(metric.calculate_metric(dataobject))
        return result


def _hits(
    items: torch.Tensor, positive_u: torch.Tensor, positive_i: torch.Tensor, n_items: int
) -> torch.Tensor:
    """Which of the listed items are positive, and how many positives a row has, ``[B, k + 1]``."""
    rows = torch.arange(len(items), device=items.device)
    positive = (positive_u.to(items.device) * n_items + positive_i.to(items.device)).unique()
    hit = torch.isin(rows[:, None] * n_items + items, positive)
    count = torch.bincount(positive // n_items, minlength=len(items))
    return torch.cat([hit, count[:, None]], dim=1)
