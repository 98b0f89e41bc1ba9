"""What cannot work is refused with its reason, before anything is trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from recbole_finest.config.config import Config
from recbole_finest.data.prepare import prepare
from recbole_finest.data.requirements import fitting_candidates
from recbole_finest.errors import UserError
from recbole_finest.train.mode import choose_training_mode

from .cases import make_config, write_own_model
from .toy_data import ITEMS


def start(name: str, folder: Path, **settings) -> Config:
    """What a run does before it trains."""
    config = make_config(name, folder, folder, **settings)
    choose_training_mode(prepare(config))
    return config


@pytest.mark.parametrize("name", ["GRU4RecF", "SASRecF", "FDSA", "S3Rec"])
def test_item_features_are_needed(own_toy_data, name):
    setting = "item_attribute" if name == "S3Rec" else "selected_features"
    with pytest.raises(UserError, match=rf"item feature 'colour' \({setting}\)"):
        start(name, own_toy_data, **{setting: "colour" if name == "S3Rec" else ["colour"]})
    columns = {"inter": ["user_id", "item_id"], "item": ["item_id", "release_year"]}
    with pytest.raises(UserError, match=r"'class'.*load_col loads \(item: item_id, release_year"):
        start(name, own_toy_data, load_col=columns)
    (own_toy_data / "toy" / "toy.item").unlink()
    with pytest.raises(UserError, match=r"toy\.item' does not exist"):
        start(name, own_toy_data)


@pytest.mark.parametrize(
    ("name", "suffixes"), [("GRU4RecKG", "kg link ent"), ("KSR", "kg link ent rel")]
)
def test_files_are_needed(own_toy_data, name, suffixes):
    for suffix in suffixes.split():
        file = own_toy_data / "toy" / f"toy.{suffix}"
        content = file.read_text()
        file.unlink()
        with pytest.raises(UserError, match=rf"'{name}' needs the files .*toy\.{suffix}' does not"):
            start(name, own_toy_data)
        file.write_text(content)
    start(name, own_toy_data)


def test_vectors_of_another_length(toy_data):
    with pytest.raises(UserError, match=r"cannot be made with these settings and data: .*size"):
        start("GRU4RecKG", toy_data, embedding_size=4)


@pytest.mark.parametrize("name", ["GRU4RecCPR", "SASRecCPR"])
def test_more_candidates_than_items(toy_data, name):
    config = start(name, toy_data)  # 100 by default
    assert fitting_candidates(config, ITEMS + 1) == {"reranker_CAN_NUM": str(ITEMS)}
    assert start(name, toy_data, reranker_CAN_NUM="20,10", n_facet_all=6)
    with pytest.raises(UserError, match=f"the largest that fits is {ITEMS}"):
        start(name, toy_data, reranker_CAN_NUM=ITEMS + 1)
    with pytest.raises(UserError, match="must be whole numbers"):
        start(name, toy_data, reranker_CAN_NUM="many")


def test_a_whole_default_of_a_real_setting_takes_real_numbers(toy_data):
    assert start("SASRecCPR", toy_data, hidden_dropout_prob=0.2)["hidden_dropout_prob"] == 0.2
    assert start("GRU4RecCPR", toy_data, dropout_prob=0.2)["dropout_prob"] == 0.2
    with pytest.raises(UserError, match=r"hidden_size is 8\.5, but must be a whole number"):
        start("SASRec", toy_data, hidden_size=8.5)


LOSSES = [("GRU4RecCPR", "BPR"), ("RepeatNet", "BPR"), ("CORE", "BPR"), ("FPMC", "CE")]


@pytest.mark.parametrize(("name", "loss"), LOSSES)
def test_a_loss_that_the_model_does_not_have(toy_data, name, loss):
    with pytest.raises(UserError, match=f"loss_type is '{loss}', but {name} is trained with"):
        start(name, toy_data, loss_type=loss)


def test_negatives_that_do_not_go_with_the_loss(toy_data):
    negatives = {"distribution": "uniform", "sample_num": 1}
    with pytest.raises(UserError, match="BPR, which needs negative samples"):
        start("SASRec", toy_data, loss_type="BPR", train_neg_sample_args=None)
    with pytest.raises(UserError, match="takes no negative samples"):
        start("RepeatNet", toy_data, train_neg_sample_args=negatives)
    with pytest.raises(UserError, match="train_neg_sample_args"):
        start("SASRec", toy_data, train_neg_sample_args=negatives)


def test_pre_training_alone(toy_data):
    with pytest.raises(UserError, match="a run does both stages"):
        start("S3Rec", toy_data, train_stage="pretrain")
    with pytest.raises(UserError, match=r"none\.pth' does not exist"):
        start("S3Rec", toy_data, pre_model_path="none.pth")


def test_settings_that_the_model_itself_refuses(toy_data):
    with pytest.raises(UserError, match=r"n_heads is 3, but must divide hidden_size \(8\)"):
        start("SASRec", toy_data, n_heads=3)
    with pytest.raises(
        UserError, match="high_order is 100, but must not exceed MAX_ITEM_LIST_LENGTH"
    ):
        start("HRM", toy_data, high_order=100)


BROKEN = {
    "a loss that fails": ("return self.loss_fct(", "return self.los(", "has no attribute 'los'"),
    "scores of the wrong shape": ("@ self.items.weight.T", "@ self.items.weight[1:].T", "shape"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_model_of_ones_own(toy_data, tmp_path, monkeypatch, case):
    old, new, said = BROKEN[case]
    package = f"broken_{len(case)}"
    write_own_model(tmp_path, package)
    module = tmp_path / package / "my_module.py"
    module.write_text(module.read_text().replace(old, new))
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UserError, match=rf"model 'MyModel' .*{said}"):
        start(f"{package}.my_module:MyModel", toy_data)


@pytest.mark.parametrize("name", ["no_such.module:MyModel", "my_pkg.my_module:Mine", "json:dumps"])
def test_a_class_that_is_not_there(tmp_path, monkeypatch, name):
    write_own_model(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UserError, match=r"cannot be imported|not a sequential recommender"):
        Config(name, "toy")
