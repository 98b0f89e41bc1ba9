"""What each stage of a run does; :mod:`recbole_finest.experiment.run` puts them in order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from recbole_finest.compat import load_checkpoint
from recbole_finest.config.config import Config
from recbole_finest.data.log import InteractionLog
from recbole_finest.data.perturbation import Changes, save_changes
from recbole_finest.data.prepare import Data
from recbole_finest.errors import UserError
from recbole_finest.evaluator.evaluation import Evaluation, evaluate
from recbole_finest.experiment.output import Output
from recbole_finest.method import Method
from recbole_finest.model.average import AverageModel
from recbole_finest.model.build import build_model
from recbole_finest.names import CHANGES, TRAINING
from recbole_finest.parallel import distributed
from recbole_finest.reference.lists import ReferenceLists
from recbole_finest.scoring.scorer import TimedScorer
from recbole_finest.train.base import RunTrainer, base_trainer
from recbole_finest.train.checkpoint import (
    Trained,
    origin,
    trained_of,
    training_set,
)
from recbole_finest.train.divisible import check_divisible
from recbole_finest.train.finest import FinestTrainer
from recbole_finest.train.pretrain import pretrained_settings
from recbole_finest.train.resume import threads_differ
from recbole_finest.train.state import check_processes


def check_simulation(config: Config, log: InteractionLog) -> None:
    """Refuse a ``simulation_ratio`` that would change nothing, before anything is trained."""
    ratio, n = config["simulation_ratio"], len(log.train_positions)
    if 0 < ratio < 1 / n:
        raise UserError(
            f"simulation_ratio is {ratio}, which changes none of {n} training interactions; the smallest "
            f"that changes one is {1 / n:.2g}, and 0 turns simulation off"
        )


def check_methods(config: Config, data: Data, methods: Iterable[Method]) -> None:
    """Refuse a method that cannot train this model, before anything is trained."""
    model = build_model(config, data.train)
    several = distributed.world_size() > 1
    for method in methods:
        method.check(model)
        if several and method.needs_recompute:
            raise UserError(
                f"method {type(method).__name__} cannot be trained in several processes: what it adds to "
                "a batch depends on the whole of it; leave out nproc and world_size"
            )
    if several:
        check_divisible(config, model, data.train_loader("probe"))


def train_base(
    config: Config,
    data: Data,
    output: Output,
    name: str,
    log: InteractionLog | None = None,
    **changed: Any,
) -> Trained:
    """Train a model as RecBole does, with its own trainer, and keep its best weights.

    Args:
        config, data, output: of the run.
        name: name of the checkpoint.
        log: the perturbed log, or None for the clean one.
        changed: settings that differ from the run's (``seed``, ``shuffle_order``).
    """
    done = output.finished(name)
    if changed:
        config, data = config.but(**changed), data.but(**changed)
    if done is not None:
        return _finished(config, data, output, done, log)
    settings = pretrained_settings(config, data, output, name, log)
    model = build_model(settings, training_set(data, log))
    trainer = base_trainer(config, model)
    _keep_states(trainer, output, name)
    valid = data.valid_loader()
    trainer.fit(
        data.train_loader("base", log),
        valid,
        verbose=config["show_progress"] is not None,
        saved=True,
        show_progress=config["show_progress"],
    )
    trainer.load_weights(trainer.saved_model_file)
    epochs = trainer.last_epoch + 1
    _note(trainer, output, name)
    output.save_model(name, model, config, trainer, epochs, **origin(data, log))
    return model, epochs, trainer.curves


def _finished(
    config: Config, data: Data, output: Output, done: Path, log: InteractionLog | None
) -> Trained:
    """A model that an earlier run finished.

    Raises:
        UserError: it was trained in another number of processes.
    """
    state = distributed.from_main(lambda: load_checkpoint(done))
    check_processes(state, done)
    output.drop_states(done.stem)
    threads, now = state.get("threads", []), torch.get_num_threads()
    if threads not in ([], [now]) and config["device"].type == "cpu":
        output.logger.warning(threads_differ(done.stem, threads, now))
    output.threads |= set(threads)
    output.carry(done.stem, state.get("seconds", (0.0, 0.0)))
    return trained_of(config, data, state, log)


def _keep_states(trainer: RunTrainer, output: Output, name: str) -> None:
    trainer.saved_model_file = str(output.path / f"{name}{TRAINING}")
    trainer.states = output.states_of(name, trainer.config["checkpoint_interval"])


def _note(trainer: RunTrainer, output: Output, name: str) -> None:
    output.threads |= trainer.threads
    output.carry(name, trainer.earlier_seconds)


def fine_tune(
    config: Config,
    data: Data,
    output: Output,
    name: str,
    start: nn.Module,
    method: Method,
    references: ReferenceLists | None,
    log: InteractionLog | None,
    valid_reference: np.ndarray | None,
) -> Trained:
    """Fine-tune a copy of ``start`` with one method; the copy keeps the last weights."""
    done = output.finished(name)
    if done is not None:
        return _finished(config, data, output, done, log)
    model = build_model(config, training_set(data, log))
    model.load_state_dict(start.state_dict())
    trainer = FinestTrainer(config, model, references, method)
    _keep_states(trainer, output, name)
    trainer.set_reference(valid_reference)
    trainer.fit(
        data.train_loader("fine-tuning", log),
        data.valid_loader(),
        verbose=True,
        show_progress=config["show_progress"],
    )
    epochs = trainer.last_epoch + 1
    _note(trainer, output, name)
    output.save_model(name, model, config, trainer, epochs, **origin(data, log))
    return model, epochs, trainer.curves


def average(
    config: Config,
    data: Data,
    output: Output,
    name: str,
    members: Sequence[nn.Module],
    log: InteractionLog | None,
) -> Trained:
    """The average of several models, and its checkpoint."""
    model = AverageModel(members, data.train)
    if output.finished(name) is None:
        extra: dict[str, Any] = {"stage": "average", "epochs": 0, "curve": []}
        output.save_checkpoint(name, model, config, **extra, **origin(data, log))
    return model, 0, []


def measured(config: Config, data: Data, model: nn.Module, name: str) -> tuple[Evaluation, float]:
    """Accuracy and lists of a model, and the seconds of scoring in all processes."""
    scorer = TimedScorer(model, data.train)
    loader, train = data.measured_loader(), data.train_loader("evaluation")
    found = evaluate(config, scorer, loader, train, name)
    return found, sum(distributed.gather(scorer.seconds))


def write_changes(config: Config, data: Data, output: Output, changes: Changes) -> None:
    """Write the test perturbation, for people and for ``perturbation_file``; the first process does."""
    if not distributed.is_main():
        return
    tokens, fields = data.dataset.field2id_token, data.train.fields
    path = output.path / CHANGES
    with output.manifest.replacing(path):
        save_changes(path, changes, tokens[fields.user], tokens[fields.item], config["dataset"])
