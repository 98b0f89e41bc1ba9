"""The fine-tuning stage for any sequential model: a subclass of RecBole's trainer."""

from __future__ import annotations

import os
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from recbole.data.interaction import Interaction
from recbole.utils import InputType
from torch import Tensor

from recbole_finest.config.config import Config
from recbole_finest.data.instances import ROW_FIELD
from recbole_finest.data.loader import InstanceLoader
from recbole_finest.data.packed import POSITION_FIELD
from recbole_finest.data.parts import LIST_FIELD, draw, subset, to_device, units
from recbole_finest.errors import UserError
from recbole_finest.method import Finest, Method, Step
from recbole_finest.parallel import distributed
from recbole_finest.reference.lists import ReferenceLists
from recbole_finest.scoring.logits import logits_alone, loss_logits
from recbole_finest.scoring.modes import evaluating, packed, shallow
from recbole_finest.scoring.probes import shares_forward
from recbole_finest.seeding import derive_seed, generator, global_streams, replayed
from recbole_finest.train.base import RunTrainer, summed
from recbole_finest.train.partition import Part, weighted

PROBE = 64  # instances that show whether one forward pass serves both losses


class FinestTrainer(RunTrainer):
    """The fine-tuning stage: simulation, next-item loss and rank-preserving loss.

    Runs ``finest_epochs`` epochs at ``finest_learning_rate`` with a fresh optimiser and keeps the last
    weights, or with ``finest_early_stopping`` those best by ``valid_metric``.

    Args:
        config: our Config.
        model: the trained model; changed in place.
        references: reference lists of base for the training instances.
        method: the fine-tuning method; FINEST when missing.

    Example:
        >>> trainer = FinestTrainer(config, model, references)       # doctest: +SKIP
        >>> trainer.fit(train_data, valid_data)                      # doctest: +SKIP
    """

    stage = "fine-tuning"

    def __init__(
        self,
        config: Config,
        model: Any,
        references: ReferenceLists | None = None,
        method: Method | None = None,
    ):
        super().__init__(config, model)
        self.method = method or Finest(config)
        self.references = references
        if self.method.needs_lists and references is None:
            raise UserError(
                f"method {type(self.method).__name__} needs reference lists; pass ReferenceLists"
            )
        self.method.check(model)
        self.epochs = config["finest_epochs"]
        self.learning_rate = config["finest_learning_rate"]
        self.optimizer = self._build_optimizer(learning_rate=self.learning_rate)
        self.eval_step = min(config["eval_step"], max(self.epochs, 1))
        self.early = config["finest_early_stopping"]
        if not self.early:
            self.stopping_step = self.epochs + 1
        if references is not None and self.device.type != "cpu":
            references.keep_on(self.device, config["resident_memory"] * 2**20)
        self.simulation = self.method.simulation()
        self._shares: bool | None = None

    def fit(self, train_data: InstanceLoader, valid_data: Any = None, **kwargs: Any) -> tuple:
        """Fine-tune on ``train_data``; as RecBole's ``fit``, but the model keeps the last weights."""
        if not isinstance(train_data, InstanceLoader):
            raise UserError(
                "FinestTrainer needs a loader over an interaction log; make it with "
                "recbole_finest.prepare_data(config).train_loader('fine-tuning')"
            )
        kwargs["saved"] = self.early and valid_data is not None
        result = super().fit(train_data, valid_data, **kwargs)
        if kwargs["saved"]:
            self.load_weights(self.saved_model_file)
            if distributed.is_main():
                os.unlink(self.saved_model_file)
        return result

    def _train_epoch(
        self, train_data: Any, epoch_idx: int, loss_func: Any = None, show_progress: bool = False
    ) -> float:
        self._dataset = train_data._dataset
        train_data.epoch = epoch_idx
        if self.simulation is not None:
            rng = generator(self.config["seed"], "simulation", epoch_idx)
            train_data = train_data.with_log(self.simulation(self._dataset.log, rng))
        return super()._train_epoch(train_data, epoch_idx, loss_func, show_progress)

    def _with_lists(self, batch: Interaction, epoch: int, step: int) -> Interaction:
        """The batch with the number of each instance's reference list, -1 where it takes no part.

        All that depends on row ids is decided here, before the batch is sent to the device.
        """
        if not self.method.needs_lists:
            return batch
        rows = batch[ROW_FIELD].cpu().numpy()
        lists = self.references.slots(rows)  # type: ignore[union-attr]
        if POSITION_FIELD not in batch:
            lists[_originals(self.config, len(lists)) :] = -1
        wanted = self.config["rank_instances_per_batch"]
        if wanted is not None:
            seed = derive_seed(self.config["seed"], "rank", epoch, step)
            lists = draw(lists, units(batch), rows, wanted, seed)
        return Interaction({**batch.interaction, LIST_FIELD: torch.from_numpy(lists)})

    def _dividable(self) -> bool:
        return not self.method.needs_recompute

    def _part_loss(self, part: Part, sent: Interaction, loss_func: Any) -> Tensor:
        if self.method.needs_lists and self._shares is None:
            self._shares = POSITION_FIELD in sent or self._probe(part.batch)
        dropout = self.config["finest_dropout"]
        still = dropout == "none" and self.method.follows_dropout
        streams = global_streams() if self.method.needs_recompute else None

        def next_item_loss() -> Tensor:
            with evaluating(self.model) if still else nullcontext(), packed(self.model, sent):
                return summed((loss_func or self.model.calculate_loss)(shallow(sent)))

        def recompute() -> Tensor:
            with replayed(streams):  # type: ignore[arg-type]
                return next_item_loss()

        with loss_logits(self.model) as caught:
            loss = next_item_loss()
        one_pass = self._shares and dropout != "next_item"
        found = self._step(loss, part, sent, caught[0] if one_pass else None)
        if streams is not None:
            found.recompute = recompute
        return weighted(self.method, found, part)

    def _probe(self, batch: Interaction) -> bool:
        few = subset(batch, np.arange(min(len(batch), PROBE)), self.config["ITEM_ID_FIELD"])
        return shares_forward(self.scorer(self._dataset), to_device(few, self.device))

    def _step(self, loss: Tensor, part: Part, sent: Interaction, logits: Tensor | None) -> Step:
        def scores() -> Tensor:
            return self._reference_scores(part.batch, sent, logits)

        def reference_scores() -> Tensor:
            lists = part.batch[LIST_FIELD].numpy()
            return self.references.list_scores(lists[lists >= 0], self.device)  # type: ignore[union-attr]

        return Step(loss, scores, reference_scores, part.users, self.model)

    def _reference_scores(
        self, batch: Interaction, sent: Interaction, logits: Tensor | None
    ) -> Tensor:
        """Scores ``[R, 2K]`` of the reference items, in 32 bits whatever the forward pass takes."""
        lists = batch[LIST_FIELD].numpy()
        index = np.flatnonzero(lists >= 0)
        items = self.references.lists(lists[index], self.device)  # type: ignore[union-attr]
        if len(index) == 0:
            return torch.zeros(0, items.shape[1], device=self.device)
        if logits is not None:
            return _gathered(logits, items, index).float()
        chosen = sent
        if len(index) < len(lists):
            chosen = to_device(subset(batch, index, self.config["ITEM_ID_FIELD"]), self.device)
        with nullcontext() if self.config["finest_dropout"] == "both" else evaluating(self.model):
            if self._shares:
                return logits_alone(self.model, chosen).gather(1, items).float()
            return self.scorer(self._dataset).of_items(chosen, items).float()


def _gathered(logits: Tensor, items: Tensor, index: np.ndarray) -> Tensor:
    """``logits[index].gather(1, items)`` without copying whole rows of ``logits``."""
    if len(index) == len(logits):
        return logits.gather(1, items)
    where = to_device(Interaction({"index": torch.from_numpy(index)}), logits.device)["index"]
    lists = items.new_zeros(len(logits), items.shape[1]).index_copy_(0, where, items)
    return logits.gather(1, lists)[where]


def _originals(config: Config, rows: int) -> int:
    """How many rows of a batch are histories of their own: RecBole repeats them for negatives."""
    sampling = config["train_neg_sample_args"]
    if sampling["distribution"] == "none" or sampling["sample_num"] == "none":
        return rows
    negatives = int(sampling["sample_num"])
    pointwise = config["MODEL_INPUT_TYPE"] == InputType.POINTWISE
    return rows // (1 + negatives if pointwise else negatives)
