"""A replay of toy data: what it leaves, that it continues, and that its figures are its lists'."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from recbole_finest import UserError
from recbole_finest.evaluator.lists.ranklists import RankLists
from recbole_finest.rolling.replay import rolling
from recbole_finest.rolling.request import Request

from ..conftest import write_toy
from ..full_disk import Disk

METHODS = ["keep", "finest:rank_weight=2"]
SETTINGS = {"epochs": 2, "finest_epochs": 1, "MAX_ITEM_LIST_LENGTH": 8, "train_batch_size": 64}


def replay(folder, data_path, methods=METHODS, **changed):
    request = Request(["GRU4Rec"], "toy", 2, methods, output_dir=str(folder), topk=5, **changed)
    given = {**SETTINGS, "reference_k": 5, "data_path": str(data_path)}
    return rolling(request, config_dict=given)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A log whose people come at different times, so that some have no news."""
    folder = write_toy(tmp_path_factory.mktemp("data"))
    path = folder / "toy/toy.inter"
    log = pd.read_csv(path, sep="\t")
    user = log["user_id:token"].str[1:].astype(int)
    log["timestamp:float"] += 400 * (user % 3)
    log.to_csv(path, sep="\t", index=False)
    return folder


@pytest.fixture(scope="module")
def made(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("replay") / "all"
    return folder, replay(folder, data)


def lists_of(folder, method, night):
    lists = RankLists.load(folder / f"GRU4Rec/2020/{method}/{night}/lists.npz")
    return dict(zip(lists.users.tolist(), lists.items.tolist()))


def test_records_are_all_there(made):
    folder, found = made
    assert json.loads((folder / "records.json").read_text()) == found
    keys = [(r["method"], r["served"], r["night"]) for r in found["records"]]
    served = {"retrain": 2, "keep": 1, "finest:rank_weight=2": 2}
    assert len(set(keys)) == len(keys) == 2 * sum(served.values())
    retrained = [r for r in found["records"] if r["method"] == "retrain"]
    assert all(r["cost"] == 1 and r["seconds"] > 0 for r in retrained)
    assert [r["drift"] for r in retrained if r["served"] == "everybody"] == [0, 0]
    state = torch.load(folder / "GRU4Rec/2020/finest-rank_weight=2/2/model.pth", weights_only=True)
    assert state["config"]["rank_weight"] == 2 and state["base_epochs"] == 2


def test_figures_are_those_of_the_lists(made, data):
    """The second night of finest by sets and loops, from its files and the log."""
    folder, found = made
    (record,) = [
        r
        for r in found["records"]
        if (r["method"], r["served"], r["night"]) == ("finest:rank_weight=2", "everybody", 2)
    ]
    log = pd.read_csv(data / "toy/toy.inter", sep="\t").set_axis(["user", "item", "time"], axis=1)
    known = [len(pd.read_csv(folder / f"data/toy-{n}/toy-{n}.inter", sep="\t")) for n in range(3)]
    times = np.sort(log.time)
    news = set(log.user[(log.time > times[known[1] - 1]) & (log.time <= times[known[2] - 1])])
    future = log[log.time > times[known[2] - 1]]
    before, now = (lists_of(folder, "finest-rank_weight=2", night) for night in (1, 2))
    moved = {u: 1 - len({*before[u]} & {*now[u]}) / 5 for u in before}
    quiet = [moved[u] for u in moved if u not in news]
    assert quiet and record["churn_without_news"] == pytest.approx(np.mean(quiet))
    loud = [moved[u] for u in moved if u in news]
    assert loud and record["churn_with_news"] == pytest.approx(np.mean(loud))
    recall = [
        len(set(items) & set(now[user])) / items.nunique()
        for user, items in future.groupby("user").item
        if user in now
    ]
    assert record["recall"] == pytest.approx(np.mean(recall)) and record["people"] == len(recall)


def test_keep_shows_the_first_model(made):
    _, found = made
    kept = [r for r in found["records"] if r["method"] == "keep"]
    assert [r["churn_without_news"] for r in kept] == [0, 0]
    assert [r["seconds"] for r in kept] == [0, 0]


def test_it_continues_and_grows(made, data, tmp_path):
    folder, found = made
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "records.json").unlink()
    night = copy / "GRU4Rec/2020/finest-rank_weight=2/2"
    (night / "seconds.json").unlink()  # as if killed in that night
    kept = (copy / "GRU4Rec/2020/retrain/1/model.pth").stat().st_mtime_ns
    again = replay(copy, data, [*METHODS, "warm_start"])
    assert (copy / "GRU4Rec/2020/retrain/1/model.pth").stat().st_mtime_ns == kept
    same = [r for r in again["records"] if r["method"] != "warm_start"]

    def timeless(records):
        return [{k: v for k, v in r.items() if k not in ("seconds", "cost")} for r in records]

    assert timeless(same) == timeless(found["records"])
    assert {r["method"] for r in again["records"]} >= {"warm_start"}


def test_a_config_file_counts_by_what_it_sets(data, tmp_path):
    """A comment changes nothing, a value does."""
    file, request = tmp_path / "s.yaml", Request(["GRU4Rec"], "toy", 1, ["keep"], topk=5)
    request = replace(request, output_dir=str(tmp_path / "replay"))
    given = {"data_path": str(data), "reference_k": 5}
    file.write_text("epochs: 1\nMAX_ITEM_LIST_LENGTH: 8\n")
    first = rolling(request, [str(file)], given)
    file.write_text("# smaller\nMAX_ITEM_LIST_LENGTH: 8\nepochs: 1\n")
    assert rolling(request, [str(file)], given) == first
    file.write_text("epochs: 2\nMAX_ITEM_LIST_LENGTH: 8\n")
    with pytest.raises(UserError, match="holds a replay with other settings"):
        rolling(request, [str(file)], given)


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"start": 0.6}, "holds a replay with other start"), ({}, "holds other files")],
)
def test_other_folders_are_left_alone(made, data, tmp_path, changed, said):
    folder = made[0]
    if not changed:
        folder = tmp_path / "mine"
        folder.mkdir()
        (folder / "notes.txt").write_text("mine")
    before = sorted(p.name for p in folder.iterdir())
    with pytest.raises(UserError, match=said):
        replay(folder, data, **changed)
    assert sorted(p.name for p in folder.iterdir()) == before


def test_settings_of_a_method_are_checked_first(data, tmp_path):
    with pytest.raises(UserError, match="rank_weigt"):
        replay(tmp_path / "new", data, ["finest:rank_weigt=2"])
    with pytest.raises(UserError, match="finest_epochs"):
        replay(tmp_path / "new", data, ["finest:finest_epochs=-1"])
    assert not (tmp_path / "new").exists()


def test_a_full_disk_is_one_sentence_and_the_folder_stays_a_replays(data, tmp_path):
    for room, file in ((0, "rolling.json"), (1500, "data/toy-0/toy-0.inter"), (1500, "data/")):
        with pytest.raises(UserError) as caught, Disk(room).mounted():
            replay(tmp_path / "all", data)
        said = (
            f"output_dir '{tmp_path / 'all'}' cannot be written: No space left on device ('{file}"
        )
        assert str(caught.value).startswith(said)
        assert str(caught.value).endswith(
            "; make room, then give the same command, which continues"
        )
