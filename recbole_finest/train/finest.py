"""The fine-tuning stage for any sequential model: a subclass of RecBole's trainer."""

from __future__ import annotations

import os
from functools import partial
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
from recbole_finest.names import PASSES
from recbole_finest.parallel import distributed
from recbole_finest.reference.lists import ReferenceLists
from recbole_finest.scoring.probes import compares_draws
from recbole_finest.seeding import derive_seed, generator
from recbole_finest.train.base import RunTrainer
from recbole_finest.train.partition import LossFunction, Part, weighted
from recbole_finest.train.step import PROBE, ListScores, NextItemLoss, PartLists

PASSES_WORDS = {
    True: "one forward pass serves the next-item loss and the reference lists",
    False: "the next-item loss and the reference lists take a forward pass each",
}


class FinestTrainer(RunTrainer):
    """The fine-tuning stage: simulation, next-item loss and rank-preserving loss.

    Runs ``finest_epochs`` epochs at ``finest_learning_rate`` with a fresh optimiser and keeps the last
    weights, or with ``finest_early_stopping`` those best by ``valid_metric``.

    Args:
        config: our Config, or that of a RecBole script.
        model: the trained model; changed in place.
        references: reference lists of base for the training instances.
        method: the fine-tuning method; FINEST when missing.

    Example::

        trainer = FinestTrainer(config, model, references)
        trainer.fit(train_data, valid_data)
    """

    stage = "fine-tuning"
    rate_setting = "finest_learning_rate"

    def __init__(
        self,
        config: Config,
        model: Any,
        references: ReferenceLists | None = None,
        method: Method | None = None,
    ):
        super().__init__(config, model)
        config = self.config
        self.method = method or Finest(config)
        self.references = references = self.method.lists_from(references)
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
        self.dropout: str = config["finest_dropout"]
        self.still = self.dropout == "none" and self.method.follows_dropout
        self._looked = not self.still
        self._scores: ListScores | None = None
        self._same_logits: bool | None = None  # where an interrupted training has found out

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
            if distributed.is_main() and self.states is None:
                os.unlink(self.saved_model_file)
        return result

    def _train_epoch(
        self,
        train_data: Any,
        epoch_idx: int,
        loss_func: LossFunction = None,
        show_progress: bool = False,
    ) -> float:
        self._dataset = train_data._dataset
        train_data.epoch = epoch_idx
        if self.simulation is not None:
            rng = generator(self.config["seed"], "simulation", epoch_idx)
            train_data = train_data.with_log(self.simulation(self._dataset.log, rng))
        loss = super()._train_epoch(train_data, epoch_idx, loss_func, show_progress)
        if self._scores is not None:
            self.curves[-1][PASSES] = 1 if self._scores.one_pass else 2
        return loss

    def identity(self, loader: Any) -> dict[str, Any]:
        lists = None if self.references is None else self.references.digest()
        kind = type(self.method)
        return super().identity(loader) | {
            "method": f"{kind.__module__}:{kind.__qualname__}",
            "reference lists": lists,
        }

    def probed(self) -> dict[str, Any]:
        scores = self._scores
        found = {"still": self.still, "dropout": self.dropout, "looked": self._looked}
        found["same_logits"] = None if scores is None else scores.same_logits
        return super().probed() | found

    def set_probed(self, found: dict[str, Any]) -> None:
        super().set_probed(found)
        self.still, self.dropout = found["still"], found["dropout"]
        self._looked, self._same_logits = found["looked"], found["same_logits"]

    def _with_lists(self, batch: Interaction, epoch: int, step: int) -> Interaction:
        """The batch with the number of each instance's reference list, -1 where it takes no part.

        All that depends on row ids is decided here, before the batch is sent to the device.
        """
        if self.references is None:
            return batch
        rows = batch[ROW_FIELD].cpu().numpy()
        lists = self.references.slots(rows)
        if POSITION_FIELD not in batch:
            lists[_originals(self.config, len(lists)) :] = -1
        wanted = self.config["rank_instances_per_batch"]
        if wanted is not None:
            seed = derive_seed(self.config["seed"], "rank", epoch, step)
            lists = draw(lists, units(batch), rows, wanted, seed)
        return Interaction({**batch.interaction, LIST_FIELD: torch.from_numpy(lists)})

    def _dividable(self) -> bool:
        return not self.method.needs_recompute

    def _part_loss(self, part: Part, sent: Interaction, loss_func: LossFunction) -> Tensor:
        """Next-item loss, reference lists, scores of their items, and the method's loss of all three."""
        self._keep_needed_dropout(part.batch)
        repeatable = self.method.needs_recompute
        next_item = NextItemLoss(self.model, sent, loss_func, self.still, repeatable)
        if self.references is None:
            step = Step(next_item(), _none, _none, part.users, self.model, next_item.again)
            return weighted(self.method, step, part)
        list_scores = self._list_scores(part.batch)
        next_item_loss, logits = next_item.with_logits()
        lists = PartLists(self.references, part.batch, self.device)
        scores = partial(list_scores.of, lists, part.batch, sent, logits)
        step = Step(
            next_item_loss,
            scores,
            lists.scores,
            part.users,
            self.model,
            next_item.again,
            lists.weights,
        )
        return weighted(self.method, step, part)

    def _list_scores(self, batch: Interaction) -> ListScores:
        """How the scores of reference items are computed, found out on the first batch."""
        if self._scores is None:
            item, scorer = self.config["ITEM_ID_FIELD"], self.scorer(self._dataset)
            self._scores = ListScores(
                scorer, batch, self.device, item, self.dropout, self._same_logits
            )
            self.logger.info(PASSES_WORDS[self._scores.one_pass])
        return self._scores

    def _keep_needed_dropout(self, batch: Interaction) -> None:
        """Keep dropout in the next-item loss where two draws of it are compared; looked at once."""
        if self._looked:
            return
        self._looked = True
        few = subset(
            batch, np.arange(min(len(batch[ROW_FIELD]), PROBE)), self.config["ITEM_ID_FIELD"]
        )
        sent = to_device(few, self.device)
        if distributed.from_main(lambda: compares_draws(self.model, sent)):
            self.still, self.dropout = False, "next_item"
            self.logger.warning(
                f"finest_dropout is none, but the loss of {self.config['model']} compares two passes over "
                "the same input, which dropout alone tells apart: the next-item loss keeps dropout, as "
                "with finest_dropout=next_item"
            )


def _none() -> Tensor:
    raise ValueError("the method asks for reference lists, but declares that it needs none")


def _originals(config: Config, rows: int) -> int:
    """How many rows of a batch are histories of their own: RecBole repeats them for negatives."""
    sampling = config["train_neg_sample_args"]
    if sampling["distribution"] == "none" or sampling["sample_num"] == "none":
        return rows
    negatives = int(sampling["sample_num"])
    pointwise = config["MODEL_INPUT_TYPE"] == InputType.POINTWISE
    return rows // (1 + negatives if pointwise else negatives)
