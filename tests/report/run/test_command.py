"""The command in the report: it gives the settings of the run again, whatever their types."""

from __future__ import annotations

import shlex

import pytest

from recbole_finest.cli.parser import parse_settings
from recbole_finest.compat import parse_value
from recbole_finest.config.config import Config
from recbole_finest.report.run.command import repeating_command, text_of

GIVEN = [
    {},
    {"topk": [5, 10], "metrics": ["NDCG", "Jaccard"], "valid_metric": "NDCG@5", "control": False},
    {"learning_rate": 1e-5, "clip_grad_norm": {"max_norm": 5}, "wandb_project": "1e-3"},
    {"seeds": [3, 4], "perturbation_seeds": [1, 2], "seed": 4},
    {"seeds": [3, 4], "wandb_project": 'it\'s a "name" with $HOME: blanks, # and [brackets'},
    {"perturbation_users": ["007", "a b", "x,y"], "perturbation_selection": "user"},
    {"val_interval": {"timestamp": "[0,inf)"}, "user_inter_num_interval": "[5,inf)"},
    {"train_neg_sample_args": None, "loss_type": "CE", "gpu_id": ""},
]


@pytest.mark.parametrize("given", GIVEN, ids=[" ".join(given) or "defaults" for given in GIVEN])
def test_the_command_gives_the_settings_again(given, tmp_path):
    place = {"data_path": str(tmp_path / "my data"), "output_dir": "out", "overwrite": True}
    before = Config("SASRec", "toy", config_dict={**given, **place})
    python, script, *words = shlex.split(" ".join(repeating_command(before.repeatable())))
    assert (python, script) == ("python", "run_finest.py")
    settings, files = parse_settings(words)
    model, dataset = settings.pop("model"), settings.pop("dataset")
    after = Config(model, dataset, None, None, settings)
    places = ("output_dir", "overwrite", "explicit")
    one, other = (
        {k: v for k, v in config.repeatable().items() if k not in places}
        for config in (before, after)
    )
    assert one == other and files == []
    explicit = set(before.repeatable()["explicit"]) - {"output_dir", "overwrite"}
    assert set(after.repeatable()["explicit"]) == explicit | {"seed", "perturbation_seed"}


def test_of_a_replicate_its_own_seeds_are_named():
    settings = {"model": "SASRec", "dataset": "toy", "seed": 4, "perturbation_seed": 2}
    settings |= {"seeds": None, "perturbation_seeds": None, "explicit": ["seeds", "seed"]}
    assert " ".join(repeating_command(settings)) == (
        "python run_finest.py --model=SASRec --dataset=toy --perturbation_seed=2 --seed=4"
    )
    assert repeating_command({k: v for k, v in settings.items() if k != "explicit"}) == []


@pytest.mark.parametrize(
    "value",
    [
        True,
        0,
        -1,
        0.1,
        1e-05,
        1e22,
        "yes",
        "null",
        "~",
        "a: b",
        "",
        " x",
        "1_0",
        [],
        ["[", "a,b"],
        {"a": {"b: c": [1, None, "}"]}},
    ],
)
def test_a_value_is_read_back(value):
    found = parse_value(text_of(value))
    assert found == value and type(found) is type(value)
