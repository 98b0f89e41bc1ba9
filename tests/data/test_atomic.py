"""Loading atomic files: what is refused in words, ids and columns as they stand in the file."""

import io

import pandas as pd
import pytest

from recbole_finest.config.config import Config
from recbole_finest.data.dataset import create_dataset
from recbole_finest.errors import UserError
from tests.data.mini import history, items_of, load, refusal, write
from tests.data.stock import settings, write_atomic

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # RecBole's


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
    table = pd.read_csv(io.StringIO("\n".join(["name", *names])))  # None is a name to pandas 1
    lost = ", ".join(sorted(name for name, gone in zip(names, table["name"].isna()) if gone))
    assert lost in ("N/A, NA, None, nan, null", "N/A, NA, nan, null")
    assert f"'user_id' of 'mini.inter' has the names {lost}" in caplog.text
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
