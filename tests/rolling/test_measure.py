"""A night's figures by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from recbole_finest.evaluator.lists.ranklists import RankLists
from recbole_finest.rolling.measure import Night, held, read_lists

# five users, items 0 … 5; user 0 and 3 have news, user 4 had no list until now
NEWS = np.array([True, False, False, True, True])
BEFORE = np.array([[0, 1], [0, 1], [2, 3], [4, -1], [-1, -1]])
NOW = np.array([[0, 5], [1, 0], [2, 4], [4, 5], [5, 0]])
RETRAINED = np.array([[5, 0], [1, 0], [2, 3], [0, 1], [5, 0]])
TRUTH = np.array([0, 0, 0, 2, 3]), np.array([0, 1, 5, 3, 5])
LOG = SimpleNamespace(
    active=lambda period: {2: NEWS}[period],
    truth=lambda period: {3: TRUTH}[period],
    newcomers=lambda period: {2: np.arange(6) == 5}[period],
)


def test_a_night_by_hand():
    found = Night(LOG, 2, 2).values(BEFORE, NOW, RETRAINED)
    assert found["churn_without_news"] == pytest.approx((0 + 1 / 2) / 2)  # users 1, 2
    assert found["churn_with_news"] == pytest.approx((1 / 2 + 1 / 2) / 2)  # users 0, 3, not 4
    assert found["drift"] == pytest.approx((0 + 0 + 1 / 2 + 1 + 0) / 5)
    assert found["new_items"] == pytest.approx(3 / 10)
    assert found["people"] == 3
    # user 0 lists two of three true items, 2 none of one, 3 its one in the second place
    assert found["recall"] == pytest.approx((2 / 3 + 0 + 1) / 3)
    ndcg = [1.0, 0.0, 1 / np.log2(3)]
    assert found["ndcg"] == pytest.approx(np.mean(ndcg))
    assert found["ndcg_with_news"] == pytest.approx((ndcg[0] + ndcg[2]) / 2)


def test_nobody_is_none():
    empty = SimpleNamespace(
        active=lambda period: np.ones(5, bool),
        truth=lambda period: (np.array([], int), np.array([], int)),
        newcomers=LOG.newcomers,
    )
    found = Night(empty, 2, 2).values(BEFORE, NOW, NOW)
    assert found["churn_without_news"] is None and found["ndcg"] is None
    assert found["drift"] == 0


def test_only_people_with_news_get_new_lists():
    shown = held(BEFORE, NOW, np.array([True, False, False, False, False]))
    assert shown.tolist() == [[0, 5], [0, 1], [2, 3], [4, -1], [5, 0]]
    found = Night(LOG, 2, 2).values(BEFORE, held(BEFORE, NOW, NEWS), RETRAINED)
    assert found["churn_without_news"] == 0 and found["churn_with_news"] == pytest.approx(1 / 2)


def test_lists_of_a_file_by_the_logs_tokens(tmp_path):
    log = SimpleNamespace(users=np.array(["a", "b", "c"]), items=np.array(["x", "y", "z"]))
    items = np.array([["z", "x", "y"], ["y", "", ""]])
    RankLists.from_tokens(np.array(["c", "a"]), np.array(["", ""]), items).save(tmp_path / "l.npz")
    found = read_lists(tmp_path / "l.npz", log, 2)
    assert found.tolist() == [[1, -1], [-1, -1], [2, 0]]
