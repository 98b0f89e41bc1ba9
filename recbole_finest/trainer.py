"""Trainers: RecBole's own for base, and the fine-tuning stage for any sequential model."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import nullcontext
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from recbole.data.interaction import Interaction
from recbole.evaluator import Evaluator
from recbole.trainer import Trainer
from recbole.utils import InputType, get_trainer, set_color
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from tqdm import tqdm

from recbole_finest import distributed
from recbole_finest.compat import load_checkpoint
from recbole_finest.data.instances import ROW_FIELD
from recbole_finest.data.loader import EvalLoader, InstanceLoader
from recbole_finest.data.packed import POSITION_FIELD
from recbole_finest.data.parts import LIST_FIELD, draw, subset, to_device, units
from recbole_finest.errors import UserError
from recbole_finest.evaluator.collector import FinestCollector, FinestEvaluator
from recbole_finest.method import Finest, Method, Step
from recbole_finest.model.compiled import CompiledForward
from recbole_finest.partition import Part, Partition, weighted
from recbole_finest.reference import ReferenceLists
from recbole_finest.scoring import (
    Scorer,
    evaluating,
    logits_alone,
    loss_logits,
    packed,
    shallow,
    shares_forward,
)
from recbole_finest.seeding import derive_seed, generator, global_streams, replayed

PROBE = 64  # instances that show whether one forward pass serves both losses


class RunTrainer(Trainer):
    """RecBole's ``Trainer`` with checkpoints of plain values, packed batches and stability metrics.

    Validation leaves stability metrics out until :meth:`set_reference` gives lists to compare with.

    Attributes:
        curves: one dict an epoch with ``epoch``, ``train_loss`` and the validation metrics.
    """

    def __init__(self, config: Any, model: Any):
        super().__init__(config, model)
        self.eval_collector = FinestCollector(config)
        self.evaluator: Evaluator = FinestEvaluator(config)
        self.curves: list[dict[str, float]] = []
        self.last_epoch = -1
        self._scorer: Scorer | None = None
        distributed.same_weights(model)
        if not distributed.is_main():
            self.tensorboard: Any = distributed.without_files(self.tensorboard)
        self.partition = Partition(config, model)
        self.compiled = CompiledForward(model) if config["compile_model"] else None

    def set_reference(self, lists: np.ndarray | None) -> None:
        """Rank lists ``[n_valid, depth]`` that validation compares the model's lists with."""
        self.eval_collector.set_reference(lists)

    def scorer(self, dataset: Any) -> Scorer:
        if self._scorer is None:
            self._scorer = Scorer(self.model, dataset)
        return self._scorer

    # Training ------------------------------------------------------------------------------------

    def _train_epoch(
        self, train_data: Any, epoch_idx: int, loss_func: Any = None, show_progress: bool = False
    ) -> float:
        self.model.train()
        total = torch.zeros((), device=self.device)
        scaler = torch.amp.GradScaler(self.device.type, enabled=self.enable_scaler)
        label = set_color(f"Train {epoch_idx:>5}", "pink")
        hidden = None if show_progress else True  # None: shown on a terminal only
        for step, batch in enumerate(tqdm(train_data, desc=label, ncols=100, disable=hidden)):
            self.optimizer.zero_grad()
            for loss in self._losses(batch, epoch_idx, step, loss_func):
                scaler.scale(loss).backward()
                total += loss.detach()
            distributed.average_gradients(self.model)
            if self.clip_grad_norm:
                scaler.unscale_(self.optimizer)
                clip_grad_norm_(self.model.parameters(), **self.clip_grad_norm)
            scaler.step(self.optimizer)
            scaler.update()
        total = distributed.mean(total)
        if not torch.isfinite(total):
            raise UserError(
                f"the training loss is {total.item()} in epoch {epoch_idx}; lower learning_rate "
                f"({self.learning_rate}) or set clip_grad_norm"
            )
        self.last_epoch = epoch_idx
        self.curves.append({"epoch": epoch_idx, "train_loss": total.item()})
        return total.item()

    def _losses(
        self, batch: Interaction, epoch: int, step: int, loss_func: Any
    ) -> Iterator[Tensor]:
        """The loss of a step, in parts that add up to it, each from scores within ``score_memory``."""
        batch = self._with_lists(batch, epoch, step)
        for part in self.partition(batch, loss_func, self._dividable()):
            sent = to_device(part.batch, self.device)
            if self.compiled is not None and loss_func is None:
                self.compiled.check(sent)
            mode = nullcontext() if self.compiled is None or loss_func else self.compiled()
            with torch.autocast(device_type=self.device.type, enabled=self.enable_amp), mode:
                loss = self._part_loss(part, sent, loss_func)
            yield loss

    def _with_lists(self, batch: Interaction, epoch: int, step: int) -> Interaction:
        return batch

    def _dividable(self) -> bool:
        return True

    def _part_loss(self, part: Part, sent: Interaction, loss_func: Any) -> Tensor:
        """The loss of a part, by its share of the batch; ``sent`` is its batch on the device."""
        with packed(self.model, sent):
            return part.share * _summed((loss_func or self.model.calculate_loss)(sent))

    def _valid_epoch(self, valid_data: Any, show_progress: bool = False) -> tuple[float, dict]:
        score, result = super()._valid_epoch(valid_data, show_progress=False)
        if self.curves:
            self.curves[-1].update({k: float(v) for k, v in result.items()})
            for name, value in result.items():
                self.tensorboard.add_scalar(f"Valid/{name}", float(value), self.last_epoch)
        return score, result

    # Evaluation ----------------------------------------------------------------------------------

    def _full_sort_batch_eval(self, batched_data: Any) -> tuple:
        interaction, history_index, positive_u, positive_i = batched_data
        dataset = self._evaluated._dataset
        scores = self.scorer(dataset).all_items(interaction.to(self.device))
        scores[:, 0] = -np.inf
        if history_index is not None:
            scores[history_index] = -np.inf
        return interaction, scores, positive_u, positive_i

    @torch.no_grad()
    def evaluate(
        self,
        eval_data: Any,
        load_best_model: bool = True,
        model_file: str | None = None,
        show_progress: bool = False,
    ) -> Any:
        if not eval_data:
            return None
        if load_best_model:
            self.load_weights(model_file or self.saved_model_file)
        self._evaluated = eval_data
        self.eval_collector.shared = isinstance(eval_data, EvalLoader)
        result = super().evaluate(eval_data, load_best_model=False, show_progress=show_progress)
        return distributed.from_main(lambda: result)

    # Checkpoints ---------------------------------------------------------------------------------

    def _save_checkpoint(self, epoch: int, verbose: bool = True, **kwargs: Any) -> None:
        path = kwargs.pop("saved_model_file", self.saved_model_file)
        save_checkpoint(
            path,
            self.model,
            self.config,
            epoch=epoch,
            cur_step=self.cur_step,
            best_valid_score=float(self.best_valid_score),
            optimizer=self.optimizer.state_dict(),
        )

    def load_weights(self, path: str) -> None:
        """Load the weights of a checkpoint into the model."""
        state = distributed.from_main(lambda: load_checkpoint(path)["state_dict"])
        self.model.load_state_dict(state)

    def resume_checkpoint(self, resume_file: str) -> None:
        """Continue from a checkpoint; unlike RecBole's, the file itself is never written to."""
        state = load_checkpoint(str(resume_file), self.device)
        self.start_epoch = state["epoch"] + 1
        self.cur_step = state["cur_step"]
        self.best_valid_score = state["best_valid_score"]
        self.model.load_state_dict(state["state_dict"])
        self.optimizer.load_state_dict(state["optimizer"])


