"""Loading: exact order of time, roles, the papers' split, and what is refused in words."""

from pathlib import Path

import numpy as np
import pytest
import torch

from recbole_finest import run_finest
from recbole_finest.config.config import Config
from recbole_finest.config.settings import properties_dir
from recbole_finest.data.dataset import create_dataset
from recbole_finest.data.log import TEST, TRAIN, VALID, InteractionLog, time_order
from recbole_finest.data.perturbation import perturb
from recbole_finest.data.prepare import prepare
from recbole_finest.errors import UserError
from tests.data.logs import FOURSQUARE
from tests.data.stock import settings, write_atomic

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # RecBole's
PAPER = properties_dir() / "benchmark" / "paper_split.yaml"
LAST = {"eval_args": {"split": {"last_ratio": 0.25}, "order": "TO", "mode": "full"}}


def write(folder, rows, header=("user_id:token", "item_id:token", "timestamp:float")):
    """Write rows of text, words apart, as the data set ``mini``."""
    columns = list(zip(*(row.split(" ") for row in rows)))
    write_atomic(folder / "mini" / "mini.inter", dict(zip(header, columns)))
    return folder


def load(folder, files=None, **changes):
    return prepare(Config("SASRec", "mini", files, settings(folder, **changes)))


def history(n, user="u", start=0):
    """``n`` interactions of one user with items a, b, … at times from ``start`` on."""
    return [f"{user} {chr(97 + i)} {start + i}" for i in range(n)]


def refusal(folder, **changes):
    with pytest.raises(UserError) as error:
        load(folder, **changes)
    return str(error.value)


def items_of(data, log=None):
    log = log or data.log
    return data.dataset.field2id_token["item_id"][log.item].tolist()


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


def test_a_share_is_read_as_the_decimal_it_prints_as(tmp_path):
    rows = [f"u i{i} {i}" for i in range(100)]
    split = {"split": {"last_ratio": 0.29}, "order": "TO", "mode": "full"}  # 28.999… in binary
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


# What is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize("time", ["nan", "inf", "-inf", ""])
def test_times_that_are_no_numbers_are_named(tmp_path, time):
    words = refusal(write(tmp_path, [*history(3, "u"), f"v a {time}", *history(3, "w")]))
    assert "'timestamp' has 1 values that are no finite number (first: of user 'v')" in words


def test_a_file_that_is_no_atomic_file(tmp_path):
    words = refusal(write(tmp_path, [*history(3), "u a soon"]))
    assert "cannot be read as RecBole atomic files" in words and "timestamp:float" in words


def test_a_missing_data_set(tmp_path):
    with pytest.raises(UserError, match=r"'mini' is not at '.*mini\.inter'"):
        create_dataset(Config("SASRec", "mini", None, settings(tmp_path)))


@pytest.mark.parametrize(
    "header, words",
    [
        (["user_id:token", "item_id:token", "rating:float"], "no column 'timestamp' (TIME_FIELD)"),
        (["user:token", "item_id:token", "timestamp:float"], "no column 'user_id' (USER_ID_FIELD)"),
        (["user_id:token", "item:token", "timestamp:float"], "no column 'item_id' (ITEM_ID_FIELD)"),
        (["user_id:token", "item_id:token", "timestamp:token"], "write 'timestamp:float'"),
    ],
)
def test_missing_columns_are_named(tmp_path, header, words):
    assert words in refusal(write(tmp_path, history(4), header))


def test_nothing_left_after_filtering(tmp_path):
    write(tmp_path, history(4))
    assert "filter" in refusal(tmp_path, user_inter_num_interval="[9,inf)")
    assert "filter" in refusal(tmp_path, val_interval={"timestamp": "[100,inf)"})


def test_users_with_one_interaction(tmp_path):
    write(tmp_path, ["u a 0", "v b 1", "w c 2"])
    words = refusal(tmp_path)
    assert "no user of data set 'mini' has two interactions" in words
    assert "user_inter_num_interval" in words
    data = load(write(tmp_path, ["u a 0", *history(4, "v"), "w c 2"]))
    assert [len(part) for part in (data.train, data.valid, data.test)] == [1, 1, 1]


