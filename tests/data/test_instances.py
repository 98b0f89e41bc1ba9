"""The view gives what RecBole's augmentation gives, batch by batch, on logs whose times 32 bits hold."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import recbole
import torch
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from recbole_finest.config.config import Config
from recbole_finest.data.instances import ROW_FIELD, Fields, InstanceView
from recbole_finest.data.loader import InstanceLoader
from recbole_finest.data.log_file import load_log, save_log
from recbole_finest.data.perturbation import KINDS, perturb
from tests.data.logs import assert_equal, logs, make_log
from tests.data.stock import (
    assert_same_batch,
    assert_same_epoch,
    our_parts,
    seed_all,
    settings,
    stock_loader,
    stock_parts,
    write_rich,
)

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # RecBole's
MASKS = ("Mask_item_id_list", "Pos_item_id", "Neg_item_id", "MASK_INDEX")
ML_100K = Path(recbole.__file__).parent / "dataset_example/ml-100k/ml-100k.inter"


def split(args, **more):
    return {"eval_args": {"split": args, "group_by": "user", "order": "TO", "mode": "full", **more}}


def bpr(sampling="uniform", **more):
    arguments = {"distribution": sampling, "sample_num": 2, "alpha": 1.0, "dynamic": False}
    return {"loss_type": "BPR", "train_neg_sample_args": arguments | {"candidate_num": 0}, **more}


KG_COLUMNS = {
    "inter": ["user_id", "item_id", "rating", "timestamp"],
    "kg": ["head_id", "relation_id", "tail_id"],
    "link": ["item_id", "entity_id"],
    "ent": ["ent_id", "ent_emb"],
}
KG = {
    "load_col": KG_COLUMNS,
    "alias_of_entity_id": ["ent_id"],
    "preload_weight": {"ent_id": "ent_emb"},
    "additional_feat_suffix": ["ent"],
}
CASES = {
    "plain": ("SASRec", {}),
    "items and users only": ("SASRec", {"load_col": {"inter": ["user_id", "item_id"]}}),
    "other names": ("SASRec", {"LIST_SUFFIX": "_seq", "ITEM_LIST_LENGTH_FIELD": "len"}),
    "long histories": ("SASRec", {"MAX_ITEM_LIST_LENGTH": 500}),
    "histories of one": ("SASRec", {"MAX_ITEM_LIST_LENGTH": 1}),
    "not shuffled": ("SASRec", {"shuffle": False}),
    "two workers": ("SASRec", {"worker": 2}),
    # models
    "item features": ("GRU4RecF", {"selected_features": ["class"]}),
    "whole columns": ("FEARec", {}),
    "masked": ("BERT4Rec", {}),
    "inverted": ("SHAN", {}),
    "labels": ("DIN", {}),
    "negatives beside": ("DIEN", {}),
    "knowledge graph": ("GRU4RecKG", KG),
    # splits
    "valid only": ("SASRec", split({"LS": "valid_only"})),
    "test only": ("SASRec", split({"LS": "test_only"})),
    "ratio": ("SASRec", split({"RS": [0.6, 0.2, 0.2]})),
    "ratio of all": ("SASRec", split({"RS": [0.6, 0.2, 0.2]}, group_by=None)),
    "point in time": ("SASRec", split({"TS": [0.6, 0.2, 0.2]})),
    "sampled evaluation": ("SASRec", split({"LS": "valid_and_test"}, mode="uni5")),
    "popular evaluation": ("SASRec", split({"LS": "valid_and_test"}, mode="pop5")),
    # filters
    "counts": (
        "SASRec",
        {"user_inter_num_interval": "[5,9]", "item_inter_num_interval": "[3,inf)"},
    ),
    "values": ("SASRec", {"val_interval": {"rating": "[2,5]"}}),
    "recent": ("SASRec", {"val_interval": {"timestamp": "[1000100,inf)"}}),
    "first of duplicates": ("SASRec", {"rm_dup_inter": "first"}),
    "last of duplicates": ("SASRec", {"rm_dup_inter": "last"}),
    # columns
    "normalised": ("SASRec", {"normalize_all": True}),
    "numerical": ("SASRec", {"numerical_features": ["price", "rating"]}),
    "buckets": (
        "SASRec",
        {
            "numerical_features": ["rating"],
            "discretization": {"rating": {"method": "ED", "bucket": 3}},
        },
    ),
    "threshold": ("SASRec", {"threshold": {"rating": 3}}),
    "dropped": ("SASRec", {"unused_col": {"inter": ["timestamp", "rating"]}}),
    "columns called like lists and lengths": (
        "SASRec",
        {"LIST_SUFFIX": "s", "ITEM_LIST_LENGTH_FIELD": "rating"},
    ),
    "short texts": ("SASRec", {"seq_len": {"tags": 2}}),
    # negatives
    "pairwise": ("SASRec", bpr()),
    "popular negatives": ("GRU4Rec", bpr("popularity", worker=2)),
}


def check(config, but=()):
    """All parts as a whole, two epochs of training, one of evaluation; returns the parts' sizes."""
    _, parts, samplers = our_parts(config)
    _, stock, stock_samplers = stock_parts(config)
    assert [len(part) for part in parts] == [len(part) for part in stock]
    for part, other in zip(parts, stock):
        if len(other):
            assert_same_batch(part[:], other[:])
    ours = InstanceLoader(config, parts[0], samplers[0], "base")
    theirs = stock_loader(config, stock[0], stock_samplers[0])
    for _ in range(2):
        assert_same_epoch(ours, theirs, but)
    for phase, i in (("valid", 1), ("test", 2)):
        if len(stock[i]):
            loaders = (stock_loader(config, part[i], samplers[i], phase) for part in (parts, stock))
            assert_same_epoch(*loaders)
    return [len(part) for part in parts]


