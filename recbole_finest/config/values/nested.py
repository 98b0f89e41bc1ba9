"""RecBole's settings that are mappings with names of their own."""

from __future__ import annotations

import re

from recbole_finest.config.values.rule import (
    AMOUNT,
    FLAG,
    Rule,
    either,
    is_number,
    list_of,
    one_of,
    parts,
    real,
    whole,
)
from recbole_finest.data.split import LAST_RATIO

_NONE = Rule("null", lambda v: v in (None, "None", "none"), (None, "none"))
_ABOVE = real("a number above 0", lambda v: v > 0, (1e-6, 5), (0, -1))

CLIPPING = parts(
    "a mapping with max_norm, such as {max_norm: 5, norm_type: 2}",
    "max_norm",
    max_norm=_ABOVE,
    norm_type=either("a number above 0, or inf", _ABOVE, one_of("inf"), real("", lambda v: False)),
    error_if_nonfinite=FLAG,
    foreach=FLAG.or_null(),
)

_NEGATIVES = parts(
    "a mapping such as {distribution: uniform, sample_num: 1}, or null",
    distribution=either("uniform, popularity or null", one_of("uniform", "popularity"), _NONE),
    sample_num=either("a whole number of at least 1", whole(1), one_of("none")),
    alpha=either("a number of at least 0", AMOUNT, one_of("none")),
    dynamic=FLAG,
    candidate_num=whole(0),
)
NEGATIVES = either(_NEGATIVES.text, _NEGATIVES, _NONE)

_MODE = Rule(
    "full, or uni or pop and a number of items, such as uni100",  # labeled ranks nothing
    lambda v: isinstance(v, str) and bool(re.fullmatch(r"full|(uni|pop)[1-9]\d{0,8}", v)),
    ("full", "uni1", "pop10"),
    ("labeled", "uni", "uni0", "unix", "pop-1", "fulll", 10, None),
)
_SHARES = Rule(
    "a list of three numbers of at least 0, not all of them 0",
    lambda v: list_of("", AMOUNT, length=3).allows(v) and sum(v) > 0,
)
_STRATEGIES: dict[str, Rule] = {
    "LS": one_of("valid_and_test", "valid_only", "test_only"),
    "RS": _SHARES,
    "TS": _SHARES,
    LAST_RATIO: Rule("a number between 0 and 1", lambda v: is_number(v) and 0 < v < 1),
}

_ALONE = Rule(
    "a mapping of one strategy, such as {LS: valid_and_test}, {RS: [0.8, 0.1, 0.1]} or "
    f"{{{LAST_RATIO}: 0.1}}",
    lambda v: isinstance(v, dict) and len(v) == 1 and all(_STRATEGIES[k].allows(v[k]) for k in v),
    ({"LS": "valid_and_test"}, {"RS": [0.8, 0.1, 0.1]}, {"RS": [8, 1, 1]}, {LAST_RATIO: 0.5}),
    ("LS", {}, {"XS": 1}, {"LS": "all"}, {"RS": [1, 1]}, {"RS": [0, 0, 0]}, {LAST_RATIO: 1}, None),
    parts=_STRATEGIES,
)
EVALUATION = parts(
    "a mapping such as {split: {LS: valid_and_test}, order: TO, mode: full}",
    split=_ALONE,
    order=one_of("TO", "RO"),
    group_by=either("user or null", one_of("user", "none"), _NONE),
    mode=either(
        _MODE.text,
        _MODE,
        parts("", valid=_MODE, test=_MODE),
        _NONE,
    ),
)