def test_one_user(tmp_path):
    data = load(write(tmp_path, history(6)))
    assert [len(part) for part in (data.train, data.valid, data.test)] == [3, 1, 1]
    split = {"split": {"RS": [0, 0, 1]}, "order": "TO", "mode": "full"}
    assert "no training instance" in refusal(tmp_path, eval_args=split)


def test_an_empty_file(tmp_path):
    path = tmp_path / "mini" / "mini.inter"
    path.parent.mkdir()
    path.write_text("user_id:token\titem_id:token\ttimestamp:float\n")
    assert "mini" in refusal(tmp_path)
    path.write_text("")
    assert "mini" in refusal(tmp_path)


def test_no_test_instance(tmp_path):
    split = {"split": {"LS": "valid_only"}, "order": "TO", "mode": "full"}
    assert "no test instance" in refusal(write(tmp_path, history(5)), eval_args=split)


@pytest.mark.parametrize(
    "split, words",
    [
        ({"split": {"XX": 1}, "order": "TO"}, "XX"),
        ({"split": {"LS": "best"}, "order": "TO"}, "best"),
        ({"split": {"RS": 0.8}, "order": "TO"}, "list"),
        ({"split": {"RS": [0.8, 0.2]}, "order": "TO"}, "three"),
        ({"split": {"RS": ["a", "b", "c"]}, "order": "TO"}, "RS"),
        ({"split": {"TS": [0, 0, 1]}, "order": "TO"}, "division"),
        ({"split": {"LS": "test_only", "RS": [8, 1, 1]}, "order": "TO"}, "LS"),
        ({"split": {"LS": "valid_and_test"}, "order": "RO"}, "TO"),
    ],
)
def test_splits_that_do_not_exist(tmp_path, split, words):
    answer = refusal(write(tmp_path, history(5)), eval_args={**split, "mode": "full"})
    assert "split" in answer and words in answer


# Splits that stand in the files -----------------------------------------------------------------------

PARTS = ("train", "valid", "test")
PRESPLIT = {"benchmark_filename": list(PARTS)}
GIVEN = {
    "train": ["u b 2", "u a 1", "v a 1", "w c 5", "u d 9", "x a 1"],
    "valid": ["u c 3", "v b 4", "y a 2"],
    "test": ["u e 10", "v c 5", "v d 6", "x b 2"],
}


def write_parts(folder, parts=GIVEN, name="mini"):
    for part, rows in parts.items():
        columns = zip(*(row.split(" ") for row in rows))
        names = ("user_id:token", "item_id:token", "timestamp:float")
        write_atomic(folder / name / f"{name}.{part}.inter", dict(zip(names, columns)))
    return folder


def instances(part):
    """``user: history > target`` of every instance, in the order of the part."""
    users, items = (part.field2id_token[n] for n in ("user_id", "item_id"))
    return [
        f"{users[user]}: {' '.join(items[history[:length]])} > {items[item]}"
        for user, item, history, length in zip(
            *(part[:][n].numpy() for n in ("user_id", "item_id", "item_id_list", "item_length"))
        )
    ]


def test_files_that_are_split_already_are_taken_as_they_are(tmp_path, caplog):
    """An instance has all that its user did before, whatever file it stands in."""
    data = load(write_parts(tmp_path), **PRESPLIT, state=None)
    assert instances(data.train) == ["u: a > b", "u: a b c > d"]
    assert instances(data.valid) == ["u: a b > c", "v: a > b"]
    assert instances(data.test) == ["u: a b c d > e", "v: a b > c", "v: a b c > d", "x: a > b"]
    by_role = {
        role: sorted(
            zip(data.log.user[data.log.role == role], data.log.time[data.log.role == role])
        )
        for role in (TRAIN, VALID, TEST)
    }
    assert [len(by_role[role]) for role in (TRAIN, VALID, TEST)] == [6, 3, 4]
    assert sorted(t for _, t in by_role[VALID]) == [2.0, 3.0, 4.0]
    assert "1 of 3 rows of valid are their users' first" in caplog.text


