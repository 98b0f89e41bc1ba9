"""Windows: each instance in one of them, with its context, and undisturbed by changes elsewhere."""

import time

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from recbole_finest.data.instances import ROW_FIELD, Fields
from recbole_finest.data.log import TEST, TRAIN, InteractionLog
from recbole_finest.data.packed import POSITION_FIELD, WindowPlan, packed_batch
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
def plans(draw: st.DrawFn) -> tuple[InteractionLog, WindowPlan]:
    log = draw(training_logs())
    width = draw(st.integers(1, 6))
    return log, WindowPlan(log, width, draw(st.integers(1, width)))


def perturbed_logs(draw, log, most=3):
    """The log after up to three perturbations, one after another."""
    kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=3))
    for seed, kind in enumerate(kinds):
        n = len(log.train_positions)
        if n:
            log, _ = perturb(log, kind, count=draw(st.integers(1, min(most, n))), rng=seed)
    return log


def check_windows(plan, log):
    """What holds for the windows of any log; returns the windows and each target's context."""
    windows = plan.windows(log)
    scored = [p for a, b in zip(windows.first.tolist(), windows.stop.tolist()) for p in range(a, b)]
    assert sorted(scored) == log.target_positions.tolist()  # each in exactly one
    assert (windows.instances >= 1).all()
    assert (windows.stop - 1 - windows.start <= plan.width).all()
    assert (windows.start < windows.first).all()
    same_user = log.user[windows.start] == log.user[windows.stop - 1]
    assert same_user.all() and (np.diff(windows.clean) >= 0).all()
    number = plan.window_of_row[log.place[windows.first]]
    np.testing.assert_array_equal(windows.clean, number)
    context = {}
    for start, first, stop in zip(windows.start, windows.first, windows.stop):
        context.update({target: target - start for target in range(first, stop)})
    return windows, context


@limits(max_examples=200, deadline=None)
@given(plans())
def test_clean_windows(planned):
    log, plan = planned
    windows, context = check_windows(plan, log)
    steps = log.target_positions - log.user_start[log.target_positions]
    for target, step in zip(log.target_positions.tolist(), steps.tolist()):
        if step <= plan.width:
            assert context[target] == step  # the whole history
        else:
            assert plan.width - plan.stride < context[target] <= plan.width
    np.testing.assert_array_equal(
        np.bincount(windows.clean, windows.instances, len(plan.start_row)), plan.clean_instances
    )


@limits(max_examples=400, deadline=None)
@given(plans(), st.data())
def test_windows_of_perturbed_logs(planned, data):
    log, plan = planned
    perturbed = perturbed_logs(data.draw, log)
    _, context = check_windows(plan, perturbed)
    deleted = np.setdiff1d(log.row, perturbed.row)
    for target, length in context.items():
        history = target - perturbed.user_begin[perturbed.user[target]]
        place = int(perturbed.place[target])
        start = plan.start_row[plan.window_of_row[place]]
        lost = ((deleted >= start) & (deleted < place)).sum()
        assert length >= min(history, max(1, plan.width - plan.stride - lost))


@limits(max_examples=200, deadline=None)
@given(plans(), st.integers(1, 8), st.integers(0, 5), st.data())
def test_windows_without_a_change_stay_in_their_batches(planned, batch_size, epoch, data):
    log, plan = planned
    perturbed = perturbed_logs(data.draw, log, most=2)
    rank = np.random.default_rng(epoch).permutation(len(plan.start_row))
    found = []
    for one in (log, perturbed):
        windows = plan.windows(one)
        batches = plan.batches(windows, rank, batch_size)
        assert len(batches) == plan.n_batches(batch_size)
        assert sorted(np.concatenate(batches).tolist()) == list(range(len(windows)))
        contents = {}
        for b, batch in enumerate(batches):
            for w in batch.tolist():
                inside = slice(windows.start[w], windows.stop[w])
                content = (
                    one.row[inside].tolist(),
                    one.item[inside].tolist(),
                    int(windows.first[w] - windows.start[w]),
                    b,
                )
                contents.setdefault(int(windows.clean[w]), []).append(content)
        found.append(contents)
    touched = set(np.setdiff1d(log.row, perturbed.row).tolist())
    touched |= set(perturbed.place[perturbed.row < 0].tolist())
    kept = perturbed.row >= 0
    touched |= set(
        perturbed.row[kept][perturbed.item[kept] != log.item[perturbed.row[kept]]].tolist()
    )
    clean, changed = found
    for number, windows in clean.items():
        if not touched & set(windows[0][0]):
            assert changed[number] == windows, number
        elif number in changed:
            assert {content[-1] for content in changed[number]} == {windows[0][-1]}


