"""The order of training: complete, reproducible, and disturbed by a perturbation only where it must be."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from recbole_finest.config.config import Config
from recbole_finest.data.instances import ROW_FIELD
from recbole_finest.data.loader import InstanceLoader, PackedLoader
from recbole_finest.data.order import StableOrder
from recbole_finest.data.perturbation import KINDS, perturb
from tests.data.logs import logs, make_log
from tests.data.stock import (
    assert_same_batch,
    assert_same_epoch,
    our_parts,
    settings,
    stock_loader,
    stock_parts,
    write_rich,
)

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # RecBole's
BPR = {"distribution": "uniform", "sample_num": 1, "alpha": 1.0, "dynamic": False}
MODELS = {
    "SASRec": {},
    "BERT4Rec": {"mask_ratio": 0.5, "ft_ratio": 0.3},
    "GRU4Rec": {"loss_type": "BPR", "train_neg_sample_args": BPR | {"candidate_num": 0}},
}


def rows_of(log, batches):
    return [log.row[positions].tolist() for positions, _ in batches]


@limits(max_examples=100, deadline=None)
@given(log=logs(), size=st.integers(1, 9), epoch=st.integers(0, 3))
def test_an_epoch_of_the_clean_log_has_every_instance_once(log, size, epoch):
    order = StableOrder(log, size, seed=0, stage="base")
    batches = order.batches(log, epoch)
    every = [position for positions, _ in batches for position in positions.tolist()]
    assert sorted(every) == log.target_positions.tolist()
    if every:
        assert len(batches) == len(order)
        assert all(len(positions) == size for positions, _ in batches[:-1])
        assert 1 <= len(batches[-1][0]) <= size
    for positions, slots in batches:
        assert slots.tolist() == list(range(len(positions)))


@limits(max_examples=200, deadline=None)
@given(
    log=logs(min_train=2),
    size=st.integers(1, 6),
    kinds=st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=3),
    data=st.data(),
)
def test_a_perturbation_touches_only_its_own_batches(log, size, kinds, data):
    order = StableOrder(log, size, seed=1, stage="base")
    perturbed = log
    for kind in kinds:
        if len(perturbed.train_positions):
            count = data.draw(st.integers(1, min(3, len(perturbed.train_positions))))
            perturbed, _ = perturb(perturbed, kind, count=count, rng=0)
    clean, changed = order.batches(log, 0), order.batches(perturbed, 0)
    assert len(clean) == len(changed)
    every = np.concatenate([positions for positions, _ in changed])
    assert sorted(every.tolist()) == perturbed.target_positions.tolist()
    before = set(log.row[log.target_positions].tolist())
    after = set(perturbed.row[perturbed.target_positions].tolist())
    for (was, was_slots), (now, now_slots) in zip(clean, changed):
        was_rows, now_rows = log.row[was].tolist(), perturbed.row[now].tolist()
        slot_of = dict(zip(was_rows, was_slots.tolist()))
        both = [row for row in was_rows if row in after]
        assert both == [row for row in now_rows if row in before]
        for place, slot in zip(perturbed.place[now].tolist(), now_slots.tolist()):
            assert 0 <= slot <= size
            if place in slot_of:
                assert slot == slot_of[place]
        for i, row in enumerate(now_rows):  # an inserted one comes just before the one it precedes
            if row < 0 and int(perturbed.place[now[i]]) in after:
                assert perturbed.place[now[i + 1]] == perturbed.place[now[i]]
                assert now[i + 1] == now[i] + 1


def test_seed_stage_and_epoch_change_the_order():
    log = make_log("1234567891234", "5678912345678")
    ways = [(0, "base", 0), (1, "base", 0), (0, "fine-tuning", 0), (0, "base", 1)]
    found = [rows_of(log, StableOrder(log, 4, s, g).batches(log, e)) for s, g, e in ways]
    assert all(found[i] != found[j] for i in range(4) for j in range(i))
    assert found[0] == rows_of(log, StableOrder(log, 4, 0, "base").batches(log, 0))


def test_fixed_order_keeps_its_cuts():
    log = make_log("1234", "567")
    order = StableOrder(log, 2, 0, "base", rows=np.array([4, 5, 6, 0, 1, 2, 3]))
    assert rows_of(log, order.batches(log, 5)) == [[5, 6], [1, 2], [3]]
    shorter, _ = perturb(log, "deletion", "file", rows=[5], rng=0)
    assert rows_of(shorter, order.batches(shorter, 5)) == [[6], [1, 2], [3]]
    longer, _ = perturb(log, "insertion", "file", rows=[0, 1], rng=0)
    batches = order.batches(longer, 0)
    assert rows_of(longer, batches) == [[5, 6, 0], [-1, 1, 2], [3]]  # 0 has a history now
    assert [slots.tolist() for _, slots in batches] == [[0, 1, 2], [0, 0, 1], [0]]


# Loaders ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    return write_rich(tmp_path_factory.mktemp("order"))


def training(folder, model="SASRec", kind=InstanceLoader, stage="base", **changes):
    config = Config(model, "rich", None, settings(folder, **{**MODELS[model], **changes}))
    _, parts, samplers = our_parts(config)
    return kind(config, parts[0], samplers[0], stage)


def epochs(loader, n=2):
    """Batches of ``n`` epochs, and what a model would draw in each step."""
    found = []
    for _ in range(n):
        for batch in loader:
            found.append((batch, torch.rand(3), np.random.rand(3)))
    return found


def assert_same(one, other):
    assert len(one) == len(other) > 0
    for (batch, torch_draw, numpy_draw), (twin, torch_twin, numpy_twin) in zip(one, other):
        assert_same_batch(batch, twin)
        assert torch.equal(torch_draw, torch_twin)
        np.testing.assert_array_equal(numpy_draw, numpy_twin)


@pytest.mark.parametrize("model", MODELS)
def test_workers_change_nothing(rich, model):
    alone = epochs(training(rich, model))
    torch.manual_seed(99)  # whatever ran before
    assert_same(alone, epochs(training(rich, model, worker=2)))


@pytest.mark.parametrize("model", MODELS)
def test_every_instance_comes_once_an_epoch(rich, model):
    loader = training(rich, model)
    first, second = ([batch[ROW_FIELD] for batch in loader] for _ in range(2))
    assert len(first) == len(loader)
    expected = loader._dataset.log.row[loader._dataset.log.target_positions].tolist()
    for epoch in (first, second):
        assert sorted(torch.cat(epoch).tolist()) == expected
    assert torch.cat(first).tolist() != torch.cat(second).tolist()


def test_packed_windows_with_workers(rich):
    assert_same(
        epochs(training(rich, kind=PackedLoader)),
        epochs(training(rich, kind=PackedLoader, worker=2)),
    )


@pytest.mark.parametrize("kind", [InstanceLoader, PackedLoader])
@pytest.mark.parametrize("order", ["stable", "recbole"])
def test_another_log_continues_the_epochs(rich, kind, order):
    loader = training(rich, kind=kind, shuffle_order=order)
    twin = training(rich, kind=kind, shuffle_order=order)
    list(loader)
    list(twin)
    again = twin.with_log(twin._dataset.log)
    assert len(loader) == len(again) > 0
    for batch, same in zip(list(loader), list(again)):
        assert_same_batch(batch, same)


@pytest.mark.parametrize("model", MODELS)
def test_other_users_batches_stay_as_they_were(rich, model):
    """Delete one interaction: each batch without its user is the same, masks and draws included."""
    loader = training(rich, model, train_batch_size=6)
    log = loader._dataset.log
    row = int(log.target_positions[7])
    perturbed, _ = perturb(log, "deletion", "file", rows=[row], rng=0)
    changed = epochs(loader.with_log(perturbed), 1)
    clean = epochs(loader, 1)
    same = 0
    for (batch, *draws), (twin, *twins) in zip(clean, changed):
        if int(log.user[row]) not in batch["user_id"].tolist():
            assert_same([(batch, *draws)], [(twin, *twins)])
            same += 1
    assert same > 5
    assert sum(len(batch) for batch, *_ in clean) == sum(len(batch) for batch, *_ in changed) + 1


def test_an_order_that_is_not_shuffled_is_recboles(rich):
    for order in ("stable", "recbole"):
        config = Config("SASRec", "rich", None, settings(rich, shuffle=False, shuffle_order=order))
        (_, parts, samplers), (_, stock, others) = our_parts(config), stock_parts(config)
        ours = InstanceLoader(config, parts[0], samplers[0], "base")
        assert_same_epoch(ours, stock_loader(config, stock[0], others[0]))


def test_a_perturbed_log_keeps_recboles_order(rich):
    """Under ``shuffle_order: recbole`` the rows that stay are in RecBole's order of instances."""
    loader = training(rich, shuffle_order="recbole", shuffle=False)
    log = loader._dataset.log
    deleted, _ = perturb(log, "deletion", ratio=0.2, rng=0)
    clean = torch.cat([batch[ROW_FIELD] for batch in loader])
    rows = torch.cat([batch[ROW_FIELD] for batch in loader.with_log(deleted)])
    assert rows.tolist() == [row for row in clean.tolist() if row in set(rows.tolist())]
    inserted, changes = perturb(log, "insertion", ratio=0.2, rng=0)
    rows = torch.cat([batch[ROW_FIELD] for batch in loader.with_log(inserted)])
    assert (
        len(rows) == len(clean) + changes.count
    )  # one before a user's first makes that an instance
    instances = set(clean.tolist())
    assert [row for row in rows.tolist() if row in instances] == clean.tolist()