def test_a_run_on_split_files_is_that_on_the_same_split(tmp_path):
    """Leave-one-out by hand into files gives the model of leave-one-out by setting."""
    rows = [f"u{u} i{(u + s * s) % 11} {100 * u + s}" for u in range(8) for s in range(4 + u % 4)]
    whole = load(write(tmp_path, rows))
    names = {TRAIN: "train", VALID: "valid", TEST: "test"}
    found = {name: [] for name in PARTS}
    for user, item, time, role in zip(
        *(getattr(whole.log, n) for n in ("user", "item", "time", "role"))
    ):
        tokens = whole.dataset.field2id_token
        row = f"{tokens['user_id'][user]} {tokens['item_id'][item]} {time:.0f}"
        found[names[role]].append(row)
    split = load(write_parts(tmp_path, found), **PRESPLIT)
    for part in PARTS:
        assert instances(getattr(split, part)) == sorted(instances(getattr(whole, part)))
    assert len(split.train.inter_feat) == len(split.log.target_positions)


def test_ready_made_histories_are_refused_before_they_are_loaded(tmp_path):
    path = tmp_path / "mini"
    for part in PARTS:
        columns = {
            "user_id:token": ["u"],
            "item_id:token": ["b"],
            "item_id_list:token_seq": ["a"],
            "timestamp:float": ["no number"],
        }
        write_atomic(path / f"mini.{part}.inter", columns)
    words = refusal(tmp_path, **PRESPLIT)
    assert "mini.train.inter' has the column 'item_id_list'" in words
    assert "one interaction a row" in words


def test_ready_made_histories_in_one_file_are_refused(tmp_path):
    header = ("user_id:token", "item_id:token", "timestamp:float", "item_id_list:token_seq")
    write(tmp_path, ["u b 1 a", "u c 2 b"], header)
    assert "has the column 'item_id_list'" in refusal(tmp_path)  # load_col is null: all columns
    load(write(tmp_path, history(5)))


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"benchmark_filename": ["train", "dev", "test"]}, "mini.dev.inter' does not exist"),
        ({"benchmark_filename": ["train", "test"]}, "must be a list of three names"),
        ({**PRESPLIT, "user_inter_num_interval": "[5,inf)"}, "user_inter_num_interval is given"),
        ({**PRESPLIT, **LAST}, "eval_args: {split: …} is given"),
    ],
)
def test_settings_that_split_files_do_not_have(tmp_path, changes, words):
    write_parts(tmp_path)
    assert words in refusal(tmp_path, **changes)


def test_a_run_from_the_command(tmp_path, toy):
    """On files of the toy data set, the last two interactions of everybody held out."""
    lines = Path(toy["data_path"], "toy", "toy.inter").read_text().splitlines()[1:]
    rows: dict[str, list[str]] = {}
    for line in lines:
        rows.setdefault(line.split("\t")[0], []).append(" ".join(line.split("\t")))
    parts = {
        "train": [row for user in rows.values() for row in user[:-2]],
        "valid": [user[-2] for user in rows.values()],
        "test": [user[-1] for user in rows.values()],
    }
    folder = str(write_parts(tmp_path / "split", parts, "toy"))
    result = run_finest("GRU4Rec", "toy", config_dict={**toy, "data_path": folder, **PRESPLIT})
    whole = run_finest("GRU4Rec", "toy", config_dict={**toy, "output_dir": "other"})
    assert result["training_mode"] == whole["training_mode"] == "packed"
    for what in ("accuracy", "stability"):
        for name, values in whole[what].items():
            assert result[what][name] == pytest.approx(values, abs=1e-12)


