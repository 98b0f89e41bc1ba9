"""Every measure against an independent implementation, values worked by hand, and its limits."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from recbole_finest.errors import UserError
from recbole_finest.evaluator import measures
from recbole_finest.evaluator.measures import MEASURES, agreement, counting, measure_lists
from tests.evaluator.measures import brute_force

EXACT = {"rtol": 0, "atol": 1e-9}
BRUTE = {
    "rbo": brute_force.rbo,
    "frbo": brute_force.frbo,
    "jaccard": lambda a, b, k, p: brute_force.jaccard(a, b, k),
    "averageoverlap": lambda a, b, k, p: brute_force.average_overlap(a, b, k),
    "churn": lambda a, b, k, p: brute_force.churn(a, b, k),
    "top1": lambda a, b, k, p: brute_force.top1(a, b),
    "kendalltau": lambda a, b, k, p: brute_force.correlation(a, b, k, weighted=False),
    "weightedtau": lambda a, b, k, p: brute_force.correlation(a, b, k, weighted=True),
    "rankshift": lambda a, b, k, p: brute_force.rank_shift(a, b, k),
}
SET_BASED = [name for name, measure in MEASURES.items() if measure.at]


def pairs(seed: int, n: int = 1500, repeats: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Short, empty, equal, disjoint and overlapping lists of widths that differ."""
    rng = np.random.default_rng(seed)
    left = brute_force.random_lists(rng, n, 12, 15, repeats)
    right = brute_force.random_lists(rng, n, 9, 15, repeats)
    right[: n // 5] += np.where(right[: n // 5] >= 0, 100, 0)  # nothing in common
    right[n // 5 : n // 4] = left[n // 5 : n // 4, :9]
    return left, right


@pytest.mark.parametrize("p", [0.3, 0.9, 0.99])
def test_rbo_equals_its_definition_to_great_depth(p):
    left, right = pairs(0, n=4000)
    values = measures.rbo(left, right, k=12, p=p)
    expected = [
        brute_force.rbo_to_great_depth(brute_force.tidy(a), brute_force.tidy(b), p)
        for a, b in zip(left, right)
    ]
    np.testing.assert_allclose(values, expected, **EXACT)


def test_average_overlap_equals_the_mean_of_agreements():
    rng = np.random.default_rng(1)
    left, right = (np.argsort(rng.random((2000, 40)), axis=1)[:, :20] for _ in range(2))
    values = measures.average_overlap(left, right, k=10)
    expected = [
        brute_force.mean_agreement(a.tolist(), b.tolist(), k=10) for a, b in zip(left, right)
    ]
    np.testing.assert_allclose(values, expected, **EXACT)


def test_average_overlap_of_the_lists_of_webbers_figure_5():
    left, right = (np.array([list(map(ord, word))]) for word in ("abcdefg", "zcavwxy"))
    values = [round(measures.average_overlap(left, right, k)[0], 3) for k in range(1, 8)]
    assert values == [0, 0, 0.222, 0.292, 0.313, 0.317, 0.312]


@pytest.mark.parametrize("repeats", [False, True])
@pytest.mark.parametrize("k", [1, 2, 5, 9, 12, 50])
@pytest.mark.parametrize("name", list(BRUTE))
def test_equals_brute_force(name, k, repeats):
    left, right = pairs(k, n=300 if "tau" in name else 1500, repeats=repeats)
    values = MEASURES[name].function(left, right, k, 0.8)
    expected = [
        BRUTE[name](brute_force.tidy(a), brute_force.tidy(b), k, 0.8) for a, b in zip(left, right)
    ]
    np.testing.assert_allclose(values, expected, **EXACT)


@pytest.mark.parametrize("ids", ["small", "large", "hashes", "unsigned", "threads"])
def test_every_way_of_counting_gives_the_same(ids, monkeypatch):
    left, right = pairs(3)
    expected = agreement(left, right, 12)
    assert expected[:, -1].tolist() == [
        len(set(a[a >= 0].tolist()) & set(b[b >= 0].tolist())) for a, b in zip(left, right)
    ]
    if ids in ("large", "hashes"):
        factor = 10**6 if ids == "large" else 2**55
        left, right = (np.where(x < 0, -1, x * factor) for x in (left, right))
    if ids == "unsigned":
        left, right = ((x + (x >= 0)).astype(np.int64) for x in (left, right))
        kept = (left >= 0).all(axis=1) & (right >= 0).all(axis=1)
        left, right, expected = (
            left[kept].astype(np.uint64),
            right[kept].astype("u2"),
            expected[kept],
        )
    if ids == "threads":  # many small chunks
        monkeypatch.setattr(counting, "TABLE_CELLS", 1)
        monkeypatch.setattr(sys.modules[agreement.__module__], "CELLS_AT_A_TIME", 1)
    np.testing.assert_array_equal(agreement(left, right, 12), expected)


def test_the_table_of_ranks_survives_running_out_of_numbers():
    rng = np.random.default_rng(4)
    counter = counting.TableCounter(n_items=30, depth=1000, rows=8)  # 16 bits: 65 writes
    for _ in range(200):
        left, right = (brute_force.random_lists(rng, 8, 30, 30) for _ in range(2))
        left, right = (np.pad(x, ((0, 0), (0, 970)), constant_values=-1) for x in (left, right))
        found, expected = (np.empty((8, 1000), dtype=np.int32) for _ in range(2))
        assert counter(left, right, found)
        assert counting.SortingCounter(30, 1000)(left, right, expected)
        np.testing.assert_array_equal(found, expected)


def test_lists_known_to_be_distinct_give_the_same():
    left, right = pairs(7)
    expected = measure_lists(left, right, SET_BASED, [1, 5, 12])
    for key, value in measure_lists(left, right, SET_BASED, [1, 5, 12], distinct=True).items():
        np.testing.assert_array_equal(value, expected[key])


def test_values_worked_by_hand():
    reference = np.array([[1, 2, 3]])
    other = np.array([[1, 3, 4]])
    # common at depths 1, 2, 3: 1, 1, 2; agreements 1, 1/2, 2/3; p = 1/2
    assert agreement(reference, other, 3).tolist() == [[1, 1, 2]]
    worked = {
        "rbo@3": 0.5 * (1 + 0.5 / 2 + (2 / 3) / 4) + (2 / 3) / 8,
        "frbo@3": (1 + 0.5 / 2 + (2 / 3) / 4) / 1.75,
        "averageoverlap@3": (1 + 1 / 2 + 2 / 3) / 3,
        "jaccard@3": 2 / 4,
        "churn@3": 1 / 3,
        "top1@1": 1.0,
        # item 2: rank 2 -> missing, rank 4; item 3: rank 3 -> 2
        "rankshift@3": (0 + 2 + 1) / 3,
        # ranks of 1, 2, 3, 4: 1 2 3 4 and 1 4 2 3; of 6 pairs 4 agree, 2 do not
        "kendalltau@3": (4 - 2) / 6,
    }
    names = [key.split("@")[0] for key in worked]
    values = measure_lists(reference, other, names, [3], p=0.5)
    assert {key: value[0] for key, value in values.items()} == pytest.approx(worked, abs=1e-12)


def test_rbo_of_lists_of_unequal_length_worked_by_hand():
    # X = 1, 1, 2 with s = 2, l = 3, p = 1/2; the short list is taken to go on agreeing by 1/2
    value = measures.rbo(np.array([[1, 2, -1]]), np.array([[1, 3, 2]]), k=3, p=0.5)[0]
    seen = 1 / 2 + (1 / 2) / 4 + (2 / 3) / 8
    beyond = 1 * (3 - 2) / (2 * 3) / 8
    assert value == pytest.approx(seen + beyond + ((2 - 1) / 3 + 1 / 2) / 8, abs=1e-12)


def test_average_overlap_of_random_permutations_of_a_catalogue_is_one_half():
    rng = np.random.default_rng(5)
    left, right = (rng.permuted(np.tile(np.arange(2000), (20, 1)), axis=1) for _ in range(2))
    assert measures.average_overlap(left, right, k=2000).mean() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("name", list(MEASURES))
def test_empty_lists(name):
    empty, one = np.full((1, 3), -1), np.array([[7, -1, -1]])
    perfect = 0.0 if MEASURES[name].smaller else 1.0
    assert MEASURES[name].function(empty, empty, 3, 0.9)[0] == perfect
    nothing = {"churn": 1.0, "rankshift": 1.0}.get(name, 0.0)
    assert MEASURES[name].function(one, empty, 3, 0.9)[0] == nothing
    assert MEASURES[name].function(np.zeros((0, 3), int), np.zeros((0, 2), int), 3, 0.9).shape == (
        0,
    )
    assert (
        MEASURES[name].function(np.zeros((2, 0), int), np.zeros((2, 0), int), 3, 0.9).tolist()
        == [perfect] * 2
    )


def test_repeated_items_and_holes_close_up_before_the_cut():
    untidy, clean = np.array([[5, 5, -1, 6, 5, 7]]), np.array([[5, 6, 7, -1, -1, -1]])
    assert agreement(untidy, clean, 3).tolist() == [[1, 2, 3]]
    for measure in MEASURES.values():
        best = 0.0 if measure.smaller else 1.0
        assert measure.function(untidy, clean, 2, 0.9)[0] == pytest.approx(best)


def test_all_measures_in_one_pass_equal_each_alone():
    left, right = pairs(6, n=400)
    values = measure_lists(left, right, MEASURES, [1, 5, 30], p=0.7)
    assert list(values)[:3] == ["rbo@1", "rbo@5", "rbo@30"]
    for name, measure in MEASURES.items():
        for k in [1, 5, 30] if measure.per_depth else [1]:
            alone = measure.function(left, right, k, 0.7)
            np.testing.assert_allclose(values[f"{name}@{k}"], alone, rtol=0, atol=1e-12)


@pytest.mark.parametrize("k", [0, -1, 2.5, True, "10", None])
def test_a_depth_that_is_none_is_refused(k):
    lists = np.array([[1, 2]])
    for name, measure in MEASURES.items():
        if measure.per_depth:
            with pytest.raises(UserError, match="at least 1"):
                measure.function(lists, lists, k, 0.9)
            with pytest.raises(UserError, match="at least 1"):
                measure_lists(lists, lists, [name], [k])


@pytest.mark.parametrize("p", [0, 1, 1.0, -0.1, float("nan"), "0.9", None])
def test_a_persistence_outside_0_to_1_is_refused(p):
    lists = np.array([[1, 2]])
    for function in (measures.rbo, measures.frbo):
        with pytest.raises(UserError, match="rbo_p"):
            function(lists, lists, 2, p)


def test_lists_of_the_wrong_kind_are_refused():
    good = np.array([[1, 2]])
    for bad in (np.array([1, 2]), np.array([[1.0, 2.0]]), np.array([["a"]])):
        with pytest.raises(UserError, match="whole-number array"):
            measures.rbo(good, bad, 2)
    with pytest.raises(UserError, match="1 reference lists but 2"):
        measures.jaccard(good, np.array([[1], [2]]), 2)


def test_an_unknown_measure_is_refused_with_the_nearest():
    with pytest.raises(UserError, match="did you mean 'Jaccard'"):
        measure_lists(np.array([[1]]), np.array([[1]]), ["jacard"], [1])
    with pytest.raises(UserError, match="at least one"):
        measures.keys([], [10])
