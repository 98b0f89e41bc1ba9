"""Which checkpoint, which settings, and whether its ids are those of the data set."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from recbole_finest import Recommender
from recbole_finest.compat import load_checkpoint
from recbole_finest.errors import UserError
from tests.contract.cases import write_own_model
from tests.contract.outside import WithSettings
from tests.contract.stock import stock_checkpoint
from tests.contract.toy_data import write_toy_data

from .trained import interactions, train

HISTORIES = [["i1", "i2", "i3"], ["i9"], ["i20", "i21", "i3", "i4"]]


def rewritten(source: Path, folder: Path, change) -> Path:
    """A copy of the toy data whose rows are ``change(rows)``."""
    path = source / "toy" / "toy.inter"
    header, *rows = path.read_text().splitlines()
    (folder / "toy").mkdir(parents=True)
    (folder / "toy" / "toy.inter").write_text("\n".join([header, *change(rows)]) + "\n")
    return folder


@pytest.fixture(scope="module")
def shuffled(toy_path, tmp_path_factory):
    """The same rows from the last to the first: all ids are others."""
    return rewritten(toy_path, tmp_path_factory.mktemp("shuffled"), lambda rows: rows[::-1])


def test_ids_are_joined_by_token(caser_run, shuffled):
    expected = Recommender.load(caser_run)
    found = Recommender.load(caser_run, data_path=str(shuffled))
    assert found.dataset.field2id_token["item_id"][1] != expected.vocabulary.items[1]
    assert found.vocabulary.same(expected.vocabulary)
    users = ["u1", "u29", "stranger"]
    one, two = (r.recommend(HISTORIES, users=users) for r in (expected, found))
    assert one == two
    (whole,), (other,) = (list(r.stream(r.whole_histories(), 5)) for r in (expected, found))
    by_user = {user: row.tolist() for user, row in zip(other.users, other.items)}
    assert [by_user[user] for user in whole.users] == whole.items.tolist()


def test_another_log_with_other_people_and_items(caser_run, toy_path, tmp_path):
    def today(rows):
        new = [f"newcomer\ti{n}\t{10**9 + n}" for n in range(5)]
        new += [f"u1\tfresh\t{2 * 10**9}", f"lost\tfresh\t{10**9}", f"lost\tfresh\t{10**9 + 1}"]
        return new + [row for row in rows if not row.startswith(("u7\t", "u8\t"))]

    path = rewritten(toy_path, tmp_path, today)
    expected, found = Recommender.load(caser_run), Recommender.load(caser_run, data_path=str(path))
    assert found.recommend(HISTORIES, users=["u7", "u1", "x"]) == expected.recommend(
        HISTORIES, users=["u7", "u1", "x"]
    )
    (part,) = found.whole_histories()
    unknown = dict(zip(part.users, part.unknown.tolist()))
    assert unknown["u1"] == 1 and unknown["lost"] == 2 and sum(unknown.values()) == 3
    (lists,) = found.stream([part], 10)
    assert "lost" not in lists.users and "u7" not in lists.users
    assert lists.users[lists.strangers].tolist() == ["newcomer"]
    same = expected.recommend([[f"i{n}" for n in range(5)]]).items[0]
    row = lists.users.tolist().index("newcomer")
    assert found.vocabulary.items[lists.items[row]].tolist() == same
    mine = [item for item, _ in interactions(toy_path)["u1"]]
    row = lists.users.tolist().index("u1")
    expected_items = expected.recommend([mine], users=["u1"]).items[0]
    assert found.vocabulary.items[lists.items[row]].tolist() == expected_items


def test_features_are_not_joined(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = write_toy_data(tmp_path / "data")
    path = train("SASRecF", tmp_path / "run", source, hidden_size=8)
    Recommender.load(path)
    log = source / "toy" / "toy.inter"
    header, *rows = log.read_text().splitlines()
    log.write_text("\n".join([header, *rows[::-1]]) + "\n")
    with pytest.raises(UserError, match="'SASRecF' reads features, whose ids would differ"):
        Recommender.load(path)


@pytest.fixture(scope="module")
def stock(tmp_path_factory):
    """RecBole's own checkpoint of SASRec, and its data."""
    folder = tmp_path_factory.mktemp("stock")
    data = write_toy_data(folder / "data")
    settings = {"epochs": 30, "learning_rate": 0.01, "eval_step": 1}
    return stock_checkpoint("SASRec", data, folder, **settings), data


def test_recboles_checkpoint_is_taken_where_it_reaches_its_validation_score(stock, tmp_path):
    path, data = stock
    kept = load_checkpoint(path)["best_valid_score"]
    assert kept > 0.3  # MRR@10 of a model that has learnt the cycle
    histories = [[f"i{n}", f"i{n + 1}", f"i{n + 2}"] for n in range(20)]
    found = Recommender.load(path).recommend(histories, k=3).items
    assert np.mean([f"i{n + 3}" in items for n, items in enumerate(found)]) > 0.7

    reverse = tmp_path / "reverse"
    shutil.copytree(data, reverse)
    rows = (data / "toy" / "toy.inter").read_text().splitlines()
    (reverse / "toy" / "toy.inter").write_text("\n".join([rows[0], *rows[:0:-1]]) + "\n")
    message = rf"had mrr@10 {kept:.4f} in validation, but has 0\.\d+ .* other ids"
    with pytest.raises(UserError, match=message):
        Recommender.load(path, data_path=str(reverse))
    nonsense = Recommender.load(path, data_path=str(reverse), check_ids=False)
    found = nonsense.recommend(histories, k=3).items
    assert np.mean([f"i{n + 3}" in items for n, items in enumerate(found)]) < 0.4


