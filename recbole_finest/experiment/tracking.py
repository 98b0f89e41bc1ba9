"""Curves in TensorBoard and Weights & Biases: one run of theirs for each stage of ours.

RecBole's trainer writes both by itself, but into one place for all trainers of a process, where the
epochs of base and of fine-tuning would lie over each other.
"""

from __future__ import annotations

import importlib.util
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from recbole_finest.compat import WholePath
from recbole_finest.config.config import Config
from recbole_finest.errors import UserError
from recbole_finest.folders.own import own_folder, temporary
from recbole_finest.names import TENSORBOARD
from recbole_finest.parallel import distributed
from recbole_finest.train.curves import one_voice


def check_tracking(config: Config) -> None:
    """Refuse ``log_wandb`` without the package, before anything is trained."""
    if config["log_wandb"] and importlib.util.find_spec("wandb") is None:
        raise UserError(
            "log_wandb is True, but the package wandb is not installed; pip install wandb, or leave "
            "log_wandb out"
        )


@contextmanager
def tracked(config: Config, folder: Path, name: str, stage: str) -> Iterator[None]:
    """Give the trainers made inside a TensorBoard folder and a Weights & Biases run of their own.

    Args:
        config: the run's settings; reads ``log_wandb`` and ``wandb_project``.
        folder: where TensorBoard's files go, below ``tensorboard/``; of the first process alone.
        name: of the run; groups its stages there.
        stage: such as ``finest_perturbed``.
    """
    with ExitStack() as stack:
        if not distributed.is_main():
            folder = Path(stack.enter_context(temporary()))
        place = own_folder(folder, TENSORBOARD, re.sub(r"[^\w.-]", "_", stage), make=False)
        stack.enter_context(_tensorboard(place.absolute()))
        stack.enter_context(one_voice())
        if config["log_wandb"]:
            stack.enter_context(_wandb_run(config, name, stage))
        yield


def log_result(config: Config, name: str, result: Mapping[str, Any]) -> None:
    """Write accuracy and stability into the summary of a Weights & Biases run ``result``."""
    if not config["log_wandb"]:
        return
    with _wandb_run(config, name, "result") as run:
        for kind in ("accuracy", "stability"):
            for model, measures in result[kind].items():
                for measure, value in measures.items():
                    run.summary[f"{kind}/{model}/{measure}"] = value


@contextmanager
def _tensorboard(place: Path) -> Iterator[None]:
    """RecBole finds the folder in the name of the first log file of the root logger."""
    handler = logging.NullHandler()
    handler.baseFilename = WholePath(place)  # type: ignore[attr-defined]
    root = logging.getLogger()
    root.handlers.insert(0, handler)
    try:
        yield
    finally:
        root.removeHandler(handler)


@contextmanager
def _wandb_run(config: Config, name: str, stage: str) -> Iterator[Any]:
    """A run of its own, which RecBole's logger then takes; the caller's, where one is open."""
    import wandb

    if wandb.run is not None:
        yield wandb.run
        return
    try:
        run = wandb.init(
            project=config["wandb_project"], group=name, name=stage, config=config.plain()
        )
    except wandb.Error as error:
        text = " ".join(str(error).split())
        raise UserError(
            f"log_wandb is True, but Weights & Biases cannot be reached ({text}); log in with 'wandb "
            "login', set WANDB_MODE=offline, or leave log_wandb out"
        ) from error
    try:
        yield run
    finally:
        run.finish()
