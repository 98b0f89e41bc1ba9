"""Runs that start from a trained base: RecBole's checkpoint, ours, or one that does not fit."""

from __future__ import annotations

import pytest
import torch

from recbole_finest import run_finest
from recbole_finest.compat import load_checkpoint
from recbole_finest.config.config import Config
from recbole_finest.config.from_checkpoint import base_settings
from recbole_finest.errors import UserError
from recbole_finest.report.run.summary_table import summary_table

from .outside import WithSettings
from .stock import stock_checkpoint
from .toy_data import write_toy_data

HERE = WithSettings.__module__
RUN = {
    "finest_epochs": 1,
    "perturbation_ratio": 0.02,
    "simulation_ratio": 0.05,
    "baselines": [],
    "show_progress": False,
    "state": "ERROR",
}
SMALL = {"MAX_ITEM_LIST_LENGTH": 6, "hidden_size": 8, "epochs": 2, "train_batch_size": 64}


@pytest.fixture(scope="module")
def run_from(toy_data, tmp_path_factory):
    """Runs with a base checkpoint, from which it takes its settings."""

    def run(model, checkpoint, data_path=toy_data, dataset="toy", **settings):
        folder = tmp_path_factory.mktemp("from")
        given = {**RUN, "data_path": str(data_path), "output_dir": str(folder / "run"), **settings}
        if checkpoint is not None:
            given["base_checkpoint"] = str(checkpoint)
        result = run_finest(model, dataset, config_dict=given)
        return result, folder / "run"

    return run


@pytest.fixture(scope="module")
def ours(run_from):
    """A finished run of ours; ``base.pth`` is in its folder."""
    return run_from("SASRec", None, seed=11, **SMALL)


@pytest.fixture(scope="module")
def stock(toy_data, tmp_path_factory):
    return stock_checkpoint("SASRec", toy_data, tmp_path_factory.mktemp("stock"))


def test_from_recboles_checkpoint_base_is_trained_exactly_as_recbole_did(run_from, stock):
    result, folder = run_from("SASRec", stock)
    assert result["seed"] == 7
    assert (result["shuffle_order"], result["training_mode"]) == ("recbole", "instance")
    assert result["stability"]["control"]["jaccard@10"] == 1
    trained = load_checkpoint(folder / "control.pth")["state_dict"]
    for name, weight in load_checkpoint(stock)["state_dict"].items():
        assert torch.equal(weight, trained[name]), name
    assert load_checkpoint(folder / "base_perturbed.pth")["config"]["hidden_size"] == 8


@pytest.mark.parametrize("name", ["GRU4RecF", "DIN"])
def test_settings_of_recboles_checkpoints(toy_data, tmp_path, name):
    negatives = {"distribution": "uniform", "sample_num": 2} if name == "DIN" else None
    path = stock_checkpoint(name, toy_data, tmp_path, train_neg_sample_args=negatives, epochs=1)
    given = {"data_path": str(toy_data), "base_checkpoint": str(path)}
    before = Config(name, "toy", config_dict=given)
    after = base_settings(before, load_checkpoint(path), given, None)
    assert after["seed"] == 7 and after["epochs"] == 1
    assert after["load_col"]["item"] == ["item_id", "class", "release_year"]
    assert after["train_neg_sample_args"]["sample_num"] == (2 if name == "DIN" else "none")
    assert after["eval_args"]["mode"] == {"valid": "full", "test": "full"}
    assert after["valid_metric"] == "MRR@10"
    assert not after.is_explicit("seed") and after.is_explicit("data_path")


@pytest.mark.parametrize("name", ["BERT4Rec", "SHAN", "GRU4RecCPR"])
def test_settings_of_our_checkpoints(toy_data, name):
    """Names that RecBole's transforms write, an empty string and a default that was reduced come back."""
    trained = Config(name, "toy", config_dict={"data_path": str(toy_data), "epochs": 3})
    given = {"data_path": str(toy_data), "base_checkpoint": "base.pth"}
    before = Config(name, "toy", config_dict=given)
    after = base_settings(before, {"config": trained.plain()}, given, None)
    assert after["epochs"] == 3 and not after.is_explicit("epochs")
    if name == "GRU4RecCPR":
        assert after["weight_mode"] == trained["weight_mode"] == ""
        assert not after.is_explicit("reranker_CAN_NUM")


def test_from_our_checkpoint_with_an_exact_control(run_from, ours):
    first, folder = ours
    result, _ = run_from("SASRec", folder / "base.pth")
    assert result["seed"] == 11
    assert result["accuracy"]["base"] == first["accuracy"]["base"]
    assert result["stability"] == first["stability"]
    assert all(abs(v - 1) <= 1e-12 for v in result["stability"]["control"].values())


