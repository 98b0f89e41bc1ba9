"""A training that leaves the numbers is one sentence: where, what is meant, and what is still good."""

from __future__ import annotations

import pytest
import torch

from recbole_finest.errors import UserError
from recbole_finest.model.build import build_model
from recbole_finest.train.base import base_trainer
from recbole_finest.train.finest import FinestTrainer
from recbole_finest.train.mode import prepare_data

from .interrupted import base, finest, opened, settings


@pytest.fixture(autouse=True)
def without_anomaly_detection():
    """Importing some of RecBole's models turns it on, and PyTorch then raises an error of its own."""
    with torch.autograd.set_detect_anomaly(False):
        yield


def broken_in(monkeypatch, trainer: type, epoch: int, step: int, value: float) -> None:
    """Make the loss of one step ``value``."""
    whole = trainer._losses

    def losses(self, batch, now, at, loss_func):
        for loss in whole(self, batch, now, at, loss_func):
            yield loss * value if (now, at) == (epoch, step) else loss

    monkeypatch.setattr(trainer, "_losses", losses)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_base_names_epoch_step_setting_and_the_last_state(toy, tmp_path, monkeypatch, value):
    config = settings(toy, learning_rate=0.002)
    data = prepare_data(config)
    broken_in(monkeypatch, type(base_trainer(config, build_model(config, data.train))), 2, 3, value)
    with pytest.raises(UserError) as caught:
        base(config, data, opened(tmp_path / "run"))
    said = str(caught.value)
    steps = len(data.train_loader("base"))
    assert f"of stage base is not a finite number in epoch 2, step 3 of {steps}" in said
    assert "lower learning_rate (0.002), or set clip_grad_norm" in said
    assert "the state after epoch 1 is kept in '" in said
    kept = said.split("kept in '")[1].rstrip("'")
    assert torch.load(kept)["epoch"] == 1


def test_fine_tuning_names_its_own_learning_rate(toy, tmp_path, monkeypatch):
    config = settings(toy, epochs=1, finest_learning_rate=0.003, clip_grad_norm={"max_norm": 1})
    broken_in(monkeypatch, FinestTrainer, 0, 1, float("nan"))
    with pytest.raises(UserError) as caught:
        finest(config, prepare_data(config), opened(tmp_path / "run"))
    assert "(nan) of stage finest is not a finite number in epoch 0, step 1 of" in str(caught.value)
    assert "lower finest_learning_rate (0.003); nothing was kept" in str(caught.value)


def test_a_weight_that_the_last_step_breaks_is_found(toy, tmp_path, monkeypatch):
    """The loss of that step is finite, its gradient is not."""
    config = settings(toy)
    data = prepare_data(config)
    trainer = type(base_trainer(config, build_model(config, data.train)))
    last = len(data.train_loader("base")) - 1
    whole = trainer._losses

    def losses(self, batch, now, at, loss_func):
        for loss in whole(self, batch, now, at, loss_func):
            if (now, at) == (1, last):
                loss.register_hook(lambda gradient: gradient * float("inf"))
            yield loss

    monkeypatch.setattr(trainer, "_losses", losses)
    with pytest.raises(
        UserError, match=f"a weight of stage base .* epoch 1, by its last step .{last}"
    ):
        base(config, data, opened(tmp_path / "run"))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_scores_in_validation(toy, tmp_path, monkeypatch, value):
    config = settings(toy)
    data = prepare_data(config)
    kind = type(build_model(config, data.train))
    whole = kind.full_sort_predict

    def broken(self, interaction):
        scores = whole(self, interaction)
        scores[-1, -1] = value
        return scores

    monkeypatch.setattr(kind, "full_sort_predict", broken)
    with pytest.raises(UserError, match="a score of stage base is not a finite number in epoch 0"):
        base(config, data, opened(tmp_path / "run"))
