"""TensorBoard events and Weights & Biases runs: one for each stage, with accuracy and similarity."""

import json
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from recbole_finest import run_finest
from recbole_finest.cli.main import main


@pytest.fixture
def small(toy):
    return {**toy, "control": False, "baselines": []}


def test_tensorboard_has_the_curves_of_every_stage(small, tmp_path):
    run_finest("GRU4Rec", "toy", config_dict=small)
    curves = json.loads((tmp_path / "run" / "curves.json").read_text())
    assert not Path("log_tensorboard").exists()  # RecBole's, in the working directory
    folders = {f.name: f for f in (tmp_path / "run" / "tensorboard").iterdir()}
    assert set(folders) == {"base", "finest", "base_perturbed", "finest_perturbed"} == set(curves)
    for stage, rows in curves.items():
        events = EventAccumulator(str(folders[stage])).Reload()
        names = {"Valid/ndcg@10": "ndcg@10", "Loss/Train": "train_loss"}
        if stage.startswith("finest"):
            names["Valid/jaccard@10"] = "jaccard@10"  # similarity to base's lists
        for tag, name in names.items():
            found = events.Scalars(tag)
            assert [event.step for event in found] == [0, 1]
            expected = [row[name] for row in rows]
            assert [event.value for event in found] == pytest.approx(expected, rel=1e-6)


class FakeRun:
    def __init__(self, module, **settings):
        self.module, self.settings, self.summary, self.logged = module, settings, {}, []

    def finish(self):
        self.module.finished.append(self)
        self.module.run = None


@pytest.fixture
def wandb(monkeypatch):
    """What RecBole's logger and ours use of the package, recorded."""
    module = ModuleType("wandb")
    module.__spec__ = ModuleSpec("wandb", None)
    module.run, module.finished, module.Error = None, [], RuntimeError

    def init(**settings):
        module.run = FakeRun(module, **settings)
        return module.run

    module.init = init
    module.log = lambda metrics, commit=True: module.run.logged.append(metrics)
    module.define_metric = lambda *names, **settings: None
    monkeypatch.setitem(sys.modules, "wandb", module)
    return module


def test_every_stage_is_a_run_of_weights_and_biases(small, wandb):
    result = run_finest("GRU4Rec", "toy", config_dict={**small, "log_wandb": True})
    runs = {run.settings["name"]: run for run in wandb.finished}
    assert list(runs) == ["base", "finest", "base_perturbed", "finest_perturbed", "result"]
    assert len({run.settings["group"] for run in wandb.finished}) == 1
    assert runs["base"].settings["config"]["epochs"] == 2
    steps = [row["train_step"] for row in runs["finest"].logged if "train_step" in row]
    assert steps == [0, 1]
    valid = [row for row in runs["finest"].logged if "valid_step" in row]
    assert len(valid) == 2 and {"valid/ndcg@10", "valid/jaccard@10"} <= set(valid[0])
    stable = runs["result"].summary["stability/finest/jaccard@10"]
    assert stable == result["stability"]["finest"]["jaccard@10"]


def test_an_open_run_of_the_caller_is_used_and_left_open(small, wandb):
    mine = wandb.init(name="mine")
    run_finest("GRU4Rec", "toy", config_dict={**small, "log_wandb": True})
    assert wandb.run is mine and not wandb.finished and len(mine.logged) > 4


def test_what_weights_and_biases_refuses_is_one_sentence(small, wandb, capsys):
    def init(**settings):
        raise wandb.Error("No API key configured.")

    wandb.init = init
    words = [f"--{k}={v}" for k, v in {**small, "log_wandb": True}.items()]
    assert main(["--model=GRU4Rec", "--dataset=toy", *words]) == 2
    assert "No API key configured.); log in with" in capsys.readouterr().err


def test_without_the_package_nothing_is_trained(small, monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "wandb", None)
    words = [f"--{k}={v}" for k, v in {**small, "log_wandb": True}.items()]
    assert main(["--model=GRU4Rec", "--dataset=toy", *words]) == 2
    assert "the package wandb is not installed" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