def _summed(losses: Any) -> Tensor:
    parts = losses if isinstance(losses, tuple) else (losses,)
    return torch.stack([part.reshape(()) for part in parts]).sum()  # TransRec's has shape [1]


@lru_cache(maxsize=None)
def _with_run_trainer(own: type) -> type:
    return RunTrainer if own is Trainer else type(f"Run{own.__name__}", (RunTrainer, own), {})


def base_trainer(config: Any, model: Any) -> RunTrainer:
    """The model's own RecBole trainer, with :class:`RunTrainer` in front."""
    own = get_trainer(config["MODEL_TYPE"], config["model"])
    return _with_run_trainer(own)(config, model)


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

    def __init__(
        self,
        config: Any,
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
        still = dropout == "none" and self.method.needs_lists
        streams = global_streams() if self.method.needs_recompute else None

        def next_item_loss() -> Tensor:
            with evaluating(self.model) if still else nullcontext(), packed(self.model, sent):
                return _summed((loss_func or self.model.calculate_loss)(shallow(sent)))

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


def _originals(config: Any, rows: int) -> int:
    """How many rows of a batch are histories of their own: RecBole repeats them for negatives."""
    sampling = config["train_neg_sample_args"]
    if sampling["distribution"] == "none" or sampling["sample_num"] == "none":
        return rows
    negatives = int(sampling["sample_num"])
    pointwise = config["MODEL_INPUT_TYPE"] == InputType.POINTWISE
    return rows // (1 + negatives if pointwise else negatives)


def save_checkpoint(path: str | os.PathLike, model: Any, config: Any, **extra: Any) -> None:
    """Write a checkpoint that ``torch.load(weights_only=True)`` reads; atomic, by the first process."""
    if not distributed.is_main():
        return
    settings = config.plain() if hasattr(config, "plain") else dict(config.final_config_dict)
    state = {
        "model": config["model"],
        "dataset": config["dataset"],
        "config": settings,
        "state_dict": model.state_dict(),
        **extra,
    }
    part = f"{os.fspath(path)}.part"
    torch.save(state, part)
    os.replace(part, path)
