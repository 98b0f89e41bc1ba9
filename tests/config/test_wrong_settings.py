"""500 wrong settings, one at a time: no traceback, and a sentence that helps."""

import logging
from pathlib import Path

import pytest

from recbole_finest.config.config import Config
from recbole_finest.errors import UserError, shown
from recbole_finest.experiment.output import OtherOutput
from recbole_finest.experiment.run import Run
from tests.config.wrong_settings import chosen, says_enough


def test_500_wrong_settings_are_sentences_with_setting_value_and_remedy():
    cases = chosen(500)
    assert len({(model, name, shown(value)) for model, name, value in cases}) > 490
    unclear = []
    for model, name, value in cases:
        with pytest.raises(UserError) as caught:
            Config(model, "toy", None, {name: value})
        if not says_enough(str(caught.value), name, value):
            unclear.append((model, name, value, str(caught.value)))
    assert not unclear


class Reached(Exception):
    """All that can be refused has been checked."""


class Stopped(OtherOutput):
    """Ends a run where it would take its folder over and train."""

    def take_over(self, **given) -> None:
        raise Reached


def checked(model, settings):
    """All checks of a run, up to its training."""
    config = Config(model, "toy", None, settings)
    Run(config, Stopped(Path("nowhere"), logging.getLogger(), False)).measure()


# Right by themselves, wrong for a data set of 30 users and 40 items without features.
NOT_OF_THIS_DATA = [
    ("topk", [1, 41]),
    ("reference_k", 21),
    ("valid_metric", "RBO@10"),
    ("load_col", {"inter": ["user_id", "item_id", "colour"]}),
    ("val_interval", {"item_id": "[0,5]"}),
    ("val_interval", {"colour": "[0,5]"}),
    ("user_inter_num_interval", "[1000,inf)"),
    ("TIME_FIELD", "when"),
    ("field_separator", ";"),
    ("data_path", "nowhere"),
    ("threshold", {"colour": 3}),
    ("normalize_field", ["colour"]),
    ("discretization", {"colour": {"method": "LD"}}),
    ("numerical_features", ["colour"]),
    ("alias_of_user_id", ["colour"]),
    ("preload_weight", {"colour": "shade"}),
    ("additional_feat_suffix", ["colour"]),
    ("unused_col", {"inter": ["item_id"]}),
    ("eval_args", {"split": {"LS": "valid_only"}}),
    ("eval_args", {"split": {"RS": [1, 0, 0]}}),
    ("eval_args", {"split": {"RS": [0, 0, 1]}}),
    ("eval_args", {"split": {"last_ratio": 0.001}}),
    ("perturbation_users", ["nobody"]),
    ("perturbation_count", 10**6),
    ("perturbation_ratio", 1e-9),
    ("perturbation_file", "nowhere.json"),
    ("perturbation_selection", "file"),
    ("simulation_ratio", 1e-9),
    ("baselines", ["plane"]),
    ("baselines", ["no_module:Mine"]),
    ("baselines", [":"]),
]


def test_what_does_not_fit_the_data_is_a_sentence_before_anything_is_trained(toy, tmp_path):
    unclear = []
    for name, value in NOT_OF_THIS_DATA:
        with pytest.raises(UserError) as caught:
            checked("SASRec", {**toy, name: value})
        if not says_enough(str(caught.value), name, value):
            unclear.append((name, value, str(caught.value)))
    assert not unclear
    assert not (tmp_path / "run").exists()


def test_what_fits_comes_as_far_as_training(toy):
    for fine in ({}, {"topk": [1, 40]}, {"perturbation_per_user": 10**6}, {"reference_k": 20}):
        with pytest.raises(Reached):
            checked(
                "SASRec", {**toy, **fine, "valid_metric": "MRR@1" if "topk" in fine else "MRR@10"}
            )
