"""Every kind and selection on real data: MovieLens 100K, which ships with RecBole."""

import numpy as np
import pytest

from recbole_finest.config.config import Config
from recbole_finest.data.log import TRAIN
from recbole_finest.data.perturbation import KINDS, SELECTIONS, perturb
from recbole_finest.data.prepare import prepare

AMOUNTS = {"user": {"count": 3}, "file": {"rows": "drawn"}}


@pytest.fixture(scope="module")
def movies():
    return prepare(Config("SASRec", "ml-100k", None, {"state": "WARNING"}))


@pytest.mark.filterwarnings("ignore::FutureWarning")  # RecBole's
@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_and_selection(movies, kind, selection):
    log = movies.log
    amount = AMOUNTS.get(selection, {"ratio": 0.005})
    if selection == "file":
        amount = {"rows": np.random.default_rng(0).choice(log.train_positions, 500, False)}
    perturbed, changes = perturb(log, kind, selection, max_seq_len=50, rng=0, **amount)
    n = len(log.train_positions)
    if selection == "user":
        promised = int(np.isin(log.user[log.train_positions], np.unique(changes.user)).sum())
        assert len(np.unique(changes.user)) == 3
    else:
        promised = 500 if selection == "file" else int(n * 0.005)
    assert changes.count == promised > 0
    assert len(perturbed) == len(log) + KINDS[kind].adds * promised
    assert (log.role[changes.row] == TRAIN).all()
    assert (perturbed.n_users, perturbed.n_items) == (log.n_users, log.n_items)
    assert perturbed.item.min() >= 1 and perturbed.item.max() < log.n_items
    held, was_held = perturbed.role != TRAIN, log.role != TRAIN
    for name in ("user", "item", "time", "row", "role"):
        np.testing.assert_array_equal(getattr(perturbed, name)[held], getattr(log, name)[was_held])
    training = movies.train.with_log(perturbed)
    assert len(training) == len(perturbed.target_positions)
    batch = training[:5]
    assert batch["item_id_list"].shape == (5, 50)
