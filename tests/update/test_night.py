"""A night on toy data: what it leaves, what it says of people with and without news, and its control."""

import json
import shutil

import numpy as np
import pytest
import torch

from recbole_finest import UserError, update_model
from recbole_finest.evaluator.lists.ranklists import RankLists
from recbole_finest.evaluator.measures import measure_lists
from recbole_finest.serve.recommender import Recommender

from ..contract.stock import stock_checkpoint
from ..contract.toy_data import write_toy_data
from ..train.interrupted import Stop, same, stop_after
from .two_days import NEW_USERS, WITH_NEWS, rows_of, write_log

EXACT = pytest.approx(
    {"rbo@10": 1.0, "frbo@10": 1.0, "jaccard@10": 1.0, "averageoverlap@10": 1.0}, abs=1e-12
)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def night(deployed, dataset, folder, data_path, method="finest", **given):
    settings = {"data_path": str(data_path), "output_dir": str(folder), "overwrite": True}
    settings |= given.pop("settings", {})
    return update_model(deployed, dataset, method, config_dict=settings, **given)


def codes(lists, vocabulary):
    table = {token: code for code, token in enumerate(vocabulary)}
    return np.array([[table[t] if t else -1 for t in row] for row in lists.items])


def test_a_night_leaves_its_files_and_figures(days, deployed_run, tmp_path):
    folder = tmp_path / "tonight"
    result = night(deployed_run, "today", folder, days)
    assert json.loads((folder / "result.json").read_text()) == {
        k: v for k, v in result.items() if k != "output_dir"
    }
    found = result["update"]
    assert "collapsed" not in result
    assert found["method"] == "finest" and result["deployed"] == str(deployed_run / "finest.pth")
    assert (found["new_users"], found["new_items"]) == (2, 1)
    # three people's last two interactions of yesterday, and of each newcomer's four the first two
    assert found["new_interactions"] == 3 * 2 + 2 * 2
    assert found["people"] == {"all": 32, "without_news": 27, "with_news": 5}
    cost = found["cost"]
    assert cost["ratio"] == pytest.approx(cost["seconds"] / cost["retraining_seconds"])
    assert cost["cpu_seconds"] > 0
    assert cost["retraining"].startswith("estimated") and "2 epochs" in cost["retraining"]
    state = torch.load(folder / "model.pth", weights_only=True)
    assert state["stage"] == "fine-tuning" and state["base_epochs"] == 2
    assert len(state["tokens"]["user"]) == 33 and "new" in state["tokens"]["item"]
    for name in ("config.yaml", "instances.npz", "curves.json", "ranklists_unseen/updated.npz"):
        assert (folder / name).is_file()
    people = (folder / "people_with_news.txt").read_text().split()
    assert sorted(people) == sorted([*WITH_NEWS, *NEW_USERS])


def test_similarity_and_accuracy_are_those_of_the_lists(days, deployed_run, tmp_path):
    found = night(deployed_run, "today", tmp_path / "tonight", days)["update"]
    lists = [
        RankLists.load(tmp_path / f"tonight/ranklists/{n}.npz") for n in ("deployed", "updated")
    ]
    vocabulary = sorted(set(lists[0].vocabulary) | set(lists[1].vocabulary))
    one, other = (codes(part, vocabulary) for part in lists)
    values = measure_lists(one, other, ["jaccard"], [10], 0.9)["jaccard@10"]
    news = np.isin(lists[0].users, [*WITH_NEWS, *NEW_USERS])
    for group, chosen in {"all": news | True, "with_news": news, "without_news": ~news}.items():
        mean = found["similarity_to_deployed"][group]["jaccard@10"]
        assert mean == pytest.approx(values[chosen].mean()) and mean < 1
    for name, part in zip(("deployed", "updated"), lists):
        hits = (part.items[:, :10] == part.targets[:, None]).any(1)
        assert found["accuracy"][name]["hit@10"] == pytest.approx(hits.mean())
    assert "new" not in lists[0].vocabulary  # which the deployed model cannot recommend


def test_the_lists_that_hold_are_yesterdays_without_new_items(days, deployed_run, tmp_path):
    """The deployed model's lists for people without news are the ones that it gave yesterday."""
    night(deployed_run, "today", tmp_path / "tonight", days, "warm_start")
    then = RankLists.load(deployed_run / "ranklists/finest.npz")
    now = RankLists.load(tmp_path / "tonight/ranklists/deployed.npz")
    rows = {user: row for row, user in enumerate(now.users)}
    for row, user in enumerate(then.users):
        if user not in WITH_NEWS:
            assert now.items[rows[user]].tolist() == then.items[row].tolist()
            assert now.targets[rows[user]] == then.targets[row]


