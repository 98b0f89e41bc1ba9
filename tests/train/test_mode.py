"""Packed training: never of a model that looks ahead, and the true reason where it is not possible."""

import pytest
import torch

from recbole_finest import run_finest
from recbole_finest.config.config import Config
from recbole_finest.data.prepare import prepare
from recbole_finest.errors import UserError
from recbole_finest.model.build import build_model
from recbole_finest.train.base import base_trainer
from recbole_finest.train.mode import choose_training_mode
from tests.train.own_models import Gated, Scheduled, Timed, settings_of


def config_of(model, toy, **changed):
    return Config(model, "toy", None, settings_of(model, toy, output_dir=None, **changed))


def mode_of(model, toy, **changed):
    data = prepare(config_of(model, toy, **changed))
    reason = choose_training_mode(data)
    assert data.packed == (reason is None)
    return reason


def test_a_gate_that_is_zero_at_first_is_noticed(toy):
    assert "causality" in mode_of(Gated, toy)
    assert mode_of("SASRec", toy) is None
    with pytest.raises(UserError, match="training_mode is packed, but one pass"):
        mode_of(Gated, toy, training_mode="packed")


def test_a_model_that_looks_ahead_once_trained_is_refused(toy):
    config = config_of(Scheduled, toy)
    data = prepare(config)
    assert choose_training_mode(data) is None  # nothing shows before it is trained
    trainer = base_trainer(config, build_model(config, data.train))
    with pytest.raises(UserError, match=r"'Scheduled' looks ahead after epoch 0.*=instance"):
        trainer.fit(data.train_loader("base"), data.valid_loader(), saved=False)
    config = config_of(Scheduled, toy, training_mode="instance")
    data = prepare(config)
    choose_training_mode(data)
    trainer = base_trainer(config, build_model(config, data.train))
    trainer.fit(data.train_loader("base"), data.valid_loader(), saved=False)
    assert trainer.last_epoch == 1


def test_a_resumed_run_is_refused_alike(toy):
    for more in ({}, {"resume": True}):
        with pytest.raises(UserError, match="looks ahead after epoch 0"):
            run_finest(Scheduled, "toy", config_dict=settings_of(Scheduled, toy, **more))


def test_the_second_test_draws_nothing_and_leaves_the_mode(toy):
    config = config_of("SASRec", toy, shuffle_order="recbole")
    data = prepare(config)
    choose_training_mode(data)
    found = []
    for tested in (True, False):
        trainer = base_trainer(config, build_model(config, data.train))
        if not tested:
            trainer._check_causal = lambda loader, epoch: None
        torch.manual_seed(0)
        trainer.fit(data.train_loader("base"), data.valid_loader(), saved=False)
        found.append([epoch["train_loss"] for epoch in trainer.curves])
    assert found[0] == found[1] and len(found[0]) == 2


@pytest.mark.parametrize("changed", [{"target_stride": 2}, {"target_stride": 9}])
def test_some_targets_can_be_packed(toy, changed):
    assert mode_of("SASRec", toy, **changed) is None
    assert "causality" in mode_of(Gated, toy, **changed)


def test_recent_targets_do_not_hide_a_model_that_looks_ahead(toy):
    changed = {"recent_only": True, "MAX_ITEM_LIST_LENGTH": 3, "user_inter_num_interval": "[8,inf)"}
    assert "causality" in mode_of(Gated, toy, **changed)
    assert mode_of("NARM", toy, **changed) is not None
    assert mode_of("SASRec", toy, **changed) is None


def test_an_error_in_a_pass_over_windows_is_the_reason(toy):
    reason = mode_of(Timed, toy)
    assert "'timestamp'" in reason and "causality" not in reason
    assert "cross-entropy" in mode_of("SINE", toy, loss_type="NLL", prototype_size=10)


def test_a_run_over_every_other_target(toy):
    found = run_finest("SASRec", "toy", config_dict={**toy, "target_stride": 2})
    assert found["training_mode"] == "packed"
    assert list(found["stability"]["control"].values()) == pytest.approx([1.0] * 4)