def seeded(task):
    seed_all()
    return task()


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    return write_rich(tmp_path_factory.mktemp("rich"))


@pytest.fixture(scope="module")
def sorted_rich(tmp_path_factory):
    return write_rich(tmp_path_factory.mktemp("sorted"), in_order=True)


@pytest.mark.parametrize("case", CASES)
def test_same_as_recbole(case, rich, sorted_rich):
    model, changes = CASES[case]
    folder = sorted_rich if model == "DIEN" else rich  # else its negatives stand at other rows
    config = Config(
        model, "rich", None, settings(folder, **{"shuffle_order": "recbole", **changes})
    )
    sizes = check(config, MASKS if model == "BERT4Rec" else ())
    assert sizes[0] > 30


@pytest.mark.parametrize("seed", range(1, 5))
def test_same_as_recbole_on_generated_data(tmp_path, seed):
    folder = write_rich(tmp_path, seed, users=5 * seed, items=4 + 9 * seed)
    changes = {"MAX_ITEM_LIST_LENGTH": 2 * seed, "shuffle_order": "recbole"}
    sizes = check(Config("SASRec", "rich", None, settings(folder, **changes)))
    assert sizes[0] > 5 * seed  # training instances, each compared in check


@pytest.fixture(scope="module")
def movies(tmp_path_factory):
    """MovieLens 100K with whole numbers for times: their rank, or their rank within each user."""
    frame = pd.read_csv(ML_100K, sep="\t")
    folder = tmp_path_factory.mktemp("movies")
    order = frame["timestamp:float"].argsort(kind="stable").argsort()
    of_user = order.groupby(frame["user_id:token"]).rank().astype(int)
    for name, time in (("overall", order), ("of_user", of_user)):
        path = folder / name / f"{name}.inter"
        path.parent.mkdir()
        frame.assign(**{"timestamp:float": time}).to_csv(path, sep="\t", index=False)
    return folder


@pytest.mark.parametrize("name", ["overall", "of_user"])
@pytest.mark.parametrize("model, changes", [("SASRec", {}), ("NARM", split({"RS": [8, 1, 1]}))])
def test_same_as_recbole_on_movies(movies, name, model, changes):
    fixed = {"MAX_ITEM_LIST_LENGTH": 50, "train_batch_size": 512, "shuffle_order": "recbole"}
    few = {"user_inter_num_interval": "[20,24]"}
    assert check(Config(model, name, None, settings(movies, **fixed, **few, **changes)))[0] > 2000


def test_whole_columns_and_matrices_are_recboles(rich):
    config = Config("FEARec", "rich", None, settings(rich))
    (_, parts, _), (_, stock, _) = our_parts(config), stock_parts(config)
    for part, other in zip(parts, stock):
        assert set(part.inter_feat.interaction) == set(other.inter_feat.interaction)
        for name in other.inter_feat:
            assert_same_batch(part.inter_feat[name], other.inter_feat[name])
        assert (part.inter_matrix() != other.inter_matrix()).nnz == 0
        history = [seeded(one.history_item_matrix) for one in (part, other)]  # it shuffles
        assert all(torch.equal(one, two) for one, two in zip(*history))
        assert part.user_counter == other.user_counter