def test_a_batch_by_hand():
    log = make_log("123456", "12")  # times 0 … 7
    plan = WindowPlan(log, width=4, stride=2)
    windows = plan.windows(log)
    assert windows.start.tolist() == [0, 2, 6]
    assert windows.first.tolist() == [1, 5, 7]
    assert windows.stop.tolist() == [5, 6, 8]
    batch = packed_batch(log, FIELDS, windows, np.array([1, 0, 2]))
    assert batch["user"].tolist() == [1, 1, 2]
    assert batch["items"].tolist() == [[3, 4, 5, 0], [1, 2, 3, 4], [1, 0, 0, 0]]
    assert batch["length"].tolist() == [3, 4, 1]
    assert batch["item"].tolist() == [6, 2, 3, 4, 5, 2]
    assert batch[ROW_FIELD].tolist() == [5, 1, 2, 3, 4, 7]
    assert batch[POSITION_FIELD].tolist() == [2, 4, 5, 6, 7, 8]
    assert batch["offset"].tolist() == [[2, 3, 4, 0], [0, 1, 2, 3], [0, 0, 0, 0]]
    assert batch["offset"].dtype == torch.float64


def test_an_insertion_by_hand():
    log = make_log("12345", "12")
    plan = WindowPlan(log, width=4, stride=2)
    longer, _ = perturb(log, "insertion", "file", "popular", rows=[2, 5], rng=0)
    windows = plan.windows(longer)  # items 1 2 [1] 3 4 5 and [1] 1 2
    assert windows.start.tolist() == [0, 1, 6]
    assert windows.first.tolist() == [1, 5, 7]
    assert windows.stop.tolist() == [5, 6, 9]
    batch = packed_batch(longer, FIELDS, windows, np.arange(3))
    assert batch["items"].tolist() == [[1, 2, 1, 3], [2, 1, 3, 4], [1, 1, 0, 0]]
    assert batch["item"].tolist() == [2, 1, 3, 4, 5, 1, 2]
    assert batch[ROW_FIELD].tolist() == [1, -1, 2, 3, 4, 5, 6]


@limits(max_examples=150, deadline=None)
@given(plans(), st.data())
def test_a_batch_tells_every_instance_and_its_context(planned, data):
    log, plan = planned
    log = perturbed_logs(data.draw, log)
    windows = plan.windows(log)
    fields = Fields("user", "item", "timestamp", "length", "items", plan.width, {}, {}, "offset")
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
    log = make_log("1", "2", "3")
    plan = WindowPlan(log, 4, 2)
    assert len(plan.windows(log)) == 0
    assert plan.n_batches(8) == 1
    assert [len(b) for b in plan.batches(plan.windows(log), np.arange(3), 8)] == [0]


@pytest.mark.parametrize("stride", [1, 25, 50])
def test_a_million_interactions_take_no_time(stride):
    rng = np.random.default_rng(0)
    n = 10**6
    log = InteractionLog.from_columns(
        np.sort(rng.integers(1, 6000, n)), rng.integers(1, 3000, n), np.arange(n)
    )
    perturbed, _ = perturb(log, "insertion", ratio=0.01, rng=0)
    begin = time.perf_counter()
    plan = WindowPlan(log, 50, stride)
    windows = plan.windows(perturbed)
    plan.batches(windows, rng.permutation(len(plan.start_row)), 2048)
    assert time.perf_counter() - begin < 5  # a tenth of that on a free core
    assert windows.instances.sum() == len(perturbed.target_positions)


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
