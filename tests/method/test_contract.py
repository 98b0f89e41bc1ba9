"""What every method promises on models of three kinds, in whole runs on toy data."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest
import torch

from recbole_finest import Config, run_finest
from recbole_finest.data.from_settings import draw_test_perturbation
from recbole_finest.data.instances import ROW_FIELD
from recbole_finest.data.prepare import prepare
from recbole_finest.evaluator.lists.ranklists import RankLists
from recbole_finest.experiment.output import Output
from recbole_finest.experiment.stages import fine_tune
from recbole_finest.method import METHODS, make_method
from recbole_finest.model.average import AverageModel
from recbole_finest.model.build import build_model
from recbole_finest.reference.lists import ReferenceLists
from recbole_finest.scoring.scorer import Scorer
from recbole_finest.train.mode import prepare_data
from tests.conftest import write_toy

OWN_METHOD = "my_methods.half:HalfPlain"
OWN_MODULE = '''
from recbole_finest.method import Method


class HalfPlain(Method):
    """Half of the next-item loss."""

    def loss(self, step):
        return step.next_item_loss / 2
'''
METHOD_NAMES = [*METHODS, OWN_METHOD]
SMALL = {"hidden_size": 8, "inner_size": 16, "n_layers": 1}
VARIANTS = {
    "SASRec": SMALL,  # packed, cross-entropy
    "BERT4Rec": SMALL,  # masked histories, cross-entropy
    "NPE": {"loss_type": "BPR", "embedding_size": 8},  # negative items
}
SETTINGS = {
    "epochs": 1,
    "finest_epochs": 1,
    "MAX_ITEM_LIST_LENGTH": 8,
    "train_batch_size": 128,
    "reference_k": 5,
    "list_depth": 20,
    "simulation_ratio": 0.05,
    "perturbation_ratio": 0.02,
    "ensemble_size": 2,
    "recipe": {"epochs": 2, "eval_step": 2, "weight_average": "ema", "weight_average_decay": 0.9},
    "show_progress": False,
    "state": "ERROR",
    "baselines": [name for name in METHOD_NAMES if name != "finest"],
}


def settings_of(model, folder):
    variant = VARIANTS[model]
    return {
        **SETTINGS,
        **variant,
        "data_path": str(folder / "data"),
        "output_dir": str(folder / "run"),
    }


@pytest.fixture(scope="module", autouse=True)
def no_report():
    """Runs without a report, which takes longer than these trainings and has tests of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("recbole_finest.quick_start.write_report", lambda folder: None)
        yield


