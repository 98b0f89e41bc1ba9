"""Where files are: splits that stand in them, names near a data set's."""

from pathlib import Path

import numpy as np
import pytest

from recbole_finest import run_finest
from recbole_finest.config.config import Config
from recbole_finest.data.dataset import create_dataset
from recbole_finest.data.log import TEST, TRAIN, VALID, InteractionLog
from recbole_finest.errors import UserError
from tests.data.mini import LAST, history, load, refusal, write
from tests.data.stock import settings, write_atomic

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # RecBole's


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
