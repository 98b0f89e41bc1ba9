"""The table of what each setting's value must be, and the settings that do not go together."""

import math

import pytest
import torch

from recbole_finest.config.config import Config
from recbole_finest.config.settings import properties_dir, read_yaml
from recbole_finest.config.values import GENERAL, is_number, rules_of
from recbole_finest.config.values.rule import list_of, one_of, whole
from recbole_finest.errors import UserError, shown
from recbole_finest.model.find import model_names

READ_BY_NOBODY = {"MODEL_TYPE", "model", "dataset"}  # worked out, or found by a table of their own


def test_every_setting_of_ours_has_a_rule():
    assert set(read_yaml(properties_dir() / "finest.yaml")) <= set(GENERAL)


@pytest.mark.parametrize("model", model_names())
def test_every_setting_of_a_model_has_a_rule_that_its_default_passes(model):
    shipped = Config(model, "ml-100k").internal_config_dict
    rules = rules_of(model)
    assert set(shipped) - READ_BY_NOBODY <= set(rules)
    assert [
        name for name in shipped if name in rules and not rules[name].allows(shipped[name])
    ] == []


def test_the_ends_of_each_rule_are_where_it_says():
    every = {
        (name, id(rule)): (name, rule) for m in model_names() for name, rule in rules_of(m).items()
    }
    for name, rule in every.values():
        assert [v for v in rule.right if not rule.allows(v)] == [], name
        assert [v for v in rule.wrong if rule.allows(v)] == [], name
        assert rule.text and "\n" not in rule.text, name


def test_rules_worked_by_hand():
    small = whole(2, 5)
    assert [v for v in (1, 2, 5, 6, True, 3.0, "3", None, math.nan) if small.allows(v)] == [2, 5]
    assert small.or_null().allows(None) and not small.or_null().allows("null")
    pair = list_of("two", one_of("a", "b"), length=2, distinct=True)
    assert pair.allows(["a", "b"]) and not any(
        map(pair.allows, (["a"], ["a", "a"], "ab", ["a", []]))
    )
    assert is_number(10**400) and not any(map(is_number, (True, math.inf, math.nan, "1")))


def test_a_value_is_shown_in_one_short_line():
    assert shown("two\nlines") == "'two\\nlines'"
    assert shown(10**5000) == "a value of type int that is too long to be shown"
    assert len(shown(["x" * 50] * 50)) == 120


def test_a_text_that_looks_like_something_else_stays_a_text():
    given = {
        "data_path": "2024",
        "wandb_project": "a: b",
        "USER_ID_FIELD": "1e3",
        "metrics": "NDCG",
    }
    found = Config("SASRec", "toy", None, {**given, "valid_metric": "NDCG@10"}, {"output_dir": "7"})
    assert (found["data_path"], found["wandb_project"]) == ("2024/toy", "a: b")
    assert (found["USER_ID_FIELD"], found["output_dir"]) == ("1e3", "7")


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        (
            "SASRec",
            {"learning_rate": 1, "weight_decay": 0, "rank_weight": 10},
        ),  # whole for a number
        ("SASRec", {"topk": 10}),
        ("SASRec", {"metrics": "NDCG", "valid_metric": "NDCG@10"}),
        ("SASRec", {"gpu_id": ""}),
        ("SASRec", {"gpu_id": None}),
        (
            "SASRec",
            {"eval_args": {"split": {"RS": [8, 1, 1]}, "group_by": "user", "mode": "uni100"}},
        ),
        ("SASRec", {"loss_type": "BPR", "train_neg_sample_args": {"distribution": "popularity"}}),
        ("SASRec", {"train_neg_sample_args": "None", "transform": None, "show_progress": None}),
        ("SASRec", {"seq_separator": " ", "field_separator": "\t"}),
        ("SASRec", {"seeds": "0,1", "perturbation_seeds": 4}),
        ("SASRec", {"perturbation_users": [196, "u7"]}),
        ("SASRec", {"additional_feat_suffix": "ent", "alias_of_item_id": []}),
        ("FEARec", {"contrast": "us", "fredom_type": None}),
        ("LRURec", {"inner_size": None, "state_size": 8}),
        ("SASRecCPR", {"reranker_CAN_NUM": "100,20", "n_facet_all": 6}),
        ("HGN", {"reg_weight": [0, 0.1]}),
        ("SINE", {"loss_type": "CE"}),
    ],
)
def test_what_is_right_is_taken(model, settings):
    config = Config(model, "toy", None, settings)
    assert config["seq_separator"] == " "


