"""Every model that is interrupted after an epoch ends with the weights of one that was not."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
import torch

from recbole_finest.config.config import Config
from recbole_finest.data.prepare import Data, prepare
from recbole_finest.experiment.output import Output
from recbole_finest.experiment.stages import fine_tune, train_base
from recbole_finest.folders.manifest import Manifest
from recbole_finest.method import Finest
from recbole_finest.reference.build import build_references
from recbole_finest.train.mode import choose_training_mode
from recbole_finest.train.resume import ResumableTrainer

from .cases import CASES, make_config

pytestmark = pytest.mark.slow
EPOCHS = 3


class Stop(Exception):
    """Ends a training where a test wants it."""


def stages(config: Config, data: Data, folder: Path, resume: bool) -> dict[str, Any]:
    """The checkpoints of base and FINEST, made in ``folder``."""
    found = (Manifest.read(folder) if resume else None) or Manifest(folder)
    output = Output(folder, logging.getLogger(), resume, manifest=found, states=True)
    base = train_base(config, data, output, "base")[0]
    lists = build_references(config, data, base, folder / "reference", 5)
    fine_tune(config, data, output, "finest", base, Finest(config), lists, None, None)
    return {name: torch.load(folder / f"{name}.pth") for name in ("base", "finest")}


@pytest.mark.parametrize("order", ["stable", "recbole"])
@pytest.mark.parametrize("case", CASES)
def test_the_same_weights_and_curves(case, order, toy_data, own_model, tmp_path, monkeypatch):
    config = make_config(case, toy_data, tmp_path)
    config = config.but(shuffle_order=order, epochs=EPOCHS, finest_epochs=EPOCHS)
    if "pretrain_epochs" in config:
        config = config.but(pretrain_epochs=EPOCHS)
    data = prepare(config)
    choose_training_mode(data)
    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()
    whole = stages(config, data, tmp_path / "whole", resume=False)
    begin, begun = ResumableTrainer._begin_epoch, []

    def stopped(self: Any, loader: Any, epoch: int) -> None:
        begin(self, loader, epoch)
        now = getattr(self.model, "train_stage", ""), self.stage, epoch
        begun.append(now)
        if begun.count(now) == 1 and epoch:
            raise Stop

    monkeypatch.setattr(ResumableTrainer, "_begin_epoch", stopped)
    cut, tries = None, 0
    while cut is None:
        try:
            cut = stages(config, data, tmp_path / "cut", resume=tries > 0)
        except Stop:
            tries += 1
    trainings = 3 if "pretrain_epochs" in config else 2
    assert tries == trainings * (EPOCHS - 1) and len(begun) == trainings * EPOCHS + tries
    for name, one in whole.items():
        assert one["curve"] == cut[name]["curve"]
        assert all(torch.equal(w, cut[name]["state_dict"][n]) for n, w in one["state_dict"].items())
    assert not list((tmp_path / "cut").glob("*.state.pth"))