def test_s3rec_is_pretrained_on_both_sides(run_from):
    first, folder = run_from("S3Rec", None, pretrain_epochs=1, save_step=1, **SMALL)
    assert (folder / "base_perturbed.pretrained.pth").is_file()
    result, other = run_from("S3Rec", folder / "base.pth")
    assert result["stability"] == first["stability"]
    assert result["stability"]["control"]["jaccard@10"] == 1
    pretrained = folder / "base.pretrained.pth"
    assert load_checkpoint(pretrained)["config"]["train_stage"] == "pretrain"
    given, other = run_from("S3Rec", None, pre_model_path=str(pretrained), **SMALL)
    assert given["accuracy"]["base"] == first["accuracy"]["base"]
    assert not list(other.glob("*.pretrained.pth"))


def test_weights_without_settings_can_only_be_stabilised(run_from, ours, tmp_path):
    bare = tmp_path / "bare.pth"
    torch.save(load_checkpoint(ours[1] / "base.pth")["state_dict"], bare)
    with pytest.raises(UserError, match="does not say how it was trained"):
        run_from("SASRec", bare, **SMALL)
    result, _ = run_from("SASRec", bare, **SMALL, perturbation_ratio=0)
    assert result["accuracy"]["base"] == ours[0]["accuracy"]["base"]


def test_a_checkpoint_of_another_model_or_data_set(run_from, ours, tmp_path):
    path = ours[1] / "base.pth"
    with pytest.raises(UserError, match="trained with model=SASRec, not GRU4Rec"):
        run_from("GRU4Rec", path)
    write_toy_data(tmp_path / "data", "other")
    with pytest.raises(UserError, match="trained with dataset=toy, not other"):
        run_from("SASRec", path, tmp_path / "data", "other")
    write_toy_data(tmp_path / "same_name", seed=1)
    with pytest.raises(UserError, match="trained on other interactions"):
        run_from("SASRec", path, tmp_path / "same_name")


def test_other_settings_than_the_checkpoints(run_from, ours, stock):
    path = ours[1] / "base.pth"
    with pytest.raises(UserError, match="epochs is 3, but base_checkpoint was trained with 2"):
        run_from("SASRec", path, epochs=3)
    with pytest.raises(UserError, match=r"target_stride is 2, but .* trained with 1"):
        run_from("SASRec", path, target_stride=2)
    with pytest.raises(UserError, match=r"recent_only is True, but .* trained with False"):
        run_from("SASRec", stock, recent_only=True)
    with pytest.raises(UserError, match="does not fit model 'SASRec'"):
        run_from("SASRec", path, hidden_size=4, perturbation_ratio=0)


def test_a_fine_tuned_model_is_no_base(run_from, ours):
    folder = ours[1]
    for name in ("finest", "finest_perturbed"):
        with pytest.raises(UserError, match=r"holds a fine-tuned model.*give the run's base\.pth"):
            run_from("SASRec", folder / f"{name}.pth")
    result, _ = run_from("SASRec", folder / "finest.pth", perturbation_ratio=0)
    assert result["accuracy"]["base"] == ours[0]["accuracy"]["finest"]
    result, _ = run_from("SASRec", folder / "control.pth")  # trained as base was
    assert result["stability"] == ours[0]["stability"]


def settings_from(checkpoint, data_path, **settings):
    """The settings of a run from a checkpoint of SASRec."""
    given = {"data_path": str(data_path), "base_checkpoint": "base.pth"}
    config = Config("SASRec", "toy", config_dict=given, command_line=settings)
    return base_settings(config, checkpoint, given, settings)


def test_other_depths_than_base_was_validated_at(toy_data, run_from, ours, caplog):
    result, folder = run_from("SASRec", ours[1] / "base.pth", topk=[5])
    assert "topk is [5]; 10 is measured too" in caplog.text
    assert "ndcg@5" in result["accuracy"]["base"]
    assert result["accuracy"]["base"]["mrr@10"] == ours[0]["accuracy"]["base"]["mrr@10"]
    assert result["stability"]["base"]["jaccard@10"] == ours[0]["stability"]["base"]["jaccard@10"]
    assert load_checkpoint(folder / "base_perturbed.pth")["config"]["valid_metric"] == "MRR@10"
    checkpoint = load_checkpoint(ours[1] / "base.pth")
    assert settings_from(checkpoint, toy_data, topk="[10, 20]")["topk"] == [10, 20]
    own = settings_from(checkpoint, toy_data, topk=5, valid_metric="MRR@5", perturbation_ratio=0)
    assert own["topk"] == [5] and own["valid_metric"] == "MRR@5"


def test_seeds_have_to_hold_the_checkpoints(toy_data, ours):
    checkpoint = load_checkpoint(ours[1] / "base.pth")
    with pytest.raises(UserError, match=r"seeds is \[5, 6\], but .* trained with seed 11"):
        settings_from(checkpoint, toy_data, seeds="[5,6]")
    found = settings_from(checkpoint, toy_data, seeds="[5,11]", perturbation_seeds="[3,4]")
    assert (found["seed"], found["perturbation_seed"]) == (11, 3)


