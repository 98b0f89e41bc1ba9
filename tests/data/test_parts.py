"""Some instances of a batch, groups that fit a bound, and the draw of those that are regularised."""

from itertools import pairwise

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from recbole.data.interaction import Interaction

from recbole_finest.data.instances import ROW_FIELD, Fields
from recbole_finest.data.packed import POSITION_FIELD, cut_windows, packed_batch
from recbole_finest.data.parts import LIST_FIELD, cut, draw, subset, units
from tests.data.logs import make_log

FIELDS = Fields("user", "item", "timestamp", "length", "items", 4, {}, {})


def windows():
    log = make_log("123456", "12")
    return packed_batch(log, FIELDS, cut_windows(log, width=4, stride=1), np.arange(3))


def test_a_subset_of_windows_by_hand():
    batch = windows()  # targets 2 3 4 5 | 6 | 2
    batch.update(Interaction({LIST_FIELD: torch.arange(6)}))
    part = subset(batch, np.array([2, 3, 5]), "item")
    assert part["items"].tolist() == [[1, 2, 3, 4], [1, 0, 0, 0]]
    assert part["user"].tolist() == [1, 2]
    assert part["length"].tolist() == [4, 1]
    assert part["item"].tolist() == [4, 5, 2]
    assert part[ROW_FIELD].tolist() == [3, 4, 7]
    assert part[LIST_FIELD].tolist() == [2, 3, 5]
    assert part[POSITION_FIELD].tolist() == [2, 3, 4]
    assert units(batch).tolist() == [0, 0, 0, 0, 1, 2]
    assert units(part).tolist() == [0, 0, 1]


def test_a_subset_of_single_histories():
    batch = Interaction({"items": torch.arange(8).reshape(4, 2), ROW_FIELD: torch.arange(4)})
    part = subset(batch, np.array([3, 1]), "item")
    assert part["items"].tolist() == [[6, 7], [2, 3]]
    assert units(batch).tolist() == [0, 1, 2, 3]


@given(st.lists(st.integers(1, 5), min_size=1, max_size=12), st.integers(1, 12))
def test_groups_hold_whole_units_and_fit(sizes, most):
    unit = np.repeat(np.arange(len(sizes)), sizes)
    groups = cut(unit, np.ones(len(unit)), most)
    assert np.concatenate(groups).tolist() == list(range(len(unit)))
    for group in groups:
        assert len(group) <= most or len(set(unit[group])) == 1
    edges = [(a[-1], b[0]) for a, b in pairwise(groups)]
    assert all(unit[a] != unit[b] for a, b in edges)


def test_groups_count_the_rows_of_each_instance():
    groups = cut(np.arange(4), np.array([3, 0, 2, 6]), 5)
    assert [group.tolist() for group in groups] == [[0, 1, 2], [3]]


def test_single_histories_are_drawn_uniformly_and_without_repeats():
    lists, rows = np.arange(40), np.arange(100, 140)
    lists[[3, 17]] = -1
    times = np.zeros(40)
    for seed in range(2000):
        found = draw(lists, np.arange(40), rows, 10, seed)
        kept = found >= 0
        assert kept.sum() == 10 and (found[kept] == lists[kept]).all()
        times += kept
    assert times[3] == times[17] == 0
    share = np.delete(times, [3, 17]) / 2000
    assert np.abs(share - 10 / 38).max() < 5 * 0.44 / 2000**0.5


def test_whole_windows_are_drawn():
    unit, lists = np.repeat(np.arange(5), [4, 3, 5, 2, 4]), np.arange(18)
    for seed in range(50):
        kept = draw(lists, unit, lists, 8, seed) >= 0
        assert 0 < kept.sum() <= 8
        assert all(kept[unit == u].all() or not kept[unit == u].any() for u in range(5))
    assert (draw(lists, unit, lists, 1, 0) >= 0).sum() >= 2  # one window at least


def test_a_row_that_drops_out_changes_no_other_draw():
    rows = np.arange(50)
    for seed in range(20):
        whole = set(rows[draw(rows, rows, rows, 10, seed) >= 0])
        gone = next(row for row in rows if row not in whole)
        fewer = np.delete(rows, gone)
        part = set(fewer[draw(fewer, np.arange(49), fewer, 10, seed) >= 0])
        assert part == whole
