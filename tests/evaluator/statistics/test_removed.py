"""What was removed of base's instability, by hand."""

import numpy as np
import pytest

from recbole_finest.evaluator.statistics.removed import removed_intervals


def test_what_was_removed_of_the_distance_from_identical_lists():
    rng = np.random.default_rng(0)
    base = np.array([0.6, 0.8, 0.5, 0.9])  # distances .4 .2 .5 .1
    half = 1 - (1 - base) / 2
    mixed = np.array([0.8, 0.6, 0.5, 0.9])  # distances .2 .4 .5 .1
    found = removed_intervals("jaccard@10", base, {"half": half, "mixed": mixed}, None, rng)
    assert list(found["half"].values()) == pytest.approx([0.5, 0.5, 0.5])  # in every resample
    assert found["mixed"]["mean"] == pytest.approx(0, abs=1e-12)
    assert found["mixed"]["low"] < -0.1 < 0.1 < found["mixed"]["high"]
    # of a measure that is better small the values are the distances
    churn = removed_intervals("churn@10", 1 - base, {"half": 1 - half}, None, rng)
    assert churn["half"]["mean"] == pytest.approx(0.5)


def test_what_was_removed_is_drawn_by_user():
    rng = np.random.default_rng(0)
    base, other = np.array([0.5, 0.5, 0.9, 0.9]), np.array([0.9, 0.9, 0.5, 0.5])
    one = removed_intervals("jaccard@10", base, {"x": other}, np.array([*"uuuu"]), rng)["x"]
    assert one["mean"] == pytest.approx(0) and np.isnan(one["low"]) and np.isnan(one["high"])
    two = removed_intervals("jaccard@10", base, {"x": other}, np.array([*"uuvv"]), rng)["x"]
    # a resample holds both users, the first alone (80 % removed) or the second alone (-400 %)
    assert (two["low"], two["high"]) == pytest.approx((-4, 0.8))
    agree = removed_intervals("jaccard@10", np.ones(4), {"x": other}, None, rng)["x"]
    assert all(np.isnan(value) for value in agree.values())