@pytest.mark.parametrize(
    ("model", "settings", "said"),
    [
        ("SASRec", {"n_heads": 3}, r"n_heads is 3, but must divide hidden_size \(64\)"),
        ("CORE", {"n_heads": 3}, r"n_heads is 3, but must divide embedding_size \(64\)"),
        ("LRURec", {"r_min": 1}, r"r_min is 1, but must not exceed r_max \(0.99\)"),
        ("SINE", {"interest_size": 60}, r"must not exceed prototype_size \(50\)"),
        (
            "FOSSIL",
            {"order_len": 51},
            r"order_len is 51, but must not exceed MAX_ITEM_LIST_LENGTH \(50\)",
        ),
        ("GRU4RecCPR", {"n_facet": 2}, "n_facet_all is 5, but must be 6: "),
        (
            "SASRec",
            {"packed_stride": 51},
            "packed_stride is 51, but must not exceed MAX_ITEM_LIST_LENGTH",
        ),
        (
            "SASRec",
            {"transform": "mask_itemseq"},
            "transform is 'mask_itemseq', which reads mask_ratio",
        ),
        ("BERT4Rec", {"transform": None}, "transform is None, but must be one of mask_itemseq"),
        ("SASRec", {"eval_args": {"order": "RO"}}, "but its order must be TO"),
        (
            "SASRec",
            {"eval_args": {"mode": "uni"}},
            "eval_args: mode is 'uni', but must be full, or uni or pop",
        ),
        ("SASRec", {"valid_metric": "NDCG"}, r"give one of topk \[10\] with it, such as NDCG@10"),
        ("SASRec", {"valid_metric": "MRR@010"}, "valid_metric is 'MRR@010'"),
        (
            "SASRec",
            {"metrics": ["AUC"]},
            "metrics names 'AUC', which is not measured on rank lists",
        ),
        ("TransRec", {"loss_type": "CE"}, "TransRec is trained with BPR only"),
        ("SASRec", {"loss_type": "NLL"}, "SASRec is trained with BPR or CE only"),
        (
            "FPMC",
            {"train_neg_sample_args": {"dynamic": True}},
            "dynamic needs a candidate_num of at least 1",
        ),
        ("SASRec", {"seed": 2**32}, "seed is 4294967296, but must be a whole number of at least 0"),
        (
            "SASRec",
            {"perturbation_kind": []},
            r"perturbation_kind is \[\], but must be one of deletion",
        ),
        (
            "SASRec",
            {"topk": [1.5]},
            r"topk is \[1.5\], but must be a whole number of at least 1, or",
        ),
        ("SASRec", {"finest_learning_rate": 1e30}, r"must be a number above 0 \(and at most 100\)"),
    ],
)
def test_what_is_wrong_is_refused_before_anything_is_trained(model, settings, said):
    with pytest.raises(UserError, match=said):
        Config(model, "toy", None, settings)


def test_a_numbers_of_five_thousand_digits_is_no_traceback():
    with pytest.raises(UserError, match="seed is '999"):
        Config("SASRec", "toy", command_line={"seed": "9" * 5000})


def test_a_gpu_that_is_not_there_is_refused_where_somebody_asked_for_it(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert Config("SASRec", "toy")["device"].type == "cpu"
    assert Config("SASRec", "toy", None, {"gpu_id": "0"})["gpu_id"] == "0"
    assert Config("SASRec", "toy", None, {"gpu_id": ""})["gpu_id"] == ""
    assert Config("SASRec", "toy", None, {"gpu_id": "-1"})["gpu_id"] == "-1"
    for wrong in (99, "1", "0,1"):
        with pytest.raises(UserError, match=f"gpu_id is '{wrong}', of which PyTorch finds 0"):
            Config("SASRec", "toy", None, {"gpu_id": wrong})
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)  # of two that are named
    with pytest.raises(UserError, match="gpu_id is '0,7', of which PyTorch finds 1"):
        Config("SASRec", "toy", None, {"gpu_id": "0,7"})


def test_a_class_of_ones_own_has_settings_of_its_own(tmp_path, monkeypatch):
    """What RecBole's models call a share may be a list there; RecBole's own settings are checked."""
    (tmp_path / "mine_of_values.py").write_text(
        "from recbole.model.sequential_recommender import SASRec\n"
        "class Mine(SASRec):\n    names = ('dropout_prob', 'temperature', 'beta')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    own = "mine_of_values:Mine"
    base = {"loss_type": "CE", "n_layers": 1, "n_heads": 1, "hidden_size": 8}
    config = Config(
        own, "toy", None, {**base, "dropout_prob": [0.1, 7], "temperature": "hot", "beta": 5}
    )
    assert config["dropout_prob"] == [0.1, 7] and config["temperature"] == "hot"
    assert Config(own, "toy", None, {**base, "loss_type": "BCE"})["loss_type"] == "BCE"
    with pytest.raises(UserError, match="epochs is -1, but must be a whole number"):
        Config(own, "toy", None, {**base, "epochs": -1})