# The view itself --------------------------------------------------------------------------------------


def view_of(log, width=3):
    """A view with a token column and a sequence column, each value telling its clean row."""
    rows = torch.arange(log.n_clean)
    columns = {"timestamp": rows.float(), "pair": torch.stack([rows, rows + 1], 1)}
    lists = {f"{name}_list": column for name, column in columns.items()}
    fields = Fields(
        "user", "item", "timestamp", "length", "items", width, columns, lists, offset="offset"
    )
    return InstanceView(log, log.target_positions, fields)


def by_hand(log, position, width):
    """One instance, by a loop."""
    begin = position
    while begin and log.user[begin - 1] == log.user[position]:
        begin -= 1
    history = range(max(begin, position - width), position)
    pad = [0] * (width - len(history))
    place = log.place[list(history)].tolist()
    return {
        "user": log.user[position],
        "item": log.item[position],
        "timestamp": log.place[position],
        "pair": [log.place[position], log.place[position] + 1],
        "length": len(history),
        "items": log.item[list(history)].tolist() + pad,
        "timestamp_list": place + pad,
        "pair_list": [[p, p + 1] for p in place] + [[0, 0]] * len(pad),
        "offset": (log.time[list(history)] - log.time[begin]).tolist() + pad,
        ROW_FIELD: log.row[position],
    }


@limits(max_examples=150, deadline=None)
@given(
    log=logs(max_size=20),
    width=st.integers(1, 8),
    kinds=st.lists(st.sampled_from([k for k in KINDS if KINDS[k].selection is None]), max_size=3),
)
def test_instances_of_any_log(log, width, kinds):
    for seed, kind in enumerate(kinds):
        if len(log.train_positions):
            count = min(2, len(log.train_positions))
            log, _ = perturb(log, kind, count=count, rng=seed)
    view = view_of(log, width)
    batch = view.batch(range(len(view)))
    assert len(batch) == len(view)
    for i, position in enumerate(view.positions.tolist()):
        for name, value in by_hand(log, position, width).items():
            np.testing.assert_array_equal(batch[name][i].numpy(), value, name)
    for name in view:
        assert torch.equal(view[name], batch[name])


def test_a_view_is_indexed_like_an_interaction():
    view = view_of(make_log("1234", "56", "7"))
    whole = view.batch(slice(None))
    mask = torch.tensor([True, False, True, False])
    for index in ([2, 0], np.array([2, 0]), torch.tensor([2, 0]), range(1, 3), slice(1, 3), mask):
        expected = whole[index.tolist() if isinstance(index, torch.Tensor) else index]
        assert_same_batch(view.batch(index), expected)
        assert_same_batch(view[index].batch(slice(None)), expected)
    assert len(view[[]]) == len(view.batch([])) == 0
    assert view["items"].tolist() == [[1, 0, 0], [1, 2, 0], [1, 2, 3], [5, 0, 0]]
    assert "items" in view and "nothing" not in view
    with pytest.raises(TypeError, match="new column 'label'"):
        view["label"] = torch.zeros(4)
    view.drop("timestamp")
    assert "timestamp" not in view and "timestamp_list" in view[:2]
    with pytest.raises(KeyError):
        view["timestamp"]


def test_a_view_sorts_by_exact_times():
    log = make_log("12", "34", "56")
    log.time[:] = np.array([0, 16_777_217, 1, 16_777_216, 2, 16_777_217]) + 2.0**40
    view = view_of(log)
    view.sort("timestamp")
    assert view["item"].tolist() == [4, 2, 6]
    view.sort(["timestamp", "user"], ascending=[False, True])
    assert view["item"].tolist() == [6, 2, 4]  # RecBole turns equal ones round too


@pytest.mark.filterwarnings("error")
def test_a_log_is_read_from_disk_as_it_is_needed(tmp_path):
    log = make_log("1234", "56", "7", roles="tttetvt")
    perturbed, _ = perturb(log, "insertion", count=2, rng=0)
    for name, one in (("clean", log), ("perturbed", perturbed)):
        save_log(tmp_path / name, one)
        again = load_log(tmp_path / name)
        assert isinstance(again.item, np.memmap)
        assert_equal(again, one)
        assert again.keeps_rows == one.keeps_rows
        assert_same_batch(view_of(again).batch([0, 1]), view_of(one).batch([0, 1]))