@pytest.fixture(scope="module", params=VARIANTS)
def run(request, tmp_path_factory):
    """Name of the model, folder of the run with all methods, and its result."""
    folder = tmp_path_factory.mktemp("methods")
    write_toy(folder / "data")
    package = folder / "my_methods"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "half.py").write_text(OWN_MODULE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(str(folder))
        result = run_finest(request.param, "toy", config_dict=settings_of(request.param, folder))
        yield request.param, folder, result


def targets(folder, name):
    return RankLists.load(folder / "run" / "ranklists" / f"{name}.npz").targets


def weights(folder: Path, name: str) -> dict[str, torch.Tensor]:
    return torch.load(folder / "run" / f"{name}.pth", weights_only=True)["state_dict"]


def lists(folder: Path, name: str) -> np.ndarray:
    return RankLists.load(folder / "run" / "ranklists" / f"{name}.npz").items


def test_the_control_is_exact_beside_every_method(run):
    _, _, result = run
    assert all(abs(v - 1) <= 1e-12 for v in result["stability"]["control"].values())


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_both_sides_have_lists_and_finite_curves(run, method):
    _, folder, result = run
    curves = json.loads((folder / "run" / "curves.json").read_text())
    trains = (0, 0) if method in ("none", "ensemble", "keep", "recipe") else (1, 1)
    for name, epochs in zip((method, f"{method}_perturbed"), trains):
        assert result["epochs"][name] == len(curves[name]) == epochs
        assert all(np.isfinite(row["train_loss"]) and row["train_loss"] > 0 for row in curves[name])
        found = lists(folder, name)
        hits = found[:, :10] == targets(folder, name)[:, None]
        gains = (hits / np.log2(np.arange(2, 12))).sum(1)
        assert result["accuracy"][name]["ndcg@10"] == pytest.approx(gains.mean(), abs=1e-12)
        assert found.shape == lists(folder, "base").shape
    pairs = zip(lists(folder, method)[:, :10], lists(folder, f"{method}_perturbed")[:, :10])
    shared = np.array([len(set(one) & set(other)) for one, other in pairs])
    assert result["stability"][method]["jaccard@10"] == pytest.approx(
        (shared / (20 - shared)).mean()
    )


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_a_checkpoint_gives_the_lists_again(run, method):
    model, folder, _ = run
    path = folder / "run" / f"{method}_perturbed.pth"
    if method in ("none", "keep", "recipe"):
        assert not path.exists()
        return
    config = Config(model, "toy", config_dict=settings_of(model, folder))
    data = prepare(config)
    state = torch.load(path, weights_only=True)
    if method == "ensemble":
        found = AverageModel.from_checkpoint(config, data.train, state)
    else:
        found = build_model(config, data.train)
        found.load_state_dict(state["state_dict"])
    batch = next(iter(data.test_loader()))[0]
    with torch.no_grad():
        scores = Scorer(found.eval(), data.train).all_items(batch)
    scores[:, 0] = -torch.inf
    wanted = lists(folder, f"{method}_perturbed")
    tokens = data.train.id2token("item_id", scores.argmax(1).numpy())
    assert (tokens == wanted[: len(tokens), 0]).mean() > 0.98  # near-ties may change places


def test_nothing_is_base(run):
    _, folder, result = run
    for side in ("", "_perturbed"):
        assert np.array_equal(lists(folder, f"none{side}"), lists(folder, f"base{side}"))
        assert result["accuracy"][f"none{side}"] == result["accuracy"][f"base{side}"]
    assert result["stability"]["none"] == result["stability"]["base"]


def test_a_recipe_is_base_under_its_settings(run, tmp_path, monkeypatch):
    model, folder, result = run
    monkeypatch.chdir(tmp_path)
    given = {**settings_of(model, folder), "output_dir": str(tmp_path / "run"), "baselines": []}
    recipe = SETTINGS["recipe"]
    alone = run_finest(model, "toy", config_dict={**given, **recipe, "control": False})
    for side in ("", "_perturbed"):
        assert result["epochs"][f"base_recipe{side}"] == 2 and result["epochs"]["base"] == 1
        assert result["accuracy"][f"recipe{side}"] == alone["accuracy"][f"base{side}"]
        for name, weight in weights(tmp_path, f"base{side}").items():
            assert torch.equal(weights(folder, f"base_recipe{side}")[name], weight), name
    assert result["stability"]["recipe"] == alone["stability"]["base"]
    assert result["question"]["recipe"] == "alone"
    assert result["cost"]["recipe"]["seconds"] == pytest.approx(
        result["seconds"]["base_recipe"] + result["seconds"]["recipe"]
    )


def test_the_deployed_model_is_kept_on_both_sides(run):
    _, folder, result = run
    for name in ("keep", "keep_perturbed"):
        assert np.array_equal(lists(folder, name), lists(folder, "base"))
    assert result["stability"]["keep"]["jaccard@10"] == 1


def test_warm_start_is_plain_on_the_clean_side_and_goes_on_from_it_on_the_other(run):
    _, folder, _ = run
    assert np.array_equal(lists(folder, "warm_start"), lists(folder, "plain"))
    changed, plain = weights(folder, "warm_start_perturbed"), weights(folder, "plain_perturbed")
    assert any(not torch.equal(changed[name], weight) for name, weight in plain.items())


def test_own_lists_differ_from_the_clean_bases_on_the_perturbed_side_alone(run):
    _, folder, result = run
    for name in ("finest", "distillation", "listmle"):
        assert np.array_equal(lists(folder, f"{name}_own"), lists(folder, name))
        own, clean = (weights(folder, f"{n}_perturbed") for n in (f"{name}_own", name))
        assert any(not torch.equal(own[key], weight) for key, weight in clean.items())
        assert result["question"][f"{name}_own"] == "alone"
        assert result["question"][name] == "anchored"


def test_the_ensemble_holds_base_and_another_seed(run):
    _, folder, _ = run
    for side in ("", "_perturbed"):
        found = weights(folder, f"ensemble{side}")
        for i, member in enumerate((f"base{side}", f"base_seed2021{side}")):
            for name, weight in weights(folder, member).items():
                assert torch.equal(found[f"members.{i}.{name}"], weight), name


def test_an_ensembles_lists_are_those_of_its_own_sides_bases(run):
    """By values: the lists, and a fine-tuning from files of the perturbed side alone."""
    model, folder, result = run
    config = Config(model, "toy", config_dict=settings_of(model, folder))
    data = prepare_data(config)
    log = draw_test_perturbation(config, data, logging.getLogger())[0]
    lists = {}
    for side, own in (("", data.log), ("_perturbed", log)):
        lists[side] = ReferenceLists.load(folder / "run" / f"reference_seeds2020-2021{side}")
        average = AverageModel.from_checkpoint(
            config,
            data.train,
            torch.load(folder / "run" / f"ensemble{side}.pth", weights_only=True),
        )
        batch = data.train.with_log(own)[np.arange(200)]
        batch = batch[batch["item_length"] <= 4]  # those that packed windows do not cut
        with torch.no_grad():
            scores = Scorer(average.eval(), data.train).all_items(batch)
        scores[:, 0] = -torch.inf
        found, index = lists[side].lookup(batch[ROW_FIELD])
        assert len(index) == len(batch) > 60
        assert (found == scores.topk(10).indices).float().mean() > 0.98  # near-ties
    assert result["question"]["finest_ensemble"] == "alone"
    start = build_model(config, data.train)
    start.load_state_dict(weights(folder, "base_perturbed"))
    (folder / "again").mkdir(exist_ok=True)
    output = Output(folder / "again", logging.getLogger(), resume=False)
    method = make_method("finest_ensemble", config)
    again = fine_tune(config, data, output, "again", start, method, lists["_perturbed"], log, None)[
        0
    ]
    for name, weight in weights(folder, "finest_ensemble_perturbed").items():
        assert torch.equal(again.state_dict()[name], weight), name


def test_cost(run):
    _, _, result = run
    cost, seconds = result["cost"], result["seconds"]
    assert set(cost) == set(METHOD_NAMES)
    for name, found in cost.items():
        first = 0 if name == "recipe" else 1  # which needs no base
        assert found["training_ratio"] == pytest.approx(first + found["seconds"] / seconds["base"])
        assert found["inference_ratio"] > 0
    for method in ("none", "keep"):
        assert cost[method]["inference_ratio"] == 1
        assert cost[method]["seconds"] == seconds[method]
    assert cost["plain"]["seconds"] == seconds["plain"]
    for method in ("finest", "finest_own"):
        assert cost[method]["seconds"] == seconds["reference"] + seconds[method]
    assert cost["ensemble"]["seconds"] == seconds["base_seed2021"] + seconds["ensemble"]
    parts = ("base_seed2021", "reference_seeds2020-2021", "finest_ensemble")
    assert cost["finest_ensemble"]["seconds"] == pytest.approx(sum(seconds[p] for p in parts))


def test_warm_start_begins_with_the_weights_of_base(toy, tmp_path):
    run_finest(
        "SASRec", "toy", config_dict={**toy, "finest_epochs": 0, "baselines": ["warm_start"]}
    )
    found = weights(tmp_path, "warm_start_perturbed")
    for name, weight in weights(tmp_path, "base").items():
        assert torch.equal(found[name], weight), name


def test_an_ensemble_is_continued_where_it_stopped(toy, tmp_path):
    toy = {**toy, "baselines": ["ensemble"], "ensemble_size": 2}
    first = run_finest("GRU4Rec", "toy", config_dict=toy)
    for name in ("ensemble_perturbed.pth", "base_seed2021_perturbed.pth", "result.json"):
        (tmp_path / "run" / name).unlink()
    stamp = (tmp_path / "run" / "base_seed2021.pth").stat().st_mtime_ns
    second = run_finest("GRU4Rec", "toy", config_dict={**toy, "resume": True})
    for part in ("accuracy", "stability", "epochs"):
        assert second[part] == first[part]
    assert second["seconds"]["base_seed2021"] == first["seconds"]["base_seed2021"]
    assert (tmp_path / "run" / "base_seed2021.pth").stat().st_mtime_ns == stamp
