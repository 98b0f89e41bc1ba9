"""The order of training: complete, reproducible, and disturbed by a perturbation only where it must be."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from recbole_finest.config.config import Config
from recbole_finest.data.instances import ROW_FIELD
from recbole_finest.data.loader import InstanceLoader, PackedLoader
from recbole_finest.data.log import InteractionLog
from recbole_finest.data.order import StableOrder
from recbole_finest.data.perturbation import KINDS, perturb
from recbole_finest.seeding import token_keys
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


def batch_of(log, size, epoch=0, seed=0, stage="base", count=None):
    """The batch of each training interaction, by user, item and time, and its place in the batch."""
    targets = log.target_positions
    order = StableOrder(len(targets) if count is None else count, size, seed, stage)
    found = {}
    for b, batch in enumerate(order.batches(log.keys[targets], epoch)):
        for place, position in enumerate(targets[batch].tolist()):
            what = (int(log.user[position]), int(log.item[position]), float(log.time[position]))
            found.setdefault(what, []).append((b, place))
    return found


@limits(max_examples=100, deadline=None)
@given(log=logs(), size=st.integers(1, 9), epoch=st.integers(0, 3))
def test_an_epoch_has_every_instance_once(log, size, epoch):
    targets = log.target_positions
    order = StableOrder(len(targets), size, seed=0, stage="base")
    batches = order.batches(log.keys[targets], epoch)
    assert len(batches) == len(order) == max(1, round(len(targets) / size))
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(targets)))


@limits(max_examples=200, deadline=None)
@given(
    log=logs(min_train=2),
    size=st.integers(1, 6),
    kinds=st.lists(
        st.sampled_from([k for k in KINDS if KINDS[k].selection is None]), min_size=1, max_size=3
    ),
    data=st.data(),
)
def test_rows_that_come_or_go_leave_the_others_in_their_batches(log, size, kinds, data):
    perturbed = log
    for kind in kinds:
        if len(perturbed.train_positions):
            count = data.draw(st.integers(1, min(3, len(perturbed.train_positions))))
            perturbed, _ = perturb(perturbed, kind, count=count, rng=0)
    n = len(log.target_positions)  # the same number of batches; another is the next test's
    clean, changed = batch_of(log, size, count=n), batch_of(perturbed, size, count=n)
    equal = [
        Counter(zip(*(getattr(one, c).tolist() for c in ("user", "item", "time"))))
        for one in (log, perturbed)
    ]
    for what in clean.keys() & changed.keys():
        if all(count[what] == 1 for count in equal):  # equal rows stand for one another
            assert clean[what][0][0] == changed[what][0][0]


def test_one_more_batch_takes_its_share_and_moves_no_other():
    keys = token_keys(range(20_000))
    was = StableOrder(20_000, 100, 0, "base").batches(keys, 3)
    now = StableOrder(20_100, 100, 0, "base").batches(keys, 3)
    assert (len(was), len(now)) == (200, 201)
    stayed = sum(np.isin(now[b], was[b]).sum() for b in range(200))
    assert len(now[200]) == 20_000 - stayed == pytest.approx(100, abs=40)
    assert all(np.isin(now[b], was[b]).all() for b in range(200))
    sizes = np.array([len(batch) for batch in was])
    assert sizes.mean() == 100 and sizes.std() == pytest.approx(10, rel=0.2)  # as by chance


def test_the_batches_are_those_of_the_rows_in_any_file():
    """Ids, rows and their order differ; tokens and times do not."""
    log = make_log("1234567891234", "5678912345678")
    users, items = token_keys(["[PAD]", "ann", "bob"]), token_keys(range(10))
    one = log.with_keys(users, items)
    swap = np.array([0, 2, 1])
    other = InteractionLog.from_columns(
        swap[log.user], 10 - log.item.astype(int), log.time, log.role, 3, 10
    ).with_keys(users[swap], np.append(items[:1], items[:0:-1]))
    first = {(u, i, t): b for (u, i, t), b in batch_of(one, 4).items()}
    second = {(int(swap[u]), 10 - i, t): b for (u, i, t), b in batch_of(other, 4).items()}
    assert first == second and len({b for found in first.values() for b, _ in found}) > 2


def test_rows_that_agree_in_everything_have_keys_of_their_own():
    log = make_log("111")
    same = replace(log, time=np.zeros(3), _cache={})
    assert len(set(same.keys.tolist())) == 3
    shorter, _ = perturb(same, "deletion", "file", rows=[1], rng=0)
    assert set(shorter.keys.tolist()) <= set(same.keys.tolist())


def test_seed_stage_and_epoch_change_the_order():
    log = make_log("1234567891234", "5678912345678")
    ways = [(0, "base", 0), (1, "base", 0), (0, "fine-tuning", 0), (0, "base", 1)]
    found = [batch_of(log, 4, e, s, g) for s, g, e in ways]
    assert all(found[i] != found[j] for i in range(4) for j in range(i))
    assert found[0] == batch_of(log, 4)


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