def test_a_control_that_differs_is_said(run_from, ours, caplog):
    result, folder = run_from("SASRec", ours[1] / "base.pth", state="WARNING")
    assert "Control failed" not in caplog.text + summary_table(result)
    checkpoint = load_checkpoint(ours[1] / "base.pth")
    checkpoint["state_dict"]["item_embedding.weight"][:9] *= 2  # as another device would, but more
    torch.save(checkpoint, folder / "other.pth")
    result, _ = run_from("SASRec", folder / "other.pth", state="WARNING")
    assert result["stability"]["control"]["jaccard@10"] < 1
    assert "Control failed" in caplog.text
    assert summary_table(result).endswith("(base_checkpoint, resume).")


def test_a_perturbation_of_the_runs_own_replaces_the_checkpoints(toy_data, ours):
    checkpoint = load_checkpoint(ours[1] / "base.pth")
    checkpoint["config"] = {**checkpoint["config"], "perturbation_count": 5}

    def count_and_ratio(**settings):
        found = settings_from(checkpoint, toy_data, **settings)
        return found["perturbation_count"], found["perturbation_ratio"]

    assert count_and_ratio() == (5, 0.02)
    assert count_and_ratio(perturbation_ratio=0) == (None, 0)
    assert count_and_ratio(perturbation_count=3) == (3, 0.001)


def test_overwriting_the_checkpoints_own_folder_is_refused(run_from, ours):
    folder = ours[1]
    with pytest.raises(UserError, match="is in output_dir"):
        run_from("SASRec", folder / "base.pth", output_dir=str(folder), overwrite=True)
    assert (folder / "base.pth").is_file()


def test_the_same_rows_in_another_order_are_not_taken_for_the_same_ids(tmp_path):
    """RecBole gives ids by first appearance, and its checkpoints do not say whose the rows are."""
    folder = write_toy_data(tmp_path / "data")
    stock = stock_checkpoint("SASRec", folder, tmp_path, epochs=3)
    settings = {"data_path": str(folder), "perturbation_ratio": 0, "finest_epochs": 0}
    settings |= {"baselines": [], "base_checkpoint": str(stock), "list_depth": 20, "state": "ERROR"}
    run_finest("SASRec", "toy", None, {**settings, "output_dir": str(tmp_path / "same")})
    file = folder / "toy" / "toy.inter"
    head, *rows = file.read_text().splitlines()
    file.write_text("\n".join([head, *rows[::-1]]) + "\n")
    with pytest.raises(UserError, match="users or items have other ids"):
        run_finest("SASRec", "toy", None, {**settings, "output_dir": str(tmp_path / "other")})
    assert not (tmp_path / "other").exists()


def test_from_recboles_checkpoint_of_a_class_of_ones_own(run_from, toy_data, tmp_path):
    """Its class is named by the user, its settings come from the file, base is trained as RecBole did."""
    own = {"loss_type": "CE", "contrast": "un", "temperature": 3.0}
    sizes = {"n_layers": 1, "n_heads": 2, "hidden_dropout_prob": 0.3}
    path = stock_checkpoint(WithSettings, toy_data, tmp_path, **own, **sizes)
    result, folder = run_from(f"{HERE}:WithSettings", path)
    assert result["seed"] == 7
    assert result["stability"]["control"]["jaccard@10"] == 1
    assert 0 < result["stability"]["base"]["jaccard@10"] < 1
    settings = load_checkpoint(folder / "base_perturbed.pth")["config"]
    assert {name: settings[name] for name in own} == own
    trained = load_checkpoint(folder / "control.pth")["state_dict"]
    for name, weight in load_checkpoint(path, model=WithSettings)["state_dict"].items():
        assert torch.equal(weight, trained[name]), name
    for model in ("SASRec", f"{HERE}:Gated"):
        with pytest.raises(UserError, match="if it is the model's own class, name it with --model"):
            run_from(model, path)
    with pytest.raises(
        UserError, match="contrast is 'none', but base_checkpoint was trained with 'un'"
    ):
        run_from(f"{HERE}:WithSettings", path, contrast="none")


def test_weights_alone_do_not_say_the_loss_of_a_class_of_ones_own(run_from, toy_data, tmp_path):
    path = tmp_path / "bare.pth"
    torch.save({"w": torch.ones(1)}, path)
    with pytest.raises(
        UserError, match=r"loss_type is not set, and base_checkpoint .*bare\.pth' does"
    ):
        run_from(f"{HERE}:WithSettings", path, hidden_size=8)
    with pytest.raises(UserError, match=r"arg 'loss_type' should exist"):
        run_from(f"{HERE}:WithSettings", None, hidden_size=8)