# Names ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, wanted", [("ml100k", "ml-100k"), ("min", "mini"), ("ml1m", "ml-1m")]
)
def test_a_name_near_a_data_sets_is_suggested(tmp_path, name, wanted):
    write(tmp_path, history(5))
    with pytest.raises(UserError, match=f"did you mean '{wanted}'\\?"):
        create_dataset(Config("SASRec", name, None, settings(tmp_path)))


def test_a_name_near_none(tmp_path):
    with pytest.raises(UserError, match="put its atomic file there, or set data_path"):
        create_dataset(Config("SASRec", "qwertyuiop", None, settings(tmp_path)))


def test_an_empty_log_has_its_columns():
    empty = np.zeros(0, int)
    log = InteractionLog.from_columns(empty, empty, empty)
    assert len(log) == len(log.train_positions) == len(log.target_positions) == 0
    assert log.user_begin.tolist() == [0, 0]


# Ids and columns as they stand in the file -------------------------------------------------------------


def test_ids_that_pandas_takes_for_missing_are_names(tmp_path, caplog):
    names = ["NA", "null", "nan", "None", "N/A", "u"]
    rows = [f"{user} {item} {time}" for user in names for time, item in enumerate(["NA", *"abc"])]
    folder = write(tmp_path, rows)
    write_atomic(
        folder / "mini" / "mini.item",
        {"item_id:token": ["a", "NA", "b", "c"], "price:float": [1, 2, 3, 4]},
    )
    columns = {"inter": ["user_id", "item_id", "timestamp"], "item": ["item_id", "price"]}
    data = load(folder, load_col=columns, state="WARNING")
    tokens = data.dataset.field2id_token
    assert len(data.log) == 24
    assert tokens["user_id"].tolist() == ["[PAD]", *names]
    assert tokens["item_id"].tolist() == ["[PAD]", "NA", "a", "b", "c"]
    assert data.dataset.item_feat["price"].tolist()[1:] == [2, 1, 3, 4]
    assert "'user_id' of 'mini.inter' has the names N/A, NA, None, nan, null" in caplog.text
    assert "'item_id' of 'mini.item' has the name NA" in caplog.text


def test_a_row_without_an_id_is_still_left_out(tmp_path):
    data = load(write(tmp_path, [*history(4), *history(4, "NA"), " a 9", "u  9"]))
    assert len(data.log) == 8
    assert data.dataset.field2id_token["user_id"].tolist() == ["[PAD]", "u", "NA"]


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path):
    folder = write(tmp_path, history(5))
    file = folder / "mini" / "mini.inter"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert items_of(load(folder)) == list("abcde")


@pytest.mark.parametrize("column", ["item_length:float", "item_length:token"])
def test_a_column_named_like_the_lengths_of_histories_does_not_replace_them(tmp_path, column):
    rows = [f"{row} {90 + k}" for k, row in enumerate(history(5))]
    header = ("user_id:token", "item_id:token", "timestamp:float", column)
    data = load(write(tmp_path, rows, header))
    assert data.train[:]["item_length"].tolist() == [1, 2]
    assert data.test[:]["item_length"].tolist() == [4]


@pytest.mark.parametrize("suffix", ["item", "user"])
def test_a_feature_named_like_the_lengths_of_histories_is_refused(tmp_path, suffix):
    folder = write(tmp_path, history(5))
    ids = list("abcde") if suffix == "item" else ["u"]
    features = {f"{suffix}_id:token": ids, "item_length:float": [90] * len(ids)}
    write_atomic(folder / "mini" / f"mini.{suffix}", features)
    words = refusal(folder)
    assert f"mini.{suffix}" in words and "'item_length'" in words
    assert "ITEM_LIST_LENGTH_FIELD" in words
    data = load(folder, ITEM_LIST_LENGTH_FIELD="history_length")
    assert data.train[:]["history_length"].tolist() == [1, 2]
    assert data.train[:]["item_length"].tolist() == [90, 90]
