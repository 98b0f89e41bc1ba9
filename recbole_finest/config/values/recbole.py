"""Type, range and choices of RecBole's settings that every model has.

What RecBole's own code accepts: ``properties/overall.yaml``, ``properties/dataset/sample.yaml``,
``config/configurator.py``, ``data/dataset/dataset.py``, ``trainer/trainer.py``. Where it takes a value
without a word and goes wrong later, the value is refused here.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import replace

from recbole_finest.config.values.nested import CLIPPING, EVALUATION, NEGATIVES
from recbole_finest.config.values.ours import RATE, SEED
from recbole_finest.config.values.rule import (
    AMOUNT,
    FLAG,
    NAME,
    NAMES,
    TEXT,
    Rule,
    either,
    is_number,
    list_of,
    mapping,
    one_of,
    whole,
    word_of,
)
from recbole_finest.data.intervals import is_interval

_INTERVAL = Rule(
    "an interval such as '[5,inf)'",
    lambda v: is_interval(v, several=False),
    ("[0,inf)", "(1,5]", [0, 100]),
    ("5", "[5,1]", "[a,b]", 5, {}),
).or_null()
_LIST = list_of("", NAME, empty=True)
_COLUMNS = mapping(
    "a mapping of files to lists of columns, such as {inter: [user_id, item_id]}",
    lambda v: all(map(_LIST.allows, v.values())),
    wrong=({"inter": 5}, {"inter": [5]}, {"inter": "user_id"}),
)
_LOADED = replace(
    _COLUMNS,
    test=lambda v: (
        isinstance(v, dict) and _COLUMNS.allows({k: x for k, x in v.items() if x != "*"})
    ),
    right=({"inter": "*"}, {"inter": ["user_id", "item_id", "timestamp"]}),
)
_FIELD = replace(NAME, text="a column's name")
_SEPARATOR = Rule("a string of at least one character", lambda v: isinstance(v, str) and v != "")
_LIST_OR_NAME = either("a list of names", NAMES, NAME).or_null()
_DEVICE = re.compile(r"(-1|\d+|GPU-[\w-]+|MIG-[\w/-]+)")


def _are_devices(value: object) -> bool:
    if isinstance(value, bool):
        return False
    parts = value if isinstance(value, tuple) else str(value).split(",")
    named = isinstance(value, (str, int, tuple)) and all(
        _DEVICE.fullmatch(str(part).strip()) for part in parts
    )
    return value == "" or named


def _is_encoding(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(codecs.lookup(value))
    except LookupError:
        return False


def _buckets(value: object) -> bool:
    """Whether it is how one column is cut into ranges: ``{method: ED, bucket: 5}`` or ``{method: LD}``."""
    if not isinstance(value, dict) or not set(value) <= {"method", "bucket"}:
        return False
    equal = value.get("method") == "ED" and whole(1).allows(value.get("bucket"))
    return equal or value.get("method") == "LD"


RECBOLE: dict[str, Rule] = {
    # the run
    "gpu_id": Rule(
        "numbers of GPUs such as 0 or '0,1', or empty for none",
        _are_devices,
        ("", "0", 0, "0,1", "-1"),
        ("first", "0;1", "0,,1", -2, 1.5, True, [0], {}),
    ).or_null(),
    "worker": whole(0, 1024),
    "use_gpu": FLAG,
    "seed": SEED,
    "state": word_of("debug", "info", "warning", "error", "critical").or_null(),
    "reproducibility": FLAG,
    "data_path": replace(NAME, text="a folder"),
    "checkpoint_dir": replace(NAME, text="a folder"),
    "show_progress": FLAG.or_null(),
    "save_dataset": FLAG,
    "dataset_save_path": TEXT.or_null(),
    "save_dataloaders": FLAG,
    "dataloaders_save_path": TEXT.or_null(),
    "log_wandb": FLAG,
    "wandb_project": NAME,
    "shuffle": FLAG,
    # training
    "epochs": whole(0),
    "train_batch_size": whole(1),
    "learner": word_of("adam", "adamw", "sgd", "adagrad", "rmsprop", "sparse_adam"),
    "learning_rate": RATE,
    "eval_step": whole(0),
    "stopping_step": whole(0),
    "clip_grad_norm": CLIPPING.or_null(),
    "weight_decay": AMOUNT,
    "loss_decimal_place": whole(0, 100).or_null(),
    "require_pow": FLAG,
    "enable_amp": FLAG,
    "enable_scaler": FLAG,
    "transform": one_of(
        "mask_itemseq", "inverse_itemseq", "crop_itemseq", "reorder_itemseq"
    ).or_null(),
    "train_neg_sample_args": NEGATIVES,
    "eval_args": EVALUATION,
    # evaluation
    "repeatable": Rule(
        "True, as for every sequential model", lambda v: v is True, (True,), (False, 1)
    ),
    "metrics": either("a list of names, such as [NDCG, RBO]", list_of("", NAME), NAME),
    "topk": either(
        "a whole number of at least 1, or a list of them", whole(1), list_of("", whole(1))
    ),
    "valid_metric": replace(NAME, text="a metric and its depth, such as NDCG@10"),
    "valid_metric_bigger": FLAG,
    "eval_batch_size": whole(1),
    "metric_decimal_place": whole(0, 100),
    # the data set's files and columns
    "encoding": Rule("an encoding such as utf-8", _is_encoding, ("utf-8",), ("utf-99",)).or_null(),
    "field_separator": _SEPARATOR,
    "seq_separator": _SEPARATOR,
    **dict.fromkeys(
        ("USER_ID_FIELD", "ITEM_ID_FIELD", "RATING_FIELD", "TIME_FIELD", "LABEL_FIELD"), _FIELD
    ),
    **dict.fromkeys(("ITEM_LIST_LENGTH_FIELD", "POSITION_FIELD", "ENTITY_ID_FIELD"), _FIELD),
    **dict.fromkeys(("HEAD_ENTITY_ID_FIELD", "TAIL_ENTITY_ID_FIELD", "RELATION_ID_FIELD"), _FIELD),
    "NEG_PREFIX": NAME,
    "LIST_SUFFIX": NAME,
    "MAX_ITEM_LIST_LENGTH": whole(1, 65536),
    "seq_len": mapping(
        "a mapping of columns to lengths, such as {genres: 5}",
        lambda v: all(map(whole(1).allows, v.values())),
        wrong=({"genres": 0}, {"genres": "five"}),
    ).or_null(),
    "threshold": mapping(
        "a mapping of one column to a number, such as {rating: 4}",
        lambda v: len(v) == 1 and all(map(is_number, v.values())),
        wrong=({}, {"rating": "good"}, {"a": 1, "b": 2}),
    ).or_null(),
    "numerical_features": NAMES,
    "load_col": _LOADED.or_null(),
    "unload_col": _COLUMNS.or_null(),
    "unused_col": _COLUMNS.or_null(),
    "additional_feat_suffix": _LIST_OR_NAME,
    "rm_dup_inter": one_of("first", "last").or_null(),
    "val_interval": mapping(
        "a mapping of columns to intervals, such as {rating: '[3,inf)'}", lambda v: True
    ).or_null(),
    "filter_inter_by_user_or_item": FLAG,
    "user_inter_num_interval": _INTERVAL,
    "item_inter_num_interval": _INTERVAL,
    "entity_kg_num_interval": _INTERVAL,
    "relation_kg_num_interval": _INTERVAL,
    "alias_of_user_id": NAMES.or_null(),
    "alias_of_item_id": NAMES.or_null(),
    "alias_of_entity_id": NAMES.or_null(),
    "alias_of_relation_id": NAMES.or_null(),
    "preload_weight": mapping(
        "a mapping of columns of tokens to columns of vectors, such as {ent_id: ent_emb}",
        lambda v: all(map(NAME.allows, v.values())),
        wrong=({"ent_id": 5},),
    ).or_null(),
    "normalize_field": NAMES.or_null(),
    "normalize_all": FLAG.or_null(),
    "discretization": mapping(
        "a mapping of columns to methods, such as {price: {method: ED, bucket: 5}}",
        lambda v: all(map(_buckets, v.values())),
        wrong=({"price": "ED"}, {"price": {"method": "ED"}}, {"price": {"method": "XD"}}),
    ).or_null(),
    "kg_reverse_r": FLAG,
    "benchmark_filename": list_of(
        "a list of three names (of train, valid and test)", NAME, length=3
    ).or_null(),
}
