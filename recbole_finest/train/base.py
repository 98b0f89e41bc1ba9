"""RecBole's own trainers for base: packed batches, checkpoints of plain values, stability metrics."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from recbole.data.interaction import Interaction
from recbole.evaluator import Evaluator
from recbole.trainer import Trainer
from recbole.utils import get_trainer, set_color
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from torch.optim.lr_scheduler import LambdaLR
from tqdm import tqdm

from recbole_finest.compat import load_checkpoint
from recbole_finest.config.config import Config
from recbole_finest.config.from_recbole import own_config
from recbole_finest.data.loader import EvalLoader, PackedLoader
from recbole_finest.data.parts import to_device
from recbole_finest.errors import UserError, writes
from recbole_finest.evaluator.collector import FinestCollector, FinestEvaluator
from recbole_finest.model.compiled import CompiledForward
from recbole_finest.parallel import distributed, signals
from recbole_finest.scoring.modes import packed
from recbole_finest.scoring.packed_scoring import class_of
from recbole_finest.scoring.scorer import Scorer
from recbole_finest.train.average import WeightAverage
from recbole_finest.train.causality import why_not_causal
from recbole_finest.train.curves import CurveWriter, one_voice
from recbole_finest.train.finite import check_finite, not_finite
from recbole_finest.train.partition import LossFunction, Part, Partition
from recbole_finest.train.resume import ResumableTrainer
from recbole_finest.train.schedule import learning_rate_schedule


class RunTrainer(ResumableTrainer):
    """RecBole's ``Trainer`` with checkpoints of plain values, packed batches and stability metrics.

    Validation leaves stability metrics out until :meth:`set_reference` gives lists to compare with.

    Attributes:
        stage: what its checkpoints say that the model is.
    """

    def __init__(self, config: Config, model: Any):
        config = own_config(config, class_of(model))
        with writes(config["checkpoint_dir"], own=True), one_voice():  # RecBole makes folders here
            super().__init__(config, model)
        self.eval_collector = FinestCollector(config)
        self.evaluator: Evaluator = FinestEvaluator(config)
        self._scorer: Scorer | None = None
        distributed.same_weights(model)
        if not distributed.is_main():
            self.tensorboard: Any = distributed.without_files(self.tensorboard)
        else:
            self.tensorboard = CurveWriter(self.tensorboard)
        self.partition = Partition(config, model)
        self.compiled = CompiledForward(model) if config["compile_model"] else None
        self.average = self._weight_average()

    def set_reference(self, lists: np.ndarray | None) -> None:
        """Rank lists ``[n_valid, depth]`` that validation compares the model's lists with."""
        self.eval_collector.set_reference(lists)

    def scorer(self, dataset: Any) -> Scorer:
        if self._scorer is None:
            self._scorer = Scorer(self.model, dataset)
        return self._scorer

    # Training ------------------------------------------------------------------------------------

    def _train_epoch(
        self,
        train_data: Any,
        epoch_idx: int,
        loss_func: LossFunction = None,
        show_progress: bool = False,
    ) -> float:
        self._begin_epoch(train_data, epoch_idx)
        self.model.train()
        schedule = self._schedule(len(train_data))
        total = torch.zeros((), device=self.device)
        finite = torch.zeros(
            (), dtype=torch.int64, device=self.device
        )  # steps until it no longer is
        scaler = torch.amp.GradScaler(self.device.type, enabled=self.enable_scaler)
        label = set_color(f"Train {epoch_idx:>5}", "pink")
        hidden = None if show_progress else True  # None: shown on a terminal only
        for step, batch in enumerate(tqdm(train_data, desc=label, ncols=100, disable=hidden)):
            signals.check()
            self.optimizer.zero_grad()
            for loss in self._losses(batch, epoch_idx, step, loss_func):
                scaler.scale(loss).backward()
                total += loss.detach()
            finite += torch.isfinite(total)
            distributed.average_gradients(self.model)
            if self.clip_grad_norm:
                scaler.unscale_(self.optimizer)
                clip_grad_norm_(self.model.parameters(), **self.clip_grad_norm)
            scaler.step(self.optimizer)
            scaler.update()
            if schedule is not None:
                schedule.step()
            if self.average is not None:
                self.average.after_step()
        if self.average is not None:
            self.average.after_epoch(epoch_idx)
        total = distributed.mean(total)
        check_finite(self, float(total), finite, epoch_idx, len(train_data))
        self._check_causal(train_data, epoch_idx)
        self.last_epoch = epoch_idx
        self.curves.append({"epoch": epoch_idx, "train_loss": total.item()})
        return total.item()

    def _check_causal(self, loader: Any, epoch: int) -> None:
        """Test packed training once more after epochs 0, 1, 3, 7, …: what opens while training shows then.

        Raises:
            UserError: the trained model looks ahead.
        """
        if not isinstance(loader, PackedLoader) or epoch & (epoch + 1):
            return
        data = loader._dataset
        why = distributed.from_main(lambda: why_not_causal(self.config, self.model, data, True))
        if why is not None:
            raise UserError(
                f"model '{self.config['model']}' looks ahead after epoch {epoch} of packed training, "
                f"though not untrained: {why}; set training_mode=instance"
            )

    def _schedule(self, steps: int) -> LambdaLR | None:
        """The learning rate's schedule over ``epochs`` of so many steps; None where it stays as it is.

        One that early stopping ends has not come to its end.
        """
        kind, warmup = self.config["learning_rate_schedule"], self.config["warmup_ratio"]
        if self.stage != "base" or (kind == "constant" and warmup == 0):
            return None
        if self._scheduled is None:
            every = steps * self.epochs
            self._scheduled = learning_rate_schedule(self.optimizer, kind, warmup, every)
        return self._scheduled

    def _weight_average(self) -> WeightAverage | None:
        """The average of base's weights; a fine-tuning and a pre-training have none."""
        kind, decay = self.config["weight_average"], self.config["weight_average_decay"]
        if self.stage != "base" or kind == "none" or self.config["train_stage"] == "pretrain":
            return None
        return WeightAverage(self.model, kind, decay, self.epochs)

    def _losses(
        self, batch: Interaction, epoch: int, step: int, loss_func: LossFunction
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

    def _part_loss(self, part: Part, sent: Interaction, loss_func: LossFunction) -> Tensor:
        """The loss of a part, by its share of the batch; ``sent`` is its batch on the device."""
        with packed(self.model, sent):
            return part.share * summed((loss_func or self.model.calculate_loss)(sent))

    def _valid_epoch(self, valid_data: Any, show_progress: bool = False) -> tuple[float, dict]:
        with self.averaged():
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
        if not bool(scores.max() < np.inf):  # NaN, too
            raise not_finite(self, "a score", self.last_epoch)
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

    def probed(self) -> dict[str, Any]:
        checked = self.compiled is not None and self.compiled.checked
        return {"divides": self.partition.divides, "compiled": checked}

    def set_probed(self, found: dict[str, Any]) -> None:
        self.partition.divides = found["divides"]
        if self.compiled is not None:
            self.compiled.checked = found["compiled"]

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
        if self.average is not None and state.get("average") is not None:
            self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])


def summed(losses: Any) -> Tensor:
    parts = losses if isinstance(losses, tuple) else (losses,)
    return torch.stack([part.reshape(()) for part in parts]).sum()  # TransRec's has shape [1]


@lru_cache(maxsize=None)
def _with_run_trainer(own: type) -> type:
    return RunTrainer if own is Trainer else type(f"Run{own.__name__}", (RunTrainer, own), {})


def base_trainer(config: Config, model: Any) -> RunTrainer:
    """The model's own RecBole trainer, with :class:`RunTrainer` in front."""
    own = get_trainer(config["MODEL_TYPE"], config["model"])
    return _with_run_trainer(own)(config, model)
