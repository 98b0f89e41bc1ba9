"""What holds for all lists: range, symmetry, identity, disjointness, monotony."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_finest.evaluator.measures import MEASURES

ranked = st.lists(st.integers(0, 14), unique=True, max_size=12)
depths = st.integers(1, 14)
persistences = st.floats(0.01, 0.99)
SYMMETRIC = [name for name in MEASURES if name != "rankshift"]
SIMILARITIES = [name for name, measure in MEASURES.items() if measure.at and not measure.smaller]


def value(name: str, a: list, b: list, k: int, p: float) -> float:
    left, right = (np.array([row + [-1] * (12 - len(row))]) for row in (a, b))
    return float(MEASURES[name].function(left, right, k, p)[0])


@settings(max_examples=150, deadline=None)
@given(ranked, ranked, depths, persistences)
def test_range_and_symmetry(a, b, k, p):
    for name in MEASURES:
        result = value(name, a, b, k, p)
        low = -1.0 if "tau" in name else 0.0
        high = 13.0 if name == "rankshift" else 1.0
        assert low <= result <= high
        if name in SYMMETRIC:
            assert value(name, b, a, k, p) == pytest.approx(result, abs=1e-12)


@settings(max_examples=80, deadline=None)
@given(ranked, depths, persistences)
def test_a_list_agrees_with_itself(a, k, p):
    for name, measure in MEASURES.items():
        best = 0.0 if measure.smaller else 1.0
        assert value(name, a, a, k, p) == pytest.approx(best, abs=1e-12)


@settings(max_examples=80, deadline=None)
@given(ranked.filter(bool), ranked.filter(bool), depths, persistences)
def test_lists_without_a_common_item_do_not_agree(a, b, k, p):
    b = [item + 100 for item in b]
    for name in SIMILARITIES:
        assert value(name, a, b, k, p) == 0.0
    assert value("churn", a, b, k, p) == 1.0
    assert value("kendalltau", a, b, k, p) <= 0.0


@settings(max_examples=150, deadline=None)
@given(st.permutations(range(8)), st.integers(0, 7), depths, persistences)
def test_one_more_common_item_never_lowers_agreement(a, place, k, p):
    """Two lists of one length; in place ``place`` of the second a foreign item becomes common."""
    a = list(a)
    other = a[::-1]
    other[place] += 100
    closer = a[::-1]
    for name in SIMILARITIES:
        assert value(name, a, closer, k, p) >= value(name, a, other, k, p) - 1e-12
    assert value("churn", a, closer, k, p) <= value("churn", a, other, k, p) + 1e-12


@settings(max_examples=150, deadline=None)
@given(st.permutations(range(8)), st.integers(0, 6), depths, persistences)
def test_putting_two_neighbours_right_never_lowers_agreement(b, place, k, p):
    """Against 0 1 2 …: neighbours of the second list that are in the wrong order change places."""
    a, b = list(range(8)), list(b)
    if b[place] < b[place + 1]:
        return
    closer = [*b[:place], b[place + 1], b[place], *b[place + 2 :]]
    for name in ("rbo", "frbo", "averageoverlap", "jaccard"):
        assert value(name, a, closer, k, p) >= value(name, a, b, k, p) - 1e-12
    assert value("kendalltau", a, closer, 8, p) > value("kendalltau", a, b, 8, p)
