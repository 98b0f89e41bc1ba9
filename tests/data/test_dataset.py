"""Data sets: exact order of time, roles, the papers' split."""

import numpy as np
import pytest
import torch

from recbole_finest import run_finest
from recbole_finest.config.config import Config
from recbole_finest.data.log import TEST, TRAIN, VALID, time_order
from recbole_finest.data.perturbation import perturb
from recbole_finest.data.prepare import prepare
from tests.data.logs import FOURSQUARE
from tests.data.mini import LAST, PAPER, history, items_of, load, refusal, write

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # RecBole's


# Order ------------------------------------------------------------------------------------------------


def test_times_that_collide_in_32_bits_stay_in_order(tmp_path):
    times = [1_500_000_000 + step for step in (3, 1, 2, 0)]
    assert len({np.float32(t) for t in times}) == 1
    data = load(write(tmp_path, [f"u {i} {t}" for i, t in zip("dbca", times)]))
    assert items_of(data) == ["a", "b", "c", "d"]
    assert data.log.time.tolist() == sorted(times)
    assert items_of(load(write(tmp_path, ["u a 0.1", "u c 0.3", "u b 0.2", "u d 7"]))) == list(
        "abcd"
    )


def test_equal_times_keep_the_order_of_the_file(tmp_path):
    rows = ["u b 5", "v a 5", "u a 5", "v b 5", "u c 5", "u a 1", "v c 5"]
    data = load(write(tmp_path, rows))
    assert items_of(data) == ["a", "b", "a", "c", "a", "b", "c"]


@pytest.mark.parametrize("step", [1.0, 0.1, 1e300, 2.0**60])
def test_time_order_is_that_of_two_keys(step):
    rng = np.random.default_rng(0)
    user, time = rng.integers(1, 9, 500), rng.integers(-20, 20, 500) * step
    np.testing.assert_array_equal(time_order(user, time), np.lexsort((time, user)))


def test_time_order_tells_halves_of_large_numbers_apart():
    time = np.array([-(2.0**51), 0.25, 0.0, 2.0**51, 2.0**51 - 0.5])
    assert time_order(np.ones(5, int), time).tolist() == [0, 2, 1, 4, 3]


def test_normalised_times_are_kept_exactly(tmp_path):
    data = load(write(tmp_path, history(5, start=10**9)), normalize_all=True)
    assert data.log.time.tolist() == [10**9 + i for i in range(5)]
    assert data.train[:]["timestamp"].tolist() == [0.25, 0.5]


def test_ids_that_look_like_numbers_are_names(tmp_path):
    data = load(write(tmp_path, ["1 7 0", "01 07 1", "1 7.0 2", "1 007 3", "01 7 4", "1 1e1 5"]))
    tokens = data.dataset.field2id_token
    assert tokens["user_id"].tolist() == ["[PAD]", "1", "01"]
    assert tokens["item_id"].tolist() == ["[PAD]", "7", "07", "7.0", "007", "1e1"]


# Roles and perturbed logs ------------------------------------------------------------------------------


def test_roles_follow_the_split(tmp_path):
    data = load(
        write(tmp_path, [*history(4, "u"), *history(2, "v"), *history(1, "w"), *history(3, "x")])
    )
    u, v, w, x = [TRAIN, TRAIN, VALID, TEST], [TRAIN, TRAIN], [TRAIN], [TRAIN, TRAIN, TEST]
    assert data.log.role.tolist() == u + v + w + x
    assert data.log.row.tolist() == list(range(10))
    for part, role in ((data.train, TRAIN), (data.valid, VALID), (data.test, TEST)):
        positions = part.inter_feat.positions
        assert (part.log.role[positions] == role).all()
        assert part.log is part.clean_log is data.log
    assert data.dataset.log is data.log


