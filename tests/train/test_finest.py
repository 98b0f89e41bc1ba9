"""Fine-tuning steps that must come out the same however they are computed."""

import numpy as np
import pytest
import torch

from recbole_finest.config.config import Config
from recbole_finest.data.prepare import prepare
from recbole_finest.method import Finest, make_method
from recbole_finest.model.build import build_model
from recbole_finest.reference.build import build_references
from recbole_finest.train.finest import FinestTrainer
from recbole_finest.train.mode import choose_training_mode

NO_DROPOUT = {
    "SASRec": {"hidden_dropout_prob": 0.0, "attn_dropout_prob": 0.0},
    "GRU4Rec": {"dropout_prob": 0.0},
    "NARM": {"dropout_probs": [0.0, 0.0]},
    "LRURec": {"hidden_dropout_prob": 0.0},
}
K = 5


class Output:
    writes = True

    def __init__(self, path):
        self.path = path


def fine_tuned(model, toy, path, epochs, **changed):
    """References, losses and weights after ``epochs`` epochs of one step each, simulation included."""
    settings = {**toy, **NO_DROPOUT[model], "MAX_ITEM_LIST_LENGTH": 20, "train_batch_size": 4096}
    settings |= {"learner": "sgd", "finest_learning_rate": 0.5, **changed}
    settings.pop("output_dir")
    config = Config(model, "toy", None, settings)
    data = prepare(config)
    choose_training_mode(data)
    net = build_model(config, data.train)
    path.mkdir()
    references = build_references(config, data, net, path / "reference", K)
    trainer = FinestTrainer(config, net, references, Finest(config))
    loader = data.train_loader("fine-tuning")
    assert len(loader) == 1
    before = {name: weight.clone() for name, weight in net.state_dict().items()}
    losses = [trainer._train_epoch(loader, epoch) for epoch in range(epochs)]
    rows = np.flatnonzero(references.slot >= 0)
    lists = references.items[references.slot[rows]]
    return rows, lists, losses, net.state_dict(), before


def assert_same(one, other):
    rows, lists, losses, weights, before = one
    assert np.array_equal(rows, other[0]) and np.array_equal(lists, other[1])
    assert losses == pytest.approx(other[2], rel=1e-5)
    for name, weight in weights.items():
        torch.testing.assert_close(other[3][name], weight, rtol=1e-4, atol=1e-5)
    moved = max((weights[n] - before[n]).abs().max().item() for n in weights)
    assert moved > 0.001  # the steps did something


@pytest.mark.parametrize("model", ["SASRec", "GRU4Rec", "LRURec"])
def test_packed_fine_tuning_is_the_instance_wise_one(toy, tmp_path, model):
    # histories of at most 15, and what a simulation inserts, fit into one window of 20
    found = [
        fine_tuned(model, toy, tmp_path / mode, 4, training_mode=mode)
        for mode in ("packed", "instance")
    ]
    assert_same(*found)


@pytest.mark.parametrize(("model", "mode"), [("SASRec", "packed"), ("NARM", "instance")])
def test_one_forward_pass_is_as_good_as_two(toy, tmp_path, model, mode):
    found = [
        fine_tuned(
            model,
            toy,
            tmp_path / how,
            3,
            training_mode=mode,
            finest_dropout=how,
            finest_learning_rate=0.05,  # NARM diverges at 0.5
        )
        for how in ("none", "next_item", "both")
    ]
    assert_same(found[0], found[1])
    assert_same(found[0], found[2])


@pytest.mark.parametrize("model", ["SASRec", "NARM"])
def test_finest_without_its_regularizer_is_finest_with_a_weight_of_zero(toy, tmp_path, model):
    # with the model's own dropout and the default finest_dropout: both train without it
    small = {**toy, "train_batch_size": 128, "finest_learning_rate": 0.01}
    found = {}
    for name in ("finest", "finest_no_regularizer", "plain"):
        config = Config(model, "toy", None, {**small, "rank_weight": 0.0, "output_dir": None})
        assert config["finest_dropout"] == "none"
        method = make_method(name, config)
        assert (method.simulation() is None) == (name == "plain")
        data = prepare(config)
        choose_training_mode(data)
        net = build_model(config, data.train)
        (tmp_path / name).mkdir()
        references = build_references(config, data, net, tmp_path / name / "reference", K)
        FinestTrainer(config, net, references, method)._train_epoch(
            data.train_loader("fine-tuning"), 0
        )
        found[name] = net.state_dict()
    for name, weight in found["finest"].items():
        assert torch.equal(weight, found["finest_no_regularizer"][name]), name
    assert any(not torch.equal(weight, found["finest"][n]) for n, weight in found["plain"].items())
