"""Kept news, hits and ambiguity: by hand, and against sets of Python."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recbole_finest.evaluator.plasticity import ambiguity, exposure, hits, kept_news, plasticity


def test_kept_news_by_hand():
    before = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    after = np.array([[1, 9, 8], [6, 5, 4], [1, 2, 3]])
    lists = np.array([[8, 2, 1], [1, 2, 3], [7, 8, 9]])
    found = kept_news(before, after, lists, 3)
    assert found[0] == 0.5  # of 9 and 8, 8
    assert np.isnan(found[1])  # another order brings nothing new
    assert found[2] == 0  # all is new, nothing of it is there
    np.testing.assert_array_equal(kept_news(before, after, lists, 1), [np.nan, 0, 0])


def test_short_lists_bring_no_news_in_their_empty_places():
    before, after = np.array([[1, 2]]), np.array([[3, -1]])
    assert kept_news(before, after, np.array([[-1, 4]]), 2) == 0
    assert kept_news(before, after, np.array([[3, -1]]), 2) == 1
    assert np.isnan(kept_news(before, np.array([[1, -1]]), after, 2))


LISTS = arrays(np.int64, (7, 5), elements=st.integers(1, 12))


@given(LISTS, LISTS, LISTS, st.integers(1, 5))
def test_kept_news_by_brute_force(before, after, lists, k):
    before, after, lists = (np.array([_distinct(row) for row in x]) for x in (before, after, lists))
    expected = []
    for one, two, three in zip(before, after, lists):
        news = set(two[:k]) - set(one[:k])
        expected.append(len(news & set(three[:k])) / len(news) if news else np.nan)
    np.testing.assert_allclose(kept_news(before, after, lists, k), expected)
    new = ~np.isnan(expected)
    assert (kept_news(before, after, after, k)[new] == 1).all()
    assert (kept_news(before, after, before, k)[new] == 0).all()


def _distinct(row):
    """The row with repeats replaced by items that no row has."""
    first = dict.fromkeys(row.tolist())
    return [*first, *range(100, 100 + len(row) - len(first))]


def test_hits_and_exposure_by_hand():
    lists = np.array([[1, 2, 3], [4, 5, 6], [2, 3, -1]])
    targets = np.array([2, 6, 9])
    assert hits(lists, targets, 2).tolist() == [True, False, False]
    assert hits(lists, targets, 3).tolist() == [True, True, False]
    assert exposure(lists, 2, 1) == pytest.approx(1 / 3)
    assert exposure(lists, 2, 2) == pytest.approx(2 / 3)
    assert exposure(lists, 7, 3) == 0


def test_ambiguity_by_hand():
    hit = np.array([[1, 1, 0, 0], [1, 0, 0, 1], [1, 0, 0, 0]], bool)
    assert ambiguity(hit) == 0.5
    assert ambiguity(hit[:1]) == 0
    assert ambiguity(hit[[0, 0, 0]]) == 0


def test_plasticity_by_hand():
    base, retrained = np.array([[1, 2], [3, 4], [5, 6]]), np.array([[1, 7], [3, 4], [8, 9]])
    clean, changed = np.array([[1, 2], [3, 7], [8, 6]]), np.array([[7, 2], [4, 3], [9, 5]])
    targets = np.array([1, 7, 5])
    found = plasticity((base, retrained), (clean, changed), targets, [1, 2], item=7)
    assert found == {
        "kept_news@1": 0,  # of the third's 8
        "kept_news_by_chance@1": 1,
        "lost@1": pytest.approx(2 / 3),  # 1 and 5 were first
        "gained@1": 0,
        "trend@1": pytest.approx(1 / 3),
        "trend_before@1": 0,
        "kept_news@2": 0.75,  # 7 of 7; of 8 and 9, 9
        "kept_news_by_chance@2": 0.25,
        "lost@2": pytest.approx(1 / 3),  # the first's 1; the third's 5 is still listed
        "gained@2": 0,
        "trend@2": pytest.approx(1 / 3),
        "trend_before@2": pytest.approx(1 / 3),
    }
    same = plasticity((base, base), (base, base), targets, [2])
    assert same == {"kept_news@2": None, "kept_news_by_chance@2": None, "lost@2": 0, "gained@2": 0}
