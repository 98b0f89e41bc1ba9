"""Shapes: what does not fit is named, whatever stands there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_finest.folders.shapes import VALUES, check, mapping, maybe, number, plain, whole

SHAPE = {"name": str, "figures": {str: VALUES}, "seed?": maybe(whole), "rows?": [{"epoch": whole}]}
RIGHT = {"name": "a", "figures": {"base": {"ndcg@10": 0.5}}, "seed": None, "rows": [{"epoch": 3}]}
WRONG = [
    ([], "it is [], no mapping"),
    ({"figures": {}}, "it lacks name"),
    ({}, "it lacks figures, name"),
    ({**RIGHT, "name": 3}, "it: name cannot be 3"),
    ({**RIGHT, "figures": {"base": []}}, "it: figures: base is [], no mapping"),
    ({**RIGHT, "figures": {"base": {"mrr": True}}}, "it: figures: base: mrr cannot be True"),
    ({**RIGHT, "figures": {"base": {"mrr": "1"}}}, "it: figures: base: mrr cannot be '1'"),
    ({**RIGHT, "seed": -1}, "it: seed cannot be -1"),
    ({**RIGHT, "rows": {}}, "it: rows is {}, no list"),
    ({**RIGHT, "rows": [{"epoch": 1}, {}]}, "it: rows: 1 lacks epoch"),
    ({**RIGHT, "figures": {1: {}}}, "it: figures holds the name 1, no text"),
]


@pytest.mark.parametrize(("value", "said"), WRONG)
def test_what_does_not_fit_is_named(value, said):
    assert said_of(value) == said


@pytest.mark.parametrize(
    "value", [RIGHT, {**RIGHT, "more": object()}, {"name": "a", "figures": {}}]
)
def test_what_fits_passes_and_other_names_are_free(value):
    assert said_of(value) == ""


def said_of(value):
    """What is wrong with a value; nothing where it fits."""
    try:
        check(value, SHAPE, "it")
    except ValueError as error:
        return str(error)
    return ""


def test_numbers_are_those_that_can_be_computed_with():
    assert [number(v) for v in (1, 0.5, -3, float("nan"))] == [True] * 4
    assert [number(v) for v in (True, "1", None, 10**400, 1e16, float("inf"))] == [False] * 6
    assert [whole(v) for v in (0, 7, -1, 1.0, float("nan"), 10**400)] == [True, True] + [False] * 4


def test_plain_values_end_and_have_names_that_are_text():
    endless: list = []
    endless.append(endless)
    assert plain({"a": [1, None, "x", {"b": 2.5}]}) and mapping({})
    assert not plain(endless) and not plain({1: 2}) and not mapping([])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(JSON)
def test_any_json_fits_or_is_refused_in_one_sentence(value):
    try:
        check(value, SHAPE, "it")
    except ValueError as error:
        assert 0 < len(str(error)) < 300
    assert plain(value) in (True, False)