def test_recboles_checkpoint_without_a_score_over_all_items(tmp_path):
    """DIN is validated by the AUC over sampled items, which says little of the order of ids."""
    data = write_toy_data(tmp_path / "data")
    negatives = {"distribution": "uniform", "sample_num": 1}
    path = stock_checkpoint("DIN", data, tmp_path, train_neg_sample_args=negatives, epochs=1)
    with pytest.raises(UserError, match="neither tokens nor a validation score over all items"):
        Recommender.load(path)
    found = Recommender.load(path, check_ids=False).recommend(HISTORIES, k=5)
    assert [len(items) for items in found.items] == [5, 5, 5]


def test_weights_alone_say_nothing_of_their_ids(gru_run, toy_path, tmp_path):
    bare = tmp_path / "bare.pth"
    state = load_checkpoint(gru_run / "finest.pth")
    torch.save(state["state_dict"], bare)
    with pytest.raises(UserError, match="does not say its model; give --model=NAME"):
        Recommender.load(bare)
    with pytest.raises(UserError, match="does not say its data set; give --dataset=NAME"):
        Recommender.load(bare, model="GRU4Rec")
    given = {"dataset": "toy", "data_path": str(toy_path), "MAX_ITEM_LIST_LENGTH": 8}
    with pytest.raises(UserError, match="carries neither tokens nor a validation score"):
        Recommender.load(bare, model="GRU4Rec", **given)
    found = Recommender.load(bare, model="GRU4Rec", check_ids=False, **given)
    assert found.recommend(HISTORIES) == Recommender.load(gru_run).recommend(HISTORIES)
    with pytest.raises(UserError, match="does not fit model 'GRU4Rec'"):
        Recommender.load(bare, model="GRU4Rec", check_ids=False, hidden_size=8, **given)
    # one of ours from before it carried tokens
    del state["tokens"]
    torch.save(state, bare)
    assert Recommender.load(bare).recommend(HISTORIES) == found.recommend(HISTORIES)


def test_damaged_tokens(gru_run, tmp_path):
    state = load_checkpoint(gru_run / "finest.pth")
    path = tmp_path / "damaged.pth"
    for tokens in ({"user": ["a"]}, 3, {"user": ["[PAD]", "a"], "item": ["[PAD]", "x", "x"]}):
        torch.save({**state, "tokens": tokens}, path)
        with pytest.raises(UserError, match="tokens are damaged"):
            Recommender.load(path)
    tokens = {name: part[:-1] for name, part in state["tokens"].items()}
    torch.save({**state, "tokens": tokens}, path)
    with pytest.raises(UserError, match=r"does not fit model 'GRU4Rec' .* size mismatch"):
        Recommender.load(path)


def test_a_class_of_ones_own_is_imported_only_when_it_is_named(toy_path, tmp_path, monkeypatch):
    write_own_model(tmp_path, "served_pkg")
    monkeypatch.syspath_prepend(str(tmp_path))
    name = "served_pkg.my_module:MyModel"
    path = train(name, tmp_path / "run", toy_path)
    with pytest.raises(UserError, match=f"trained with the class '{name}'.*give --model={name}"):
        Recommender.load(path)
    found = Recommender.load(path, model=name)
    assert len(found.recommend(HISTORIES).items[0]) == 10
    with pytest.raises(UserError, match="was trained with model=MyModel, not GRU4Rec"):
        Recommender.load(path, model="GRU4Rec")


def test_recboles_checkpoint_of_a_class_of_ones_own_when_it_is_named(toy_path, tmp_path):
    """Its weights and its own settings: what full sorting by RecBole's model gives."""
    sizes = {"n_layers": 1, "n_heads": 2, "hidden_dropout_prob": 0.3, "contrast": "un"}
    columns = {"inter": ["user_id", "item_id", "timestamp"]}
    path = stock_checkpoint(
        WithSettings, toy_path, tmp_path, loss_type="CE", load_col=columns, **sizes
    )
    with pytest.raises(UserError, match=r"contains 'tests\.contract\.outside\.WithSettings'"):
        Recommender.load(path)
    found = Recommender.load(path, model="tests.contract.outside:WithSettings")
    assert found.config["contrast"] == "un" and found.config["loss_type"] == "CE"
    weights = load_checkpoint(path, model=WithSettings)["state_dict"]
    assert all(torch.equal(weights[n], w) for n, w in found.scorer.model.state_dict().items())


def test_paths_without_a_model(gru_run, tmp_path):
    with pytest.raises(UserError, match=r"is a folder without any of model"):
        Recommender.load(tmp_path)
    with pytest.raises(UserError, match="checkpoint 'nowhere"):
        Recommender.load("nowhere.pth")
    with pytest.raises(UserError, match="unknown setting 'eval_bach_size'"):
        Recommender.load(gru_run, eval_bach_size=3)
    with pytest.raises(UserError, match="data set 'absent' is not at"):
        Recommender.load(gru_run, "absent", data_path=str(tmp_path))


def test_the_final_model_of_a_folder(gru_run, tmp_path):
    for name in ("base", "finest", "model"):
        shutil.copy(
            gru_run / ("base.pth" if name == "base" else "finest.pth"), tmp_path / f"{name}.pth"
        )
        served = Recommender.load(tmp_path).recommend(HISTORIES)
        assert served == Recommender.load(tmp_path / f"{name}.pth").recommend(HISTORIES)
    base, finest = (
        Recommender.load(gru_run / f"{n}.pth").recommend(HISTORIES) for n in ("base", "finest")
    )
    assert not np.array_equal(base.scores[0], finest.scores[0])