def test_a_perturbed_log_gives_a_training_set_with_the_same_ids(tmp_path):
    data = load(write(tmp_path, [*history(6, "u"), *history(6, "v")]))
    log, _ = perturb(data.log, "deletion", "file", rows=[2, 3], rng=0)
    train = data.train.with_log(log)
    batch = train[:]
    assert batch["item_id"].tolist() == [2, 2, 3, 4]
    assert batch["item_id_list"][:, :3].tolist() == [[1, 0, 0], [1, 0, 0], [1, 2, 0], [1, 2, 3]]
    assert batch["finest_row"].tolist() == [1, 7, 8, 9]
    assert len(data.train) == 6 and len(train) == 4
    assert (train.item_num, train.user_num) == (data.train.item_num, data.train.user_num)
    assert train.log is log and train.clean_log is data.log
    assert data.train.log is data.log
    assert data.test[:]["item_id_list"].tolist() == [[1, 2, 3, 4, 5]] * 2  # stays clean
    longer, _ = perturb(log, "insertion", "file", "unpopular", rows=[0], rng=0)
    again = train.with_log(longer)[:]
    assert again["finest_row"].tolist() == [0, 1, 7, 8, 9]
    assert again["timestamp"].tolist() == [0, 1, 1, 2, 3]


# The papers' split -------------------------------------------------------------------------------------


def test_the_last_share_of_each_user_is_test(tmp_path):
    rows = [*history(8, "u"), *history(3, "v", 50), *history(4, "w", 20), *history(11, "x", 5)]
    data = load(write(tmp_path, rows), **LAST)
    u, v, w, x = (
        [TRAIN] * 6 + [TEST] * 2,
        [TRAIN] * 3,
        [TRAIN] * 3 + [TEST],
        [TRAIN] * 9 + [TEST] * 2,
    )
    assert data.log.role.tolist() == u + v + w + x
    assert [len(part) for part in (data.train, data.valid, data.test)] == [5 + 2 + 2 + 8, 0, 5]
    assert data.valid_loader() is None
    # grouped by user in order of their first instance, as RecBole's splits are
    assert data.train[:]["user_id"].unique_consecutive().tolist() == [1, 4, 3, 2]


@pytest.mark.parametrize("ratio", [0.29, np.float64(0.29)])  # 28.999… in binary
def test_a_share_is_read_as_the_decimal_it_prints_as(tmp_path, ratio):
    rows = [f"u i{i} {i}" for i in range(100)]
    split = {"split": {"last_ratio": ratio}, "order": "TO", "mode": "full"}
    assert len(load(write(tmp_path, rows), eval_args=split).test) == 29


@pytest.mark.parametrize("ratio", [0, 1, 1.5, -0.1, "half", None, True])
def test_a_share_that_is_none_is_refused(tmp_path, ratio):
    split = {"split": {"last_ratio": ratio}, "order": "TO", "mode": "full"}
    assert "last_ratio is" in refusal(write(tmp_path, history(9)), eval_args=split)


def test_the_papers_split_drops_small_users(tmp_path):
    rows = [*history(9, "u"), *history(10, "v"), *history(25, "w")]
    data = load(write(tmp_path, rows), [PAPER])
    assert data.log.n_users - 1 == 2
    assert len(data.test) == 3 and len(data.valid) == 0


def test_without_validation_base_trains_every_epoch_and_keeps_the_last_weights(toy, tmp_path):
    fixed = {**toy, "perturbation_ratio": 0, "finest_epochs": 0, "stopping_step": 1}
    weights = []
    for epochs in (2, 3):
        where = {"epochs": epochs, "output_dir": str(tmp_path / str(epochs))}
        result = run_finest("GRU4Rec", "toy", [PAPER], {**fixed, **where, "baselines": []})
        assert result["epochs"]["base"] == epochs
        state = torch.load(tmp_path / str(epochs) / "base.pth", weights_only=True)["state_dict"]
        weights.append(state["item_embedding.weight"])
    assert not torch.equal(*weights)


@pytest.mark.slow
def test_the_papers_split_of_foursquare():
    if not FOURSQUARE.exists():
        pytest.skip("the Foursquare data are not at hand")
    path = {"data_path": str(FOURSQUARE.parents[1]), "state": "WARNING"}
    data = prepare(Config("SASRec", "foursquare", [PAPER], path))
    assert data.log.n_users - 1 == 2106
    assert len(data.test) == 18340 and len(data.valid) == 0
