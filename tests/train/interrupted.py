"""Trainings that are interrupted where a test wants it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import torch

from recbole_finest.config.config import Config
from recbole_finest.data.prepare import Data
from recbole_finest.experiment.output import Output
from recbole_finest.experiment.stages import fine_tune, train_base
from recbole_finest.folders.manifest import Manifest
from recbole_finest.method import make_method
from recbole_finest.reference.build import build_references
from recbole_finest.train.resume import ResumableTrainer


class Stop(Exception):
    """Ends a training."""


def settings(toy: dict, model: str = "GRU4Rec", **more: Any) -> Config:
    small = {"hidden_size": 8, "epochs": 4, "finest_epochs": 4}
    small |= {"embedding_size": 8} if model == "GRU4Rec" else {"inner_size": 16}
    return Config(model, "toy", config_dict={**toy, **small, "state": "WARNING", **more})


def opened(folder: Path, resume: bool = True) -> Output:
    folder.mkdir(exist_ok=True)
    found = (Manifest.read(folder) if resume else None) or Manifest(folder)
    return Output(folder, logging.getLogger(), resume, manifest=found, states=True)


def base(config: Config, data: Data, output: Output) -> dict[str, Any]:
    """The checkpoint of a base trained in ``output``, or gone on with there."""
    train_base(config, data, output, "base")
    return torch.load(output.path / "base.pth")


def finest(config: Config, data: Data, output: Output, method: str = "finest") -> dict[str, Any]:
    """The same of a model fine-tuned after it."""
    start = train_base(config, data, output, "base")[0]
    lists = build_references(config, data, start, output.path / "reference", 5, reuse=output.resume)
    made = make_method(method, config)
    fine_tune(config, data, output, method, start, made, lists, None, None)
    return torch.load(output.path / f"{method}.pth")


def stop_after(monkeypatch: Any, epoch: int, stage: str = "base") -> list[tuple[str, int]]:
    """Interrupt a training once an epoch has been kept; returns what is begun, which grows."""
    begin, begun = ResumableTrainer._begin_epoch, []

    def stopped(self: Any, loader: Any, now: int) -> None:
        begin(self, loader, now)
        begun.append((self.stage, now))
        if begun.count((stage, epoch + 1)) == 1 and begun[-1] == (stage, epoch + 1):
            raise Stop

    monkeypatch.setattr(ResumableTrainer, "_begin_epoch", stopped)
    return begun


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two checkpoints have the same weights and curves, bit by bit."""
    weights = all(torch.equal(w, other["state_dict"][n]) for n, w in one["state_dict"].items())
    return weights and one["curve"] == other["curve"] and one["epochs"] == other["epochs"]
