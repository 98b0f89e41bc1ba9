"""Schedules of base's learning rate, against PyTorch's and by hand."""

import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR

from recbole_finest import run_finest
from recbole_finest.config.config import Config
from recbole_finest.data.prepare import prepare
from recbole_finest.errors import UserError
from recbole_finest.model.build import build_model
from recbole_finest.train.base import base_trainer
from recbole_finest.train.schedule import learning_rate_schedule


def rates(make, steps):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    schedule, found = make(optimizer), []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return found


def test_linear_and_cosine_are_pytorchs():
    for kind, theirs in (
        ("linear", lambda o: LinearLR(o, 1.0, 0.0, total_iters=20)),
        ("cosine", lambda o: CosineAnnealingLR(o, T_max=20)),
    ):
        ours = rates(lambda o, kind=kind: learning_rate_schedule(o, kind, 0.0, 20), 20)
        assert ours == pytest.approx(rates(theirs, 20), abs=1e-12)


def test_warm_up_by_hand():
    found = rates(lambda o: learning_rate_schedule(o, "linear", 0.2, 10), 10)
    assert found == pytest.approx(
        [0.5 * f for f in (0.5, 1, 1, 7 / 8, 6 / 8, 5 / 8, 0.5, 3 / 8, 2 / 8, 1 / 8)]
    )
    assert rates(lambda o: learning_rate_schedule(o, "constant", 0.5, 4), 4) == [
        0.25,
        0.5,
        0.5,
        0.5,
    ]


def test_base_follows_it_and_fine_tuning_does_not(toy):
    config = Config("GRU4Rec", "toy", None, {**toy, "learning_rate_schedule": "linear"})
    data = prepare(config)
    trainer = base_trainer(config, build_model(config, data.train))
    trainer.fit(data.train_loader("base"), None, verbose=False, saved=False)
    steps = 2 * len(data.train_loader("base"))
    assert trainer.optimizer.param_groups[0]["lr"] == pytest.approx(0, abs=1e-12)
    assert trainer._scheduled.last_epoch == steps
    result = run_finest("GRU4Rec", "toy", None, {**toy, "learning_rate_schedule": "cosine"})
    assert all(abs(value - 1) <= 1e-12 for value in result["stability"]["control"].values())
    plain = run_finest("GRU4Rec", "toy", None, {**toy, "overwrite": True})
    assert result["accuracy"]["base"] != plain["accuracy"]["base"]


def test_an_unknown_schedule_is_refused(toy):
    with pytest.raises(UserError, match="learning_rate_schedule is 'step', but must be one of"):
        Config("GRU4Rec", "toy", None, {**toy, "learning_rate_schedule": "step"})
