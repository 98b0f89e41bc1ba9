"""The models that replace RecBole's compute what RecBole's compute."""

from __future__ import annotations

import importlib
import random

import numpy as np
import pytest
import torch
from recbole.data.interaction import Interaction

from recbole_finest.data.loader import InstanceLoader
from recbole_finest.data.prepare import prepare
from recbole_finest.errors import UserError
from recbole_finest.method import Finest
from recbole_finest.model.build import build_model
from recbole_finest.reference.lists import ReferenceLists
from recbole_finest.scoring.modes import shallow
from recbole_finest.train.checkpoint import save_checkpoint
from recbole_finest.train.finest import FinestTrainer
from recbole_finest.train.mode import choose_training_mode

from .cases import make_config


class Pair:
    """Our model and RecBole's with the same weights, and a batch of 16 instances."""

    def __init__(self, name: str, folder, **settings):
        self.config = make_config(name, folder, folder, **settings)
        self.data = prepare(self.config)
        self.ours = build_model(self.config, self.data.train).eval()
        module = f"recbole.model.sequential_recommender.{name.lower()}"
        self.stock_class = getattr(importlib.import_module(module), name)
        loader = InstanceLoader(self.config, self.data.train, self.data.samplers[0], "probe")
        self.batch = loader.collate_fn(np.arange(16))

    def stock(self):
        model = self.stock_class(self.config, self.data.train).eval()
        model.load_state_dict(self.ours.state_dict())
        return model

    def same(self, method: str) -> bool:
        found = [getattr(m, method)(shallow(self.batch)) for m in (self.ours, self.stock())]
        return torch.allclose(*found, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("loss", ["CE", "BPR"])
def test_bert4rec(toy_data, loss):
    pair = Pair("BERT4Rec", toy_data, loss_type=loss)
    items, length = pair.batch["item_id_list"], pair.batch["item_length"]
    ours = pair.ours.reconstruct_test_data(items, length)
    assert torch.equal(ours, pair.stock().reconstruct_test_data(items, length))
    assert set(length.tolist()) >= {1, 6}
    assert pair.same("calculate_loss") and pair.same("full_sort_predict")


def test_transrec_scores_without_a_tensor_for_every_pair(toy_data):
    pair = Pair("TransRec", toy_data)
    assert pair.same("full_sort_predict") and pair.same("calculate_loss")
    assert torch.equal(pair.ours.predict(pair.batch), pair.stock().predict(pair.batch))


@pytest.mark.parametrize(
    "settings", [{}, {"loss_type": "BPR"}, {"contrast": "us"}, {"contrast": "su"}]
)
def test_fearec(toy_data, settings):
    pair = Pair("FEARec", toy_data, hidden_dropout_prob=0.0, attn_dropout_prob=0.0, **settings)
    losses = []
    for model in (pair.ours, pair.stock()):
        random.seed(0)  # it draws the second history from Python's generator
        losses.append(model.calculate_loss(shallow(pair.batch)))
    torch.testing.assert_close(*losses)
    expected = pair.stock().same_item_index
    assert set(pair.ours.same_item_index) == set(expected)
    for item, positions in expected.items():
        assert np.array_equal(pair.ours.same_item_index[int(item)], positions)


def test_ksr_is_recboles_in_64_bits(toy_data):
    pair = Pair("KSR", toy_data)
    with pytest.raises(RuntimeError, match=r"same dtype|float != double|Double"):
        pair.stock().calculate_loss(pair.batch)  # why there is a repair
    relations = pair.ours.relation_Matrix
    assert relations.dtype == torch.float32
    assert "relation_Matrix" in dict(pair.ours.named_buffers())
    np.testing.assert_allclose(relations, pair.stock().relation_Matrix, rtol=1e-6)


def test_s3rec_loads_pretrained_weights_of_ours_and_of_recbole(toy_data, tmp_path):
    pair = Pair("S3Rec", toy_data)
    torch.nn.init.ones_(pair.ours.sp_norm.weight)
    save_checkpoint(tmp_path / "ours.pth", pair.ours, pair.config)
    torch.save(pair.ours.state_dict(), tmp_path / "bare.pth")
    for name in ("ours.pth", "bare.pth"):
        config = make_config(
            "S3Rec", toy_data, tmp_path, pre_model_path=str(tmp_path / name), loss_type="CE"
        )
        model = build_model(config, pair.data.train)
        assert (model.sp_norm.weight == 1).all()
        assert isinstance(model.loss_fct, torch.nn.CrossEntropyLoss)
    config = pair.config.but(pre_model_path=str(tmp_path / "ours.pth"))
    model = pair.stock_class(config, pair.data.train)  # RecBole's own torch.load reads it too
    assert (model.sp_norm.weight == 1).all()


def test_s3rec_refuses_weights_of_another_size(toy_data, tmp_path):
    pair = Pair("S3Rec", toy_data, hidden_size=4)
    save_checkpoint(tmp_path / "small.pth", pair.ours, pair.config)
    config = make_config("S3Rec", toy_data, tmp_path, pre_model_path=str(tmp_path / "small.pth"))
    with pytest.raises(UserError, match="pre_model_path"):
        build_model(config, pair.data.train)


def test_a_model_that_changes_its_lengths_in_place_is_scored_with_the_right_ones(toy_data):
    pair = Pair("HRM", toy_data, pooling_type_layer_1="average", high_order=2)
    choose_training_mode(pair.data)
    lists = np.tile(np.arange(1, 11), (pair.data.log.n_clean, 1))
    references = ReferenceLists(lists, np.arange(len(lists)))
    trainer = FinestTrainer(pair.config, pair.ours, references, Finest(pair.config))
    trainer._dataset = pair.data.train
    before = {name: pair.batch[name].clone() for name in pair.batch.columns}
    assert len(list(trainer._losses(pair.batch, 0, 0, None))) == 1
    assert all(torch.equal(pair.batch[name], value) for name, value in before.items())
    assert isinstance(pair.batch, Interaction) and before["item_length"].max() > 2
