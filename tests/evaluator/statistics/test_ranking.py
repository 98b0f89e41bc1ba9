"""Friedman's test of methods over blocks."""

import numpy as np
import pytest

from recbole_finest.evaluator.statistics.ranking import friedman


def test_friedman_of_two_blocks_that_agree():
    # rank sums 2, 4, 6: 12 / (2 · 3 · 4) · 56 - 3 · 2 · 4 = 4, and exp(-4 / 2) with two degrees of freedom
    assert friedman(np.array([[0.1, 0.2, 0.3], [0.5, 0.7, 0.9]])) == pytest.approx((4, np.exp(-2)))


def test_friedman_where_it_says_nothing():
    assert np.isnan(friedman(np.ones((1, 3)))).all()
    assert np.isnan(friedman(np.ones((5, 2)))).all()
    assert friedman(np.ones((4, 3))) == (0.0, 1.0)
