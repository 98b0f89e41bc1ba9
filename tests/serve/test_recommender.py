"""Lists for any history: what the run's own lists say, and what they cannot say."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
import torch

from recbole_finest import Recommender
from recbole_finest.compat import load_checkpoint
from recbole_finest.errors import UserError
from recbole_finest.evaluator.lists.ranklists import RankLists
from recbole_finest.serve.instances import instances_of
from tests.contract.cases import OWN_MODULE, write_own_model
from tests.contract.toy_data import write_toy_data

from .trained import interactions, train


@pytest.fixture(scope="module")
def recommender(gru_run):
    return Recommender.load(gru_run)


def split(toy_path, users=None):
    """Users, their histories before the test interaction, and what they have altogether."""
    whole = {user: [item for item, _ in part] for user, part in interactions(toy_path).items()}
    users = list(whole) if users is None else users.tolist()
    return users, [whole[user][:-1] for user in users], [whole[user] for user in users]


@pytest.mark.parametrize("name", ["finest", "base"])
def test_lists_of_a_run_are_its_test_lists(gru_run, toy_path, name):
    expected = RankLists.load(gru_run / f"ranklists/{name}.npz")
    users, histories, whole = split(toy_path, expected.users)
    assert sorted(users) == sorted(f"u{n}" for n in range(30))
    assert expected.targets.tolist() == [items[-1] for items in whole]
    path = gru_run if name == "finest" else gru_run / "base.pth"
    found = Recommender.load(path).recommend(histories, k=20, users=users)
    assert found.items == expected.items.tolist()
    assert np.array_equal(np.array(found.scores, np.float32), expected.scores)


def test_lists_without_seen_items_are_those_of_the_run(gru_run, recommender, toy_path):
    expected = RankLists.load(gru_run / "ranklists_unseen/finest.npz")
    users, histories, _ = split(toy_path, expected.users)
    found = recommender.recommend(histories, k=10, users=users, filter_seen=True)
    assert found.items == expected.items.tolist()


def test_seen_items_are_left_out_and_the_others_keep_their_order(recommender):
    history = ["i1", "i2", "i3", "i4"]
    whole = recommender.recommend([history], k=40)
    shown = recommender.recommend([history], k=40, filter_seen=True)
    assert len(whole.items[0]) == 40 and set(history) < set(whole.items[0])
    assert shown.items[0] == [item for item in whole.items[0] if item not in history]
    assert len(shown.scores[0]) == 36
    longer = recommender.recommend([[f"i{n}" for n in range(12)]], k=40, filter_seen=True)
    assert set(longer.items[0]) == {f"i{n}" for n in range(12, 40)}  # also before the last 8


def test_unknown_items_are_skipped_and_counted(recommender):
    known = recommender.recommend([["i5", "i6"]], k=5)
    found = recommender.recommend([["new", "i5", 7, "i6", "[PAD]"], ["new"], [], ["i5", "i6"]], k=5)
    assert found.items == [known.items[0], [], [], known.items[0]]
    assert found.scores[1] == [] and len(found) == 4
    assert found.unknown == [3, 1, 0, 0]
    assert found.notes == [
        "histories without an item that the model knows, whose lists are empty: 2 of 4 (the first is "
        "number 1)"
    ]
    assert recommender.recommend([["new"]]).items == [[]]
    assert recommender.recommend([]).items == []


def test_whole_numbers_are_tokens_too(recommender):
    assert recommender.vocabulary.item_ids(["i3", "3"]).tolist()[1] == 0
    assert recommender.recommend([[3, "i3"]]).unknown == [1]


def test_only_the_last_interactions_are_read(recommender):
    long = [f"i{n}" for n in range(20)]
    one, other = recommender.recommend([long, long[-8:]]).scores
    assert one == other


def test_more_items_than_there_are(recommender):
    found = recommender.recommend([["i1"]], k=100)
    assert sorted(found.items[0]) == sorted(f"i{n}" for n in range(40))
    assert found.notes == ["lists have 40 items, not 100: the model knows no more"]


def test_times_sort_a_history(recommender):
    one = recommender.recommend([["i3", "i1", "i2"]], times=[[30, 10, 20]])
    assert one.scores == recommender.recommend([["i1", "i2", "i3"]]).scores


def test_lists_do_not_depend_on_their_batch(gru_run, recommender, toy_path):
    _, histories, _ = split(toy_path)
    whole = recommender.recommend(histories, k=5)
    small = Recommender.load(gru_run, eval_batch_size=7).recommend(histories, k=5)
    np.testing.assert_allclose(small.scores, whole.scores, rtol=1e-4, atol=1e-5)


def test_the_bound_on_scores_makes_batches_smaller(gru_run, recommender):
    assert recommender.config["eval_batch_size"] == 4096
    bounded = Recommender.load(gru_run, score_memory=1, list_depth=20)
    assert bounded.config["eval_batch_size"] == 2**20 // (2 * 4 * 41)


def test_whole_histories_are_all_that_the_data_set_has(recommender, toy_path):
    users, _, whole = split(toy_path)
    (part,) = recommender.whole_histories()
    (found,) = recommender.stream([part], k=10)
    assert part.users.tolist() == users == found.users.tolist()
    assert part.length.tolist() == [len(items) for items in whole]
    expected = recommender.recommend(whole, k=10, users=users)
    assert recommender.vocabulary.items[found.items].tolist() == expected.items
    assert found.scores.tolist() == expected.scores
    (some,) = recommender.whole_histories(np.array([3, 1]))
    assert some.users.tolist() == [users[2], users[0]]
    assert (
        some.items[: some.begin[1]].tolist() == part.items[part.begin[2] : part.begin[3]].tolist()
    )


def test_whole_histories_come_in_parts(recommender, monkeypatch):
    (whole,) = recommender.whole_histories()
    monkeypatch.setattr("recbole_finest.serve.histories.AT_A_TIME", 30)
    parts = list(recommender.whole_histories())
    assert len(parts) > 5 and all(len(part.items) <= 30 for part in parts)
    for name in ("users", "items", "times", "rows", "unknown"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        assert np.array_equal(joined, getattr(whole, name)), name


def test_a_part_is_freed_before_the_next_but_one(recommender, monkeypatch):
    """Without the garbage collector, which may not come for gigabytes of arrays."""
    monkeypatch.setattr("recbole_finest.serve.histories.AT_A_TIME", 30)
    alive = []

    def watched(*arguments):
        part = instances_of(*arguments)
        alive.append(weakref.ref(part.inter_feat.log))
        return part

    monkeypatch.setattr("recbole_finest.serve.recommender.instances_of", watched)
    gc.disable()
    try:
        for _ in recommender.stream(recommender.whole_histories(), 5):
            assert sum(log() is not None for log in alive) <= 2
    finally:
        gc.enable()
    assert len(alive) > 5


def test_the_average_person_stands_for_people_whom_the_model_does_not_know(caser_run):
    before = load_checkpoint(caser_run / "finest.pth")["state_dict"]["user_embedding.weight"]
    recommender = Recommender.load(caser_run)
    assert recommender.reads_users
    after = recommender.scorer.model.user_embedding.weight
    torch.testing.assert_close(after[0], before[1:].mean(0))
    assert torch.equal(after[1:], before[1:])
    history = ["i1", "i2", "i3"]
    found = recommender.recommend([history] * 4, users=["u1", "u2", "stranger", None])
    one, two, stranger, nobody = found.scores
    assert one != two != stranger == nobody
    assert found.notes == [
        "people unknown to model 'Caser', which reads users, for whom the average person stands: 2"
    ]
    assert recommender.recommend([history], users=["u1"]).notes == []


def test_models_without_users_say_nothing_of_strangers(recommender):
    assert not recommender.reads_users
    found = recommender.recommend([["i1"], ["i1"]], users=["u1", "stranger"])
    assert found.scores[0] == found.scores[1] and found.notes == []


def test_tisasrec_counts_a_strangers_times_in_their_own_unit(toy_path, tmp_path):
    path = train("TiSASRec", tmp_path / "run", toy_path, hidden_size=16, time_span=8, epochs=8)
    recommender = Recommender.load(path)
    user, history = "u3", [0, 7, 21, 23, 90]
    items = [[f"i{n}" for n in (1, 2, 3, 4, 9)]]
    times = [[1e9 + 60 * t for t in history]]
    unit = recommender.scorer.model.interval_unit
    unit[recommender.vocabulary.user_ids([user])] = 120  # their own smallest gap
    known = recommender.recommend(items, users=[user], times=times)
    stranger = recommender.recommend(items, times=times)
    assert stranger.scores == known.scores
    faster = recommender.recommend(items, times=[[t / 10 for t in history]])
    assert faster.items == known.items
    even = recommender.recommend(items, times=[[0, 1, 2, 3, 4]])
    assert even.scores != known.scores
    with pytest.raises(UserError, match="'TiSASRec' reads the times of interactions"):
        recommender.recommend(items)


def test_other_columns_are_there_for_the_data_sets_own_people_alone(tmp_path, monkeypatch):
    """A model of one's own that weighs items by their ratings, worked by hand."""
    weighed = "(self.items(interaction[self.ITEM_SEQ]) * interaction['rating_list'][..., None])"
    module = OWN_MODULE.replace("self.items(interaction[self.ITEM_SEQ])", weighed)
    monkeypatch.setattr("tests.contract.cases.OWN_MODULE", module)
    write_own_model(tmp_path, "rated_pkg")
    monkeypatch.syspath_prepend(str(tmp_path))
    data, name = write_toy_data(tmp_path / "data"), "rated_pkg.my_module:MyModel"
    columns = {"inter": ["user_id", "item_id", "rating", "timestamp"]}
    path = train(name, tmp_path / "run", data, load_col=columns, training_mode="instance")
    recommender = Recommender.load(path, model=name)
    (found,) = recommender.stream(recommender.whole_histories(), k=30)
    rows = [line.split("\t") for line in (data / "toy/toy.inter").read_text().splitlines()[1:]]
    weight = recommender.scorer.model.items.weight.detach()
    for user, ids, scores in zip(found.users[:5], found.items, found.scores):
        last = [(item, float(rating)) for one, item, rating, _ in rows if one == user][-8:]
        items = recommender.vocabulary.item_ids([item for item, _ in last])
        mean = (weight[items] * torch.tensor([[rating] for _, rating in last])).mean(0)
        np.testing.assert_allclose(scores, (weight @ mean)[ids].numpy(), rtol=1e-4, atol=1e-5)
    with pytest.raises(UserError, match="'MyModel' reads 'rating_list' of interactions"):
        recommender.recommend([["i1"]])


