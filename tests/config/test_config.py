"""Settings: what a config file of a run gives again."""

from __future__ import annotations

import pytest
import yaml

from recbole_finest.config.config import Config
from recbole_finest.config.settings import properties_dir, read_yaml
from recbole_finest.errors import UserError
from recbole_finest.model.find import model_names


@pytest.mark.parametrize("model", model_names())
def test_what_a_run_writes_gives_its_settings_again(tmp_path, model):
    first = Config(model, "toy", config_dict={"seed": 7, "data_path": "here", "topk": 5})
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(first.repeatable()))
    second = Config(config_file_list=[str(file)])
    assert second.final_config_dict == first.final_config_dict
    assert second.repeatable() == first.repeatable()
    assert second.is_explicit("seed") and not second.is_explicit("reference_k")
    assert Config(config_file_list=[str(file)], command_line={"reference_k": "9"}).is_explicit(
        "reference_k"
    )


def test_a_later_file_wins_over_a_runs(tmp_path):
    run, own = tmp_path / "config.yaml", tmp_path / "own.yaml"
    run.write_text(yaml.safe_dump(Config("SASRec", "toy").repeatable()))
    own.write_text("reference_k: 9\nloss_type: BPR\n")
    found = Config(config_file_list=[str(run), str(own)])
    assert found["reference_k"] == 9 and found.is_explicit("reference_k")
    assert found["train_neg_sample_args"]["distribution"] == "uniform"


def test_eval_args_in_parts_are_completed_by_the_defaults():
    stock = Config("SASRec", "toy")["eval_args"]
    assert stock["split"] == {"LS": "valid_and_test"} and stock["order"] == "TO"
    for given in ({"mode": "uni10"}, {"split": {"RS": [0.8, 0.1, 0.1]}}, {"group_by": None}, {}):
        found = Config("SASRec", "toy", config_dict={"eval_args": given})["eval_args"]
        mode = {"mode": {"valid": "uni10", "test": "full"}} if "mode" in given else {}
        assert found == {**stock, **given, **mode}
    with pytest.raises(UserError, match=r"eval_args names 'splitt'.*did you mean 'split'"):
        Config("SASRec", "toy", config_dict={"eval_args": {"splitt": {}}})


@pytest.mark.parametrize(
    "line",
    ["eval_step: foo", "weight_decay: foo", "hidden_size: big", "learner: foo", "control: 3"],
)
def test_a_files_values_are_checked(tmp_path, line):
    file = tmp_path / "own.yaml"
    file.write_text(line)
    name, value = line.split(": ")
    with pytest.raises(UserError, match=f"^{name} is '?{value}'?, but must be "):
        Config("SASRec", "toy", [str(file)])


@pytest.mark.parametrize(
    "line",
    [
        "user_inter_num_interval: '(5,10]'",
        "user_inter_num_interval: [5, 10]",
        "item_inter_num_interval: ~",
        "val_interval: {rating: '[1,2];(3, inf)'}",
        "clip_grad_norm: {max_norm: 5, norm_type: 2}",
        "load_col: {inter: '*'}",
        "learner: AdamW",
    ],
)
def test_what_recbole_takes_is_taken(tmp_path, line):
    file = tmp_path / "own.yaml"
    file.write_text(line)
    [(name, value)] = yaml.safe_load(line).items()
    assert Config("SASRec", "toy", [str(file)])[name] == value


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("uni100", {"valid": "uni100", "test": "full"}),
        ({"valid": "uni100"}, {"valid": "uni100", "test": "full"}),
        ({"valid": "full", "test": "pop50"}, {"valid": "full", "test": "full"}),
        ("full", {"valid": "full", "test": "full"}),
    ],
)
def test_test_ranks_all_items_whatever_mode_says(mode, expected):
    found = Config("SASRec", "toy", config_dict={"eval_args": {"mode": mode}})
    assert found["eval_args"]["mode"] == expected


def test_the_demos_recipe_is_that_of_stable_yaml():
    folder = properties_dir() / "benchmark"
    demo, stable = (
        Config("SASRec", "ml-100k", [str(folder / f"{name}.yaml")]) for name in ("demo", "stable")
    )
    assert {"plain", "recipe", "finest_own", "keep", "warm_start", "distillation"} == set(
        demo["baselines"]
    )
    own = read_yaml(folder / "stable.yaml")
    del own["epochs"], own["eval_step"]  # the demo has others
    assert demo["recipe"] == own == {name: stable[name] for name in own}
    for config in (demo, stable):
        assert config["eval_step"] == config["epochs"]  # no early stopping


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ({"hidden_size": 3}, "recipe names 'hidden_size', which does not exist"),
        (
            {"weight_average": "swa"},
            "recipe: weight_average is 'swa', but must be one of none, ema",
        ),
        ("linear", "recipe is 'linear', but must be a mapping of settings of base's training"),
    ],
)
def test_a_wrong_recipe_is_one_sentence(recipe, words):
    with pytest.raises(UserError, match=words):
        Config("SASRec", "ml-100k", None, {"recipe": recipe})
