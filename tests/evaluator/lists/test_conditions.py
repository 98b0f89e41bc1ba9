"""The grammar of conditions, every statistic worked by hand, and policies."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from recbole_finest.errors import UserError
from recbole_finest.evaluator.lists.compare import compare
from recbole_finest.evaluator.lists.conditions import (
    ACCURACY,
    OVER,
    SMALLER,
    UNDER,
    Condition,
)
from recbole_finest.evaluator.lists.policy import Policy
from recbole_finest.evaluator.lists.truth import Truth
from recbole_finest.evaluator.measures import MEASURES
from tests.evaluator.lists.runs import lists

ROWS = [[*"abcd"]] * 5
OTHERS = [[*"abcd"], [*"abcx"], [*"abxy"], [*"axyz"], [*"axyz"]]
CHURN = [0, 0.25, 0.5, 0.75, 0.75]
TRUE = {"user": [*"tuvwr"], "item": [*"abcdx"]}  # ranks 1 2 3 4 –, in the other 1 2 – – 2


@pytest.fixture
def pair():
    truth = Truth.from_table(pd.DataFrame(TRUE))
    one, other = (lists("tuvwr", "     ", rows) for rows in (ROWS, OTHERS))
    metrics = ["Churn", "Jaccard", "Top1", "RankShift"]
    return compare(one, other, metrics, [2, 4], truth=truth, names=("a", "b"))


def value(text: str, pair) -> float:
    return Condition.parse(f"{text}=0", "test").check(pair).value


def test_every_statistic_by_hand(pair):
    expected = {
        "churn@4": np.mean(CHURN),
        "churn@4:mean": 0.45,
        "churn@4:median": 0.5,
        "churn@4:p5": 0.05,  # a fifth of the way to 0.25
        "churn@4:p95": 0.75,
        "churn@4:p40": 0.4,
        "churn@4:low": pair.summary["churn@4"]["low"],
        "churn@4:high": pair.summary["churn@4"]["high"],
        "jaccard@4:median": 1 / 3,
        "top1": 1,
        "top1@1:p1": 1,
        "recall@4": 0.6,  # three of five people, not the four of the reference
        "recall@4:median": 1,
        "recall@4:difference": 0.6 - 0.8,
        "recall@4:difference:p5": -1,
        "recall@4:difference:median": 0,
        "recall@4:change": 0.6 / 0.8 - 1,
        "recall@4:change:mean": -0.25,
        "mrr@2": (1 + 1 / 2 + 1 / 2) / 5,
        "ndcg@2:difference": (1 / math.log2(3)) / 5,
        "lost@4": 0.4,
        "gained@4": 0.2,
        "gained@4:p95": 0.8,
        "lost@2": 0,
    }
    for text, number in expected.items():
        assert value(text, pair) == pytest.approx(number, abs=1e-12), text
    assert value("churn@4:low", pair) < 0.45 < value("churn@4:high", pair)
    low, high = (value(f"recall@4:change:{end}", pair) for end in ("low", "high"))
    assert low < -0.25 < high


def test_a_limit_is_the_least_where_larger_is_better_and_the_most_where_smaller_is(pair):
    for text, holds in {
        "churn@4=0.45": True,
        "churn@4=0.44": False,
        "churn@4:p95=0.75": True,
        "rankshift@4=3": True,
        "Jaccard@4 : p5 = 0.14": True,
        "jaccard@4=0.9": False,
        "recall@4=0.6": True,
        "recall@4:change=-0.25": True,
        "recall@4:change=-0.24": False,
        "lost@4=0.3": False,
        "gained@4=0.2": True,
    }.items():
        assert Condition.parse(text, "test").check(pair).holds == holds, text


def test_verdicts_in_words(pair):
    under = Condition.parse("recall@4:change=-0.1", "test").check(pair)
    assert under.sentence == "recall@4:change of b against a is -0.25, below -0.1."
    assert under.wanted == "recall@4:change at least -0.1"
    over = Condition.parse("churn@4:p95=0.5", "test", level="warn").check(pair)
    assert over.sentence == "churn@4:p95 of b against a is 0.75, above 0.5."
    assert over.to_dict() == {
        "condition": "churn@4:p95",
        "bound": "most",
        "limit": 0.5,
        "level": "warn",
        "reference": "a",
        "other": "b",
        "value": 0.75,
        "holds": False,
    }
    met = Condition.parse("lost@4=0.5", "test").check(pair)
    assert met.sentence == "lost@4 of b against a is 0.4, at most 0.5."


def test_what_is_undefined_is_not_met():
    one = lists("u", " ", [["a", "b"]])
    truth = Truth(np.array(["u"]), np.array(["b"]))
    pair = compare(one, one, ["Jaccard", "Churn"], [1], truth=truth)
    for text in ("jaccard@1:low=0", "churn@1:high=1", "recall@1:change=-0.5"):
        found = Condition.parse(text, "test").check(pair)
        assert not found.holds and "is undefined" in found.sentence
        assert found.to_dict()["value"] is None


@pytest.mark.parametrize(
    ("text", "option", "message"),
    [
        ("jaccard@10", "", "write a measure, its depth and a value"),
        ("jaccard@10=", "", "write a measure"),
        ("jaccard@10=0,8", "", "write a measure"),
        ("jaccard@10=inf", "", "write a measure"),
        ("jaccard=0.8", "", "write a measure"),
        ("jaccard@0=0.8", "", "write a measure"),
        ("jaccard@ten=0.8", "", "write a measure"),
        ("@10=0.8", "", "write a measure"),
        ("lost=0.8", "", "write a measure"),
        ("jacard@10=0.8", "", "no stability measure or accuracy 'jacard'; did you mean 'Jaccard'"),
        ("ndgc@10=0.8", "", "did you mean 'ndcg'"),
        ("churn@10=0.2", UNDER, "a smaller churn is better; write --fail-over churn@10=0.2"),
        ("lost@10=0.2", UNDER, "a smaller lost is better; write --fail-over lost@10=0.2"),
        ("jaccard@10=0.8", OVER, "a larger jaccard is better; write --fail-under jaccard@10=0.8"),
        ("ndcg@10:change=0", OVER, "a larger ndcg is better; write --fail-under ndcg@10:change=0"),
        ("jaccard@10:lo=0.8", "", "jaccard has no 'lo' here; did you mean 'low'"),
        ("jaccard@10:p0=0.8", "", "jaccard has no 'p0' here"),
        ("jaccard@10:p100=0.8", "", "jaccard has no 'p100' here"),
        ("jaccard@10:change=0", "", "jaccard has no 'change' here"),
        ("jaccard@10:low:high=0.8", "", "jaccard has no 'high' here"),
        ("ndcg@10:low:change=0", "", "ndcg has no 'change' here"),
        ("ndcg@10:change:p5=0", "", "ndcg change has no 'p5' here; use one of mean, low, high"),
        ("ndcg@10:change=-1", "", "a change lies between -1 and 1; write -0.01 for -1 %"),
        ("ndcg@10:difference=5", "", "a difference lies between"),
        ("jaccard@10=80", "", "no jaccard exceeds 1; write 0.8 for 80 %"),
        ("churn@10=20", "", "no churn exceeds 1"),
        ("churn@10=-0.1", "", "churn is never below 0"),
    ],
)
def test_what_is_no_condition_is_refused_with_the_remedy(text, option, message):
    with pytest.raises(UserError) as error:
        Condition.parse(text, option or "gate.yaml, fail:", option)
    assert message in str(error.value)
    assert str(error.value).startswith(f"{option or 'gate.yaml, fail:'} {text}: ")


def test_a_policy_holds_conditions_of_two_levels_and_a_coverage(pair):
    policy = Policy.from_mapping(
        {"warn": ["lost@4=0.1"], "fail": ["jaccard@4=0.2", "top1=1"], "min_coverage": 0.9},
        "gate.yaml",
    )
    found = [(one.level, one.condition, one.holds) for one in policy.judge([pair, pair])]
    assert found == [
        ("fail", "coverage", True),
        ("fail", "coverage", True),
        ("fail", "jaccard@4", True),
        ("fail", "jaccard@4", True),
        ("fail", "top1@1", True),
        ("fail", "top1@1", True),
        ("warn", "lost@4", False),
        ("warn", "lost@4", False),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "gate.yaml holds no condition, so that nothing could fail"),
        ({"fail": []}, "holds no condition"),
        ({"fail": None, "warn": None}, "holds no condition"),
        ({"fial": ["top1=1"]}, "gate.yaml has an unknown entry 'fial'; did you mean 'fail'?"),
        ({1: 2}, "unknown entry '1'"),
        ({"fail": "top1=1"}, "fail of gate.yaml is 'top1=1', but must be a list"),
        ({"fail": {"top1": 1}}, "must be a list"),
        ({"warn": [{"jaccard@10": 0.8}]}, "gate.yaml, warn: {'jaccard@10': 0.8} is no condition"),
        ({"warn": ["jacard@10=0.8"]}, "gate.yaml, warn: jacard@10=0.8: there is no stability"),
        ({"min_coverage": 95}, "min_coverage of gate.yaml is 95, but must be a share above 0"),
        ({"min_coverage": 0}, "must be a share"),
        ({"min_coverage": True}, "must be a share"),
        ({"min_coverage": "most"}, "must be a share"),
        ({"min_coverage": math.nan}, "must be a share"),
    ],
)
def test_a_policy_with_a_mistake_is_refused(content, message):
    with pytest.raises(UserError) as error:
        Policy.from_mapping(content, "gate.yaml")
    assert message in str(error.value)


PAGE = (Path(__file__).parents[3] / "docs" / "gate.md").read_text(encoding="utf-8")


def test_the_page_on_gates_names_every_measure_and_only_conditions_that_there_are():
    rows = re.findall(r"^\| (`\w+`(?: `\w+`)*) \| (least|most) ", PAGE, re.MULTILINE)
    bounds = {name: bound for names, bound in rows for name in re.findall(r"\w+", names)}
    known = {name: "most" if name in SMALLER else "least" for name in (*MEASURES, *ACCURACY)}
    assert bounds == known
    written = re.findall(r"`([a-z0-9]+@\d+[:\w]*=[-.\d]+)`", PAGE)
    assert len(written) >= 4 and all(Condition.parse(text, "docs/gate.md") for text in written)
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    policy = Policy.from_mapping(yaml.safe_load(block), "docs/gate.md")
    assert (len(policy.conditions), policy.min_coverage) == (5, 0.95)


@pytest.mark.parametrize(
    "text", ["x\ny", "jac\ncard@10=0.5", "jaccard@10:l\now=0.5", "jaccard@1\n0=1"]
)
def test_a_refusal_is_one_line_whatever_the_policy_holds(text):
    with pytest.raises(UserError) as error:
        Condition.parse(text, "gate.yaml, fail:")
    assert "\n" not in str(error.value) and text.replace("\n", "\\n") in str(error.value)
