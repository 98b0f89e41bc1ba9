"""``finetune`` with the objects of RecBole scripts, and what it says of those that it cannot take."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from recbole.model.general_recommender import BPR
from recbole.utils import InputType

from recbole_finest import finetune, reference_lists
from recbole_finest.bridge.script_data import script_data
from recbole_finest.config.from_recbole import own_config
from recbole_finest.data.prepare import prepare
from recbole_finest.errors import UserError
from recbole_finest.train.finest import FinestTrainer
from recbole_finest.train.mode import prepare_data
from tests.bridge.script import Another, Deep, Scaled, script
from tests.data.stock import write_atomic

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # RecBole's


def weights(model):
    return {name: weight.clone() for name, weight in model.state_dict().items()}


def refusal(*arguments, **settings):
    with pytest.raises(UserError) as error:
        finetune(*arguments, **settings)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_the_model_and_the_scripts_random_numbers_stay(toy, monkeypatch):
    given = script(monkeypatch, toy["data_path"])
    before, mode = weights(given.model), given.model.training
    random.seed(3), np.random.seed(3), torch.manual_seed(3)
    drawn = random.random(), np.random.rand(), torch.rand(1).item()
    random.seed(3), np.random.seed(3), torch.manual_seed(3)
    finest = finetune(*given.arguments)
    assert (random.random(), np.random.rand(), torch.rand(1).item()) == drawn
    assert given.model.training is mode and "packed_index" not in vars(given.model)
    assert isinstance(finest, type(given.model)) and not finest.training
    for name, weight in given.model.state_dict().items():
        assert torch.equal(weight, before[name])
    given.model.load_state_dict(finest.state_dict())
    assert not torch.equal(
        weights(given.model)["item_embedding.weight"], before["item_embedding.weight"]
    )


def test_settings_of_the_call_win_over_the_scripts(toy, monkeypatch):
    given = script(monkeypatch, toy["data_path"], finest_epochs=0)
    still = finetune(*given.arguments)
    moved = finetune(*given.arguments, finest_epochs=1)
    before = given.model.item_embedding.weight
    assert torch.equal(still.item_embedding.weight, before)
    assert not torch.equal(moved.item_embedding.weight, before)
    again = finetune(still, given.config, given.train, finest_epochs=1)  # of its own result
    assert torch.equal(again.item_embedding.weight, moved.item_embedding.weight)


def test_recboles_settings_are_taken_as_they_are(toy, monkeypatch):
    given = script(monkeypatch, toy["data_path"], seed=7, learning_rate=0.02, rank_weight=3.0)
    ours = own_config(given.config)
    for name in (
        "seed",
        "learning_rate",
        "rank_weight",
        "hidden_size",
        "topk",
        "metrics",
        "eval_args",
    ):
        assert ours[name] == given.config[name]
    assert ours.is_explicit("rank_weight") and not ours.is_explicit("stopping_step")
    assert own_config(ours) is ours and own_config(ours, given={"seed": 8})["seed"] == 8


def test_a_name_that_nobody_reads_is_said(toy, monkeypatch, caplog):
    given = script(monkeypatch, toy["data_path"], finest_epoch=3)
    own_config(given.config)
    assert "reads: finest_epoch" in caplog.text
    assert "finest_epochs" in refusal(*given.arguments, finest_epoch=3)


NEGATIVES = {"distribution": "uniform", "sample_num": 1}
OTHERS = {
    "BERT4Rec": {"mask_ratio": 0.4},  # repaired by us
    "GRU4Rec": {},
    "SHAN": {
        "loss_type": "BPR",
        "train_neg_sample_args": NEGATIVES,
    },  # its transform is read in scoring
    "RepeatNet": {},  # scores are probabilities
}


@pytest.mark.parametrize("model", OTHERS)
def test_other_models_of_recboles(model, toy, monkeypatch):
    given = script(monkeypatch, toy["data_path"], model, **OTHERS[model])
    before = weights(given.model)
    finest = finetune(*given.arguments)
    assert finest.state_dict().keys() == before.keys()
    assert any(not torch.equal(w, before[n]) for n, w in finest.state_dict().items())


# The data ---------------------------------------------------------------------------------------------


def colliding(tmp_path):
    """Users whose times are a second apart, rows shuffled: 32 bits cannot tell them apart."""
    rng = np.random.default_rng(0)
    rows = [
        (f"u{u}", f"i{rng.integers(12)}", 1_500_000_000 + s) for u in range(9) for s in range(8)
    ]
    rng.shuffle(rows)
    names = ["user_id:token", "item_id:token", "timestamp:float"]
    write_atomic(tmp_path / "data" / "toy" / "toy.inter", dict(zip(names, zip(*rows))))
    return str(tmp_path / "data")


def test_recboles_order_of_times_is_kept(tmp_path, monkeypatch):
    given = script(monkeypatch, colliding(tmp_path), reference_k=2)
    ours = own_config(given.config)
    data = script_data(ours, given.train, given.valid)
    assert data.config["time_order"] == "recbole"
    for part, loader in (
        (data.train, given.train),
        (data.valid, given.valid),
        (data.test, given.test),
    ):
        mine, theirs = part[:], loader._dataset.inter_feat
        rows = [
            sorted(
                map(
                    str,
                    torch.column_stack([b["user_id"], b["item_id"], b["item_id_list"]]).tolist(),
                )
            )
            for b in (mine, theirs)
        ]
        assert rows[0] == rows[1]
    exact = prepare(ours)  # by default as ever
    assert exact.log.time.tolist() == sorted(exact.log.time.tolist()[:8]) * 9


def test_a_changed_data_set_is_refused(toy, monkeypatch):
    given = script(monkeypatch, toy["data_path"])
    dataset = given.train._dataset
    whole = dataset.inter_feat
    dataset.inter_feat = whole[: len(whole) - 1]
    words = refusal(*given.arguments)
    assert "another number of instances" in words and "files" in words
    dataset.inter_feat = whole
    dataset.inter_feat["item_id_list"][3, 0] += 1
    assert "other histories" in refusal(*given.arguments)
    dataset.inter_feat["item_id_list"][3, 0] -= 1
    tokens = dataset.field2id_token["item_id"]
    dataset.field2id_token["item_id"] = np.append(tokens[:1], tokens[:0:-1])
    assert "other ids" in refusal(*given.arguments)


def test_targets_may_be_fewer_than_the_loaders(toy, monkeypatch):
    given = script(monkeypatch, toy["data_path"], recent_only=True)
    data = script_data(own_config(given.config), given.train)
    assert 0 < len(data.train) < len(given.train._dataset)


# What cannot be bridged -------------------------------------------------------------------------------


def test_foreign_objects_are_refused_by_name(toy, monkeypatch):
    model, config, train, valid, _, dataset = script(monkeypatch, toy["data_path"])
    assert "recbole.config.Config" in refusal(model, {"model": "SASRec"}, train, valid)
    assert "train_data is of type SequentialDataset" in refusal(model, config, dataset, valid)
    assert "valid_data is of type list" in refusal(model, config, train, [])
    assert "model is of type Linear" in refusal(torch.nn.Linear(1, 1), config, train, valid)
    assert "needs valid_data" in refusal(model, config, train, finest_early_stopping=True)


def test_models_that_cannot_be_made_twice(toy, monkeypatch):
    given = script(monkeypatch, toy["data_path"], Scaled, **SAS)
    finetune(*given.arguments)
    given.model.factor = 2.0
    assert "neither a setting nor a weight" in refusal(*given.arguments)
    given = script(monkeypatch, toy["data_path"], Deep, **SAS)
    monkeypatch.setattr(Deep, "layers", 2)
    assert "does not take the weights of model" in refusal(*given.arguments)
    model = Another(given.config, given.train._dataset, 3)
    assert "cannot be made" in refusal(model, *given.arguments[1:])


SAS = {
    "loss_type": "CE",
    "n_layers": 1,
    "n_heads": 1,
    "hidden_dropout_prob": 0.1,
    "attn_dropout_prob": 0.1,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
    "initializer_range": 0.02,
}


def test_a_class_without_a_file(toy, monkeypatch):
    """As in a notebook."""
    space: dict = {"__name__": "__main__"}
    exec("from tests.bridge.script import Scaled\nclass Mine(Scaled):\n    pass\n", space)
    given = script(monkeypatch, toy["data_path"], space["Mine"], **SAS)
    assert isinstance(finetune(*given.arguments), space["Mine"])


def test_general_recommenders(toy, monkeypatch):
    assert BPR.input_type == InputType.PAIRWISE
    given = script(
        monkeypatch, toy["data_path"], "BPR", train_neg_sample_args={"distribution": "uniform"}
    )
    assert "SequentialRecommender" in refusal(*given.arguments)


# The parts by themselves ------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["packed", "instance"])
def test_the_parts_take_recboles_config_and_model(mode, toy, monkeypatch, tmp_path):
    settings = {"training_mode": mode, "MAX_ITEM_LIST_LENGTH": 20, "finest_learning_rate": 0.01}
    given = script(monkeypatch, toy["data_path"], **settings)
    before = weights(given.model)["item_embedding.weight"]
    data = prepare_data(given.config)
    assert data.packed == (mode == "packed")
    lists = reference_lists(given.config, data, given.model, tmp_path / "lists")
    other = prepare_data(own_config(given.config, given={"training_mode": "instance"}))
    alone = reference_lists(other.config, other, given.model, tmp_path / "alone")
    rows = np.flatnonzero(alone.slot >= 0)
    np.testing.assert_array_equal(lists.items[lists.slot[rows]], alone.items[alone.slot[rows]])
    trainer = FinestTrainer(given.config, given.model, lists)
    trainer.fit(data.train_loader("fine-tuning"), saved=False)
    finest = finetune(*script(monkeypatch, toy["data_path"], **settings).arguments[:3])
    one, other = given.model.item_embedding.weight, finest.item_embedding.weight
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
    assert (one - before).abs().max() > 0.01
    with pytest.raises(UserError, match="data is of type TrainDataLoader; give what"):
        reference_lists(given.config, given.train, given.model, tmp_path / "none")
    with pytest.raises(UserError, match="prepare_data"):
        trainer.fit(given.train)


def test_what_needs_our_config_says_so(toy, monkeypatch):
    from recbole_finest import build_model, create_dataset

    given = script(monkeypatch, toy["data_path"])
    with pytest.raises(UserError, match="create_dataset needs a recbole_finest"):
        create_dataset(given.config)
    with pytest.raises(UserError, match="build_model needs a recbole_finest"):
        build_model(given.config, given.train._dataset)
