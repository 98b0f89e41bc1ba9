"""RecBole's trainer, able to go on after the last epoch that an interrupted training finished."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from logging import getLogger
from typing import Any

import torch
from recbole.trainer import Trainer
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from recbole_finest.config.digest import settings_digest
from recbole_finest.errors import UserError, first_line
from recbole_finest.model.weights import weights_digest
from recbole_finest.parallel import distributed
from recbole_finest.seeding import restore_streams, saved_streams
from recbole_finest.train.average import WeightAverage
from recbole_finest.train.checkpoint import save_checkpoint
from recbole_finest.train.state import State, States

NOT_KEPT = (
    "other_parameter() of {} holds more than tensors and plain values, which no checkpoint may hold: an "
    "interrupted training of it begins anew"
)
NO_AVERAGE = (
    "weight_average is last_quarter, but epoch {} is kept, which is not among the last quarter of {} "
    "epochs: its weights are no average; state epochs, and an eval_step as large"
)
BROKEN = (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError)


class ResumableTrainer(Trainer):
    """A trainer whose state is kept after every epoch, where :attr:`states` says so.

    It holds the weights and their average, the optimiser, the schedule, early stopping, the curves and
    all random streams, so that a training that goes on from it ends with the same bytes as one that was
    never interrupted.

    Attributes:
        states: where the state is kept; None keeps none.
        curves: one dict an epoch with ``epoch``, ``train_loss`` and the validation metrics.
        last_epoch: the last one that was trained; -1 before the first.
        earlier_seconds: what an interrupted training took until its last state, of wall clock and of CPU.
        threads: numbers of threads that took part in it.
        average: of the weights, which is what is validated and saved; None where there is none.
    """

    stage = "base"
    rate_setting = "learning_rate"  # the setting that its learning rate comes from

    def __init__(self, config: Any, model: Any):
        super().__init__(config, model)
        self.states: States | None = None
        self.curves: list[dict[str, float]] = []
        self.last_epoch = -1
        self.earlier_seconds = (0.0, 0.0)
        self.threads = {torch.get_num_threads()}
        self._best_epoch: int | None = None
        self._waiting: State | None = None  # what is restored once the loader is there
        self._identity: dict[str, Any] = {}
        self._scheduled: LambdaLR | None = None
        self.average: WeightAverage | None = None
        self._begun = (0.0, 0.0)

    def fit(self, train_data: Any, valid_data: Any = None, **kwargs: Any) -> Any:
        """As RecBole's, from the epoch after the last one that is kept."""
        self._begun = time.perf_counter(), time.process_time()
        if self.states is not None and not can_be_kept(self.model):
            getLogger().warning(NOT_KEPT.format(self.config["model"]))
            self.states = None
        if self.states is not None:
            self._go_on(self.states, train_data)
        result = super().fit(train_data, valid_data, **kwargs)
        best = self._best_epoch
        if self.average is not None and best is not None and 0 <= best < self.average.first:
            getLogger().warning(NO_AVERAGE.format(best, self.epochs))
        return result

    def averaged(self) -> AbstractContextManager[None]:
        """The model with the average of its weights, where there is one, for a block."""
        return nullcontext() if self.average is None else self.average.applied()

    def _schedule(self, steps: int) -> LambdaLR | None:
        """The learning rate's schedule over ``epochs`` of so many steps; None where it stays as it is."""
        return None

    # What a state holds --------------------------------------------------------------------------

    def identity(self, loader: Any) -> dict[str, Any]:
        """What makes two trainings the same one, as plain values."""
        return {
            "stage": self.stage,
            "trainer": type(self).__name__,
            "seed": self.config["seed"],
            "settings": settings_digest(self.config),
            "log": loader._dataset.log.fingerprint(),
            "first weights": weights_digest(self.model),
        }

    def probed(self) -> dict[str, Any]:
        """What was found out about the model while it was trained, which must not be found out again."""
        return {}

    def set_probed(self, found: dict[str, Any]) -> None:
        """Take over what :meth:`probed` gave."""

    def _state(self, epoch: int) -> State:
        """All of it, after ``epoch``, within :meth:`averaged`; called in every process."""
        found: State = {
            "stage": self.stage,
            "epoch": epoch,
            "cur_step": self.cur_step,
            "best_valid_score": float(self.best_valid_score),
            "optimizer": self.optimizer.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
        }
        if self.states is None:
            return found
        order = getattr(self._loader, "generator", None)
        return found | {
            "identity": self._identity,
            "best_epoch": self._best_epoch,
            "curves": [dict(row) for row in self.curves],
            "schedule": None if self._scheduled is None else self._scheduled.state_dict(),
            "other_parameter": other_parameters(self.model),
            "probed": self.probed(),
            "streams": distributed.gather(saved_streams()),
            "order": None if order is None else order.get_state(),
            "seconds": self.seconds(),
            "threads": sorted(self.threads),
            "processes": distributed.world_size(),
        }

    def seconds(self) -> list[float]:
        """What training has taken so far, of wall clock and of CPU, interrupted parts included."""
        now = time.perf_counter(), time.process_time()
        return [e + n - b for e, n, b in zip(self.earlier_seconds, now, self._begun)]

    # Keeping -------------------------------------------------------------------------------------

    def _begin_epoch(self, loader: Any, epoch: int) -> None:
        """Keep what the last epoch left, or take over what an interrupted training has kept."""
        self._loader = loader
        if self._waiting is not None:
            state, self._waiting = self._waiting, None
            self._restored(lambda: self._restore_rest(state, loader))
            return
        states, last = self.states, epoch - 1
        if states is None or self.last_epoch != last or last < 0 or self._best_epoch == last:
            return
        if states.interval and epoch % states.interval == 0:
            with self.averaged():
                save_checkpoint(states.path, self.model, self.config, **self._state(last))
            states.kept = last, states.path

    def _save_checkpoint(self, epoch: int, verbose: bool = True, **kwargs: Any) -> None:
        """RecBole's checkpoint of the best epoch so far, which is a state, too."""
        path = kwargs.pop("saved_model_file", self.saved_model_file)
        if self.states is not None and epoch < self.last_epoch:
            return  # nothing is left to be trained, and the file is there
        self._best_epoch = epoch
        with self.averaged():
            save_checkpoint(path, self.model, self.config, **self._state(epoch))
        if self.states is not None:
            self.states.kept = epoch, self.states.best

    # Going on ------------------------------------------------------------------------------------

    def _go_on(self, states: States, loader: Any) -> None:
        self._loader, self._identity = loader, self.identity(loader)
        state = distributed.from_main(lambda: states.newest(self._identity))
        if state is None:
            return
        self._restored(lambda: self._restore_first(state))
        self._waiting = state
        getLogger().info(f"{states.name} goes on after epoch {self.last_epoch}")
        before, now = sorted(self.threads), torch.get_num_threads()
        self.threads |= {now}
        if before != [now] and self.device.type == "cpu":
            getLogger().warning(threads_differ(states.name, before, now))

    def _restore_first(self, state: State) -> None:
        """What ``fit`` begins with."""
        self.last_epoch = state["epoch"]
        self.start_epoch = self.last_epoch + 1
        self.cur_step, self._best_epoch = state["cur_step"], state["best_epoch"]
        self.best_valid_score = state["best_valid_score"]
        self.curves[:] = state["curves"]
        self.train_loss_dict = {int(row["epoch"]): row["train_loss"] for row in self.curves}
        seconds, cpu = state["seconds"]
        self.earlier_seconds = float(seconds), float(cpu)
        self.threads = set(map(int, state["threads"]))
        self.model.load_state_dict(state.pop("state_dict"))
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self.model.load_other_parameter(state["other_parameter"])
        self.set_probed(state["probed"])

    def _restore_rest(self, state: State, loader: Any) -> None:
        """What hangs on the loader, and the random streams, just before they are drawn from."""
        schedule = self._schedule(
            len(loader)
        )  # before the optimiser: making one sets its learning rate
        self.optimizer.load_state_dict(state["optimizer"])
        if schedule is not None:
            schedule.load_state_dict(state["schedule"])
        if state["order"] is not None:
            loader.generator.set_state(state["order"])
        loader.epoch = state["epoch"] + 1
        restore_streams(state["streams"][distributed.rank()])

    def _restored(self, restore: Any) -> None:
        try:
            restore()
        except BROKEN as error:
            assert self.states is not None
            raise UserError(
                f"the state of {self.states.name} in '{self.states.path.parent}' cannot be gone on from "
                f"({first_line(error)[:200]}); remove '{self.states.path.name}' and "
                f"'{self.states.best.name}' and resume again"
            ) from error


def other_parameters(model: Any) -> dict[str, Any]:
    """What RecBole's ``other_parameter`` names beside the weights; layers, which have these, left out."""
    given = model.other_parameter().items()
    return {name: value for name, value in given if not isinstance(value, nn.Module)}


def can_be_kept(model: Any) -> bool:
    """Whether all of them are tensors and plain values, which a checkpoint may hold."""
    return is_plain(other_parameters(model))


def is_plain(value: Any) -> bool:
    """Whether a value consists of tensors, numbers, texts, lists and dicts."""
    if isinstance(value, dict):
        return is_plain(list(value)) and is_plain(list(value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str, torch.Tensor))


def threads_differ(name: str, before: list[int], now: int) -> str:
    """What to say of a model that several numbers of threads had a part in."""
    words = " and ".join(map(str, before))
    return (
        f"{name} was trained with {words} threads and goes on with {now}: figures agree with those of an "
        f"uninterrupted run up to rounding alone; set OMP_NUM_THREADS={before[0]} to get the same bytes"
    )
