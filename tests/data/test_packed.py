"""Windows: each instance in one of them, with its context, and undisturbed by changes elsewhere."""

from itertools import pairwise

import numpy as np
import torch
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from recbole_finest.data.instances import KEY_FIELD, ROW_FIELD, Fields
from recbole_finest.data.log import TEST, TRAIN, InteractionLog
from recbole_finest.data.packed import POSITION_FIELD, cut_windows, packed_batch
from recbole_finest.data.perturbation import KINDS, perturb
from tests.data.logs import make_log

FIELDS = Fields("user", "item", "timestamp", "length", "items", 4, {}, {}, offset="offset")


@st.composite
def training_logs(draw: st.DrawFn) -> InteractionLog:
    """Logs in which every user's training rows come first, as packing asks for."""
    train = draw(st.lists(st.integers(0, 12), min_size=1, max_size=4))
    held = [draw(st.integers(0, 2)) for _ in train]
    user = np.concatenate([np.full(t + h, u) for u, (t, h) in enumerate(zip(train, held), 1)])
    role = np.concatenate([[TRAIN] * t + [TEST] * h for t, h in zip(train, held)])
    item = draw(st.lists(st.integers(1, 5), min_size=len(user), max_size=len(user)))
    times = np.arange(len(user))
    return InteractionLog.from_columns(
        user.astype(int), np.array(item, int), times, role.astype(int), len(train) + 1, 6
    )


@st.composite
def shapes(draw: st.DrawFn) -> tuple[int, int]:
    width = draw(st.integers(1, 6))
    return width, draw(st.integers(1, width))


def perturbed_logs(draw, log, most=3):
    """The log after up to three perturbations, one after another."""
    kinds = draw(
        st.lists(
            st.sampled_from([k for k in KINDS if KINDS[k].selection is None]),
            min_size=1,
            max_size=3,
        )
    )
    for seed, kind in enumerate(kinds):
        n = len(log.train_positions)
        if n:
            log, _ = perturb(log, kind, count=draw(st.integers(1, min(most, n))), rng=seed)
    return log


@limits(max_examples=400, deadline=None)
@given(training_logs(), shapes(), st.data())
def test_each_instance_is_in_one_window_with_its_context(log, shape, data):
    width, stride = shape
    log = perturbed_logs(data.draw, log) if data.draw(st.booleans()) else log
    windows = cut_windows(log, width, stride)
    scored = [p for a, b in zip(windows.first.tolist(), windows.stop.tolist()) for p in range(a, b)]
    assert scored == log.target_positions.tolist()  # in the order of the log
    assert (windows.instances >= 1).all()
    assert (windows.stop - 1 - windows.start <= width).all()
    assert (log.user[windows.start] == log.user[windows.stop - 1]).all()
    assert len(set(windows.keys.tolist())) == len(windows)
    for start, first, stop in zip(windows.start, windows.first, windows.stop):
        for target in range(first, stop):
            history = target - log.user_begin[log.user[target]]
            assert min(history, width - stride + 1) <= target - start <= min(history, width)
            if history <= width:
                assert target - start == history  # the whole of it


@limits(max_examples=200, deadline=None)
@given(training_logs(), shapes(), st.data())
def test_windows_of_other_users_stay_as_they_were(log, shape, data):
    n = len(log.train_positions)
    if n == 0:
        return
    kind = data.draw(st.sampled_from([k for k in KINDS if KINDS[k].selection is None]))
    changed, changes = perturb(log, kind, count=data.draw(st.integers(1, min(2, n))), rng=0)
    found = []
    for one in (log, changed):
        windows = cut_windows(one, *shape)
        found.append(
            {
                (user, tuple(one.time[a:c].tolist()), b - a, key)
                for a, b, c, key, user in zip(
                    *(
                        getattr(windows, name).tolist()
                        for name in ("start", "first", "stop", "keys")
                    ),
                    one.user[windows.first].tolist(),
                )
                if user not in changes.user
            }
        )
    assert found[0] == found[1]


def test_boundaries_behind_a_change_are_soon_the_same_again():
    rng = np.random.default_rng(0)
    log = InteractionLog.from_columns(
        np.ones(2000, int), rng.integers(1, 99, 2000), np.arange(2000)
    )
    was = cut_windows(log, 20, 10)
    kept = []
    for row in range(100, 1000, 100):
        shorter, _ = perturb(log, "deletion", "file", rows=[row], rng=0)
        now = cut_windows(shorter, 20, 10)
        same = set(was.keys.tolist()) & set(now.keys.tolist())
        behind = was.first > row
        kept.append(np.isin(was.keys[behind], list(same)).mean())
        assert np.isin(was.keys[was.stop <= row], list(same)).all()
    assert np.mean(kept) > 0.95
    assert 6.5 < np.diff(was.first)[1:].mean() < 9  # half a stride to a whole one