def test_an_ensemble_is_loaded(toy_path, tmp_path):
    path = train("GRU4Rec", tmp_path / "run", toy_path, baselines=["ensemble"], ensemble_size=2)
    expected = RankLists.load(path / "ranklists/ensemble.npz")
    users, histories, _ = split(toy_path, expected.users)
    found = Recommender.load(path / "ensemble.pth").recommend(histories, k=20, users=users)
    assert found.items == expected.items.tolist()


def test_loading_leaves_the_random_streams_alone(gru_run):
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    Recommender.load(gru_run)
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])


def test_what_recommend_refuses(recommender):
    for k in (0, -1, 2.5, True, "10"):
        with pytest.raises(UserError, match=r"topk is .* whole number of at least 1"):
            recommender.recommend([["i1"]], k=k)
    with pytest.raises(UserError, match="not the string 'i1'"):
        recommender.recommend(["i1"])
    with pytest.raises(UserError, match="1 users for 2 histories"):
        recommender.recommend([["i1"], ["i2"]], users=["u1"])
    with pytest.raises(UserError, match="one for each item"):
        recommender.recommend([["i1", "i2"]], times=[[1]])
    with pytest.raises(UserError, match="no finite number"):
        recommender.recommend([["i1"]], times=[[float("nan")]])