def test_retraining_on_the_same_log_gives_yesterdays_base_exactly(days, deployed_run, tmp_path):
    result = night(deployed_run / "base.pth", "toy", tmp_path / "again", days, "retrain")
    base = torch.load(deployed_run / "base.pth", weights_only=True)
    again = torch.load(tmp_path / "again/model.pth", weights_only=True)
    assert again["stage"] == "base" and again["fingerprint"] == base["fingerprint"]
    for name, weight in base["state_dict"].items():
        assert torch.equal(weight, again["state_dict"][name]), name
    assert result["update"]["similarity_to_deployed"]["all"] == EXACT
    assert result["update"]["similarity_to_deployed"]["with_news"] == {}
    assert result["update"]["cost"]["ratio"] == 1


def test_nothing_new_is_yesterdays_model(days, deployed_run, tmp_path):
    """In a file of another order, too, whose ids are others."""
    write_log(tmp_path, "turned", rows_of(days)[::-1])
    result = night(deployed_run, "turned", tmp_path / "tonight", tmp_path, "distillation")
    found = result["update"]
    assert found["similarity_to_deployed"]["all"] == EXACT
    assert found["accuracy"]["deployed"] == found["accuracy"]["updated"]
    assert found["cost"]["ratio"] == 0 and found["new_interactions"] == 0
    one = Recommender.load(deployed_run, data_path=str(days))
    other = Recommender.load(tmp_path / "tonight")
    history = [["i3", "i4"], ["i9"]]
    assert one.recommend(history, 5).items == other.recommend(history, 5).items
    assert one.recommend(history, 5).scores == other.recommend(history, 5).scores


def test_two_nights_in_a_chain(days, deployed_run, tmp_path):
    night(deployed_run, "today", tmp_path / "first", days)
    rows = rows_of(days, "today")
    write_log(tmp_path, "tomorrow", [*rows, "u1\tnewer\t2000001000", "u1\ti2\t2000001001"])
    result = night(tmp_path / "first", "tomorrow", tmp_path / "second", tmp_path)
    found = result["update"]
    assert result["deployed"] == str(tmp_path / "first/model.pth")
    assert (found["new_users"], found["new_items"], found["new_interactions"]) == (0, 1, 2)
    assert found["people"] == {"all": 32, "without_news": 31, "with_news": 1}
    assert torch.load(tmp_path / "second/model.pth", weights_only=True)["base_epochs"] == 2


@pytest.mark.parametrize(
    ("method", "setting"), [("finest", "finest_learning_rate"), ("retrain", "learning_rate")]
)
def test_collapsed_lists_are_said(days, deployed_run, tmp_path, caplog, method, setting):
    """Those of a wild learning rate; the night after, the deployed model is the one that has them."""
    wild = {setting: 10, "training_mode": "instance", "state": "WARNING"}
    night(deployed_run, "today", tmp_path / "wild", days, method, settings=wild)
    result = json.loads((tmp_path / "wild/result.json").read_text())
    assert set(result["collapsed"]) == {"updated"}
    how = result["collapsed"]["updated"]
    assert "32 of 32 test instances" in how
    assert f"tonight's model has collapsed: {how}." in caplog.text
    assert f"does not count; lower {setting}." in caplog.text
    assert "the deployed model has" not in caplog.text
    caplog.clear()
    later = night(tmp_path / "wild", "today", tmp_path / "later", days, "warm_start")
    assert "deployed" in later["collapsed"] and "32 of 32" in later["collapsed"]["deployed"]
    assert "the deployed model has collapsed: 32 of 32" in caplog.text
    assert "Similarity to it does not count; deploy another one." in caplog.text


def test_a_margin_that_was_given_one_night_is_kept(days, deployed_run, tmp_path):
    """As every other setting; the margin of a run is not, nor is one that no night was given."""
    nights = [({}, 0), ({"rank_margin": 0.2, "rank_weight": 7}, 0.2), ({}, 0.2), ({}, 0.2)]
    path = deployed_run  # of margin 0.1
    for number, (given, margin) in enumerate(nights):
        folder = tmp_path / f"night{number}"
        night(path, "today", folder, days, "warm_start", settings=given)
        written = torch.load(folder / "model.pth", weights_only=True)["config"]
        assert (written["rank_margin"], written["rank_weight"]) == (margin, 7 if number else 10)
        path = folder