def test_a_batch_by_hand():
    log = make_log("123456", "12")  # times 0 … 7
    windows = cut_windows(log, width=4, stride=1)
    assert windows.start.tolist() == [0, 1, 6]
    assert windows.first.tolist() == [1, 5, 7]
    assert windows.stop.tolist() == [5, 6, 8]
    batch = packed_batch(log, FIELDS, windows, np.array([1, 0, 2]))
    assert batch["user"].tolist() == [1, 1, 2]
    assert batch["items"].tolist() == [[2, 3, 4, 5], [1, 2, 3, 4], [1, 0, 0, 0]]
    assert batch["length"].tolist() == [4, 4, 1]
    assert batch["item"].tolist() == [6, 2, 3, 4, 5, 2]
    assert batch[ROW_FIELD].tolist() == [5, 1, 2, 3, 4, 7]
    assert batch[POSITION_FIELD].tolist() == [3, 4, 5, 6, 7, 8]
    assert batch["offset"].tolist() == [[1, 2, 3, 4], [0, 1, 2, 3], [0, 0, 0, 0]]
    assert batch["offset"].dtype == torch.float64
    assert batch[KEY_FIELD].numpy().view(np.uint64).tolist() == windows.keys[[1, 0, 2]].tolist()


def test_a_boundary_is_the_smallest_key_of_those_within_reach():
    log = make_log("1" * 12)
    keys = log.keys
    windows = cut_windows(log, width=3, stride=3)  # targets 1 … 3, then 2 or 3 at a time
    ends = (windows.stop - 1).tolist()
    for end, after in pairwise(ends):
        if 11 - end <= 3:
            assert after == 11
        else:
            assert after == min((end + 2, end + 3), key=lambda i: keys[i])


@limits(max_examples=150, deadline=None)
@given(training_logs(), shapes(), st.data())
def test_a_batch_tells_every_instance_and_its_context(log, shape, data):
    log = perturbed_logs(data.draw, log)
    windows = cut_windows(log, *shape)
    fields = Fields("user", "item", "timestamp", "length", "items", shape[0], {}, {}, "offset")
    index = np.array(data.draw(st.permutations(range(len(windows)))), int)
    batch = packed_batch(log, fields, windows, index)
    assert sorted(batch[ROW_FIELD].tolist()) == sorted(log.row[log.target_positions].tolist())
    flat_items, flat_time = batch["items"].reshape(-1), batch["offset"].reshape(-1)
    targets = np.concatenate(
        [np.arange(a, b) for a, b in zip(windows.first[index], windows.stop[index])] + [[]]
    ).astype(int)
    position = batch[POSITION_FIELD]
    assert len(set(position.tolist())) == len(position) == len(targets)
    np.testing.assert_array_equal(batch["item"], log.item[targets])
    np.testing.assert_array_equal(flat_items[position], log.item[targets - 1])
    np.testing.assert_array_equal(
        flat_time[position], log.time[targets - 1] - log.time[log.user_start[targets]]
    )
    for row, length in zip(batch["items"], batch["length"]):
        assert (row[:length] > 0).all() and (row[length:] == 0).all()


def test_a_log_without_instances_has_no_windows():
    assert len(cut_windows(make_log("1", "2", "3"), 4, 2)) == 0


def test_recbole_order_changes_altogether_when_one_row_is_missing(tmp_path):
    """RecBole's shuffling of windows is a permutation of the number of instances."""
    from recbole_finest import Config
    from recbole_finest.data.perturbation import perturb
    from recbole_finest.data.prepare import prepare
    from tests.conftest import write_toy

    shared = {}
    for order in ("recbole", "stable"):
        settings = {
            "data_path": str(write_toy(tmp_path / order)),
            "MAX_ITEM_LIST_LENGTH": 4,
            "train_batch_size": 32,
            "shuffle_order": order,
        }
        data = prepare(Config("GRU4Rec", "toy", None, settings))
        data.packed = True
        log, _ = perturb(data.log, "deletion", count=1, rng=0)
        first, second = data.train_loader("base"), data.train_loader("base", log)
        batches = [[set(b["finest_row"].tolist()) for b in loader] for loader in (first, second)]
        assert [sum(map(len, b)) for b in batches] == [len(data.train), len(log.target_positions)]
        shared[order] = np.mean([len(a & b) / len(a) for a, b in zip(*batches)])
    assert shared["stable"] > 0.9
    assert shared["recbole"] < 0.5