def test_everything_is_trained_on_where_nothing_is_held_out(days, deployed_run, tmp_path):
    found = night(deployed_run, "today", tmp_path / "all", days, test="none")["update"]
    assert found["accuracy"] is None and found["people"]["all"] == 32
    rows = torch.load(tmp_path / "all/model.pth", weights_only=True)["rows"]
    assert len(rows) == len(rows_of(days, "today"))
    # tomorrow's test targets are then known to the deployed model, and the result says so
    later = night(tmp_path / "all", "today", tmp_path / "later", days, "warm_start")["update"]
    assert later["targets_deployed_had"] == 32


@pytest.mark.parametrize("method", ["distillation", "warm_start"])
def test_other_ways(days, deployed_run, tmp_path, method):
    found = night(deployed_run, "today", tmp_path / method, days, method)["update"]
    assert 0 < found["similarity_to_deployed"]["all"]["jaccard@10"] < 1


def test_anew_trains_a_base_first(days, deployed_run, tmp_path):
    night(deployed_run, "today", tmp_path / "anew", days, start="anew")
    retrained = night(deployed_run, "today", tmp_path / "re", days, "retrain")
    base = torch.load(tmp_path / "anew/base.pth", weights_only=True)["state_dict"]
    alone = torch.load(tmp_path / "re/model.pth", weights_only=True)["state_dict"]
    assert all(torch.equal(weight, alone[name]) for name, weight in base.items())
    assert retrained["update"]["method"] == "retrain"


def test_recboles_checkpoint(tmp_path):
    """It has no tokens: its ids, and what it was trained on, are those of the data set that it names."""
    folder = write_toy_data(tmp_path / "data")
    path = stock_checkpoint("SASRec", folder, tmp_path, epochs=30, learning_rate=0.01)
    header, *rows = (folder / "toy/toy.inter").read_text().splitlines()
    news = [f"u5\ti{i}\t3\t{10**9 + i}" for i in (7, 99)]
    (folder / "now").mkdir()
    (folder / "now/now.inter").write_text("\n".join([header, *rows[::-1], *news]) + "\n")
    result = night(path, "now", tmp_path / "tonight", folder, "warm_start")
    found = result["update"]
    assert (found["new_items"], found["new_interactions"]) == (1, 2)
    assert found["people"]["with_news"] == 1
    assert (result["shuffle_order"], result["seed"]) == ("stable", 7)
    shutil.move(folder / "toy", tmp_path / "elsewhere")
    with pytest.raises(UserError, match=r"no tokens.*toy\.inter'; put the files of then there"):
        night(path, "now", tmp_path / "tonight", folder)
    (folder / "toy").mkdir()
    turned = "\n".join([header, *rows[::-1]]) + "\n"
    (folder / "toy/toy.inter").write_text(turned)  # the same rows, other ids
    with pytest.raises(UserError, match="other ids, as from rows in another order"):
        night(path, "now", tmp_path / "tonight", folder)
    night(path, "now", tmp_path / "tonight", folder, "warm_start", check_ids=False)


@pytest.mark.parametrize("stage", ["base", "fine-tuning"])
def test_an_interrupted_update_goes_on_and_counts_its_seconds(
    days, deployed_run, tmp_path, monkeypatch, stage
):
    given = {"epochs": 2, "finest_epochs": 2, "overwrite": False}
    resumed = {**given, "resume": True}

    def made(folder, settings=given):
        return night(
            deployed_run, "today", tmp_path / folder, days, start="anew", settings=settings
        )

    whole = made("whole")
    with monkeypatch.context() as patch, pytest.raises(Stop):
        stop_after(patch, 0, stage)
        made("cut")
    cut = made("cut", resumed)
    again = made("cut", resumed)  # now the model is there
    assert 0 < cut["update"]["cost"]["seconds"] < again["update"]["cost"]["seconds"]
    for found in (cut, again):
        alike = found["update"]["similarity_to_deployed"]
        assert alike == whole["update"]["similarity_to_deployed"]
    one, other = (torch.load(tmp_path / f / "model.pth") for f in ("whole", "cut"))
    assert same(one, other) and one.keys() == other.keys()
    assert {p.name for p in (tmp_path / "cut").glob("*.pth")} == {"base.pth", "model.pth"}
