"""The command ``recommend``."""

from __future__ import annotations

import numpy as np
import pytest

from recbole_finest import Recommender
from recbole_finest.cli.main import main
from recbole_finest.evaluator.lists.readers import read_lists
from tests.serve.trained import interactions


def command(capsys, *words: str) -> tuple[int, str, str]:
    code = main(["recommend", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_help_names_every_setting(capsys):
    code, out, _ = command(capsys, "--help")
    assert code == 0
    for name in ("model_file", "output", "topk", "filter_seen", "dataset", "users", "histories"):
        assert f"--{name}" in out


@pytest.mark.parametrize("suffix", ["npz", "csv", "parquet", "trec"])
def test_everybody_from_their_whole_histories(gru_run, toy_path, tmp_path, capsys, suffix):
    output = tmp_path / f"lists.{suffix}"
    code, out, err = command(capsys, f"--model_file={gru_run}", f"--output={output}", "--topk=7")
    assert (code, out) == (0, f"lists of 7 items for 30 people: {output}\n")
    assert "error" not in err
    found = read_lists(output)
    histories = interactions(toy_path)
    expected = Recommender.load(gru_run).recommend(
        [[item for item, _ in histories[user]] for user in found.users], k=7
    )
    assert found.items.tolist() == expected.items
    np.testing.assert_allclose(found.scores, expected.scores, rtol=1e-6)


def test_named_people_without_what_they_have_seen(gru_run, toy_path, tmp_path, capsys):
    users, output = tmp_path / "users.txt", tmp_path / "lists.csv"
    users.write_text("u5\nu2\nnobody\n")
    words = [f"--model_file={gru_run}", f"--output={output}", f"--users={users}", "--filter_seen"]
    code, out, _ = command(capsys, *words)
    assert code == 0
    assert out.splitlines()[0] == f"people in '{users}' who are not in 'toy': 1"
    found = read_lists(output)
    assert found.users.tolist() == ["u5", "u2"]
    for user, items in zip(found.users, found.items):
        assert not {item for item, _ in interactions(toy_path)[user]} & set(items)
    users.write_text("nobody\n")
    code, _, err = command(capsys, *words)
    assert code == 2 and "of whom nobody (first: 'nobody') is in data set 'toy'" in err
    assert read_lists(output).users.tolist() == ["u5", "u2"]


def test_histories_of_a_file(caser_run, tmp_path, capsys):
    histories, output = tmp_path / "today.csv", tmp_path / "lists.npz"
    histories.write_text("user,item\nu3,i1\nu3,i2\nsue,i1\nsue,i2\nsue,x\ntom,x\n")
    words = [f"--model_file={caser_run}", f"--output={output}", f"--histories={histories}"]
    code, out, _ = command(capsys, *words, "--topk=50")
    assert code == 0 and out.splitlines() == [
        "people without an item that the model knows, left out: 1",
        "interactions with items that the model does not know: 2",
        "lists have 40 items, not 50: the model knows no more",
        "people unknown to model 'Caser', which reads users, for whom the average person stands: 1",
        f"lists of 40 items for 2 people: {output}",
    ]
    found = read_lists(output)
    expected = Recommender.load(caser_run).recommend([["i1", "i2"]] * 2, k=40, users=["u3", "sue"])
    assert found.users.tolist() == ["u3", "sue"] and found.items.tolist() == expected.items
    (tmp_path / "users.txt").write_text("sue\n")
    assert command(capsys, *words, f"--users={tmp_path / 'users.txt'}")[0] == 0
    assert read_lists(output).users.tolist() == ["sue"]


REFUSED = {
    "model_file is not set; give --model_file=PATH": {"model_file": None},
    "output is not set; give --output=PATH": {"output": None},
    "must end in one of .npz": {"output": "lists.xlsx"},
    "topk is 0, but must be a whole number": {"topk": "0"},
    "topk is 'ten', but must be a whole number": {"topk": "ten"},
    "filter_seen is 'yes', but must be True or False": {"filter_seen": "yes"},
    "users is 'absent', which is no file": {"users": "absent"},
    "histories is 'absent', which is no file": {"histories": "absent"},
    "checkpoint 'absent' does not exist": {"model_file": "absent"},
    "unknown setting 'tpok'; did you mean 'topk'?": {"tpok": "3"},
    "data set 'absent' is not at": {"dataset": "absent"},
    "config_files is for training": {"config_files": "a.yaml"},
    "none of the histories has an item that the model knows": {"histories": "unknown.csv"},
    "has no column item": {"histories": "wrong.csv"},
    "output is 'wrong.csv', which is read, too": {"output": "wrong.csv", "histories": "wrong.csv"},
}


@pytest.mark.parametrize("message", REFUSED)
def test_refusals_are_one_sentence_and_leave_nothing(
    gru_run, tmp_path, capsys, monkeypatch, message
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "unknown.csv").write_text("user,item\nann,x\nbob,y\n")
    (tmp_path / "wrong.csv").write_text("user,thing\nann,x\n")
    before = sorted(tmp_path.iterdir())
    given = {"model_file": str(gru_run), "output": "lists.csv", **REFUSED[message]}
    code, _, err = command(capsys, *(f"--{k}={v}" for k, v in given.items() if v is not None))
    assert code == 2 and message in err and err.startswith("error: ") and err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_others_keep_their_lists(gru_run, toy_path, tmp_path, capsys):
    """New lists for the named, yesterday's for all others, items that are gone from the log included."""
    users, output = tmp_path / "users.txt", tmp_path / "lists.npz"
    users.write_text("u5\nu2\n")
    before = tmp_path / "yesterday.csv"
    before.write_text("user,item,rank\nu2,i1,1\nu2,i2,2\nu7,gone,1\nu7,i3,2\nu5,i1,1\nu5,i4,2\n")
    words = [f"--model_file={gru_run}", f"--output={output}", f"--users={users}", "--topk=2"]
    code, out, _ = command(capsys, *words, f"--others={before}")
    assert code == 0 and f"people who keep their lists of '{before}': 1" in out
    found = read_lists(output)
    assert found.users.tolist() == ["u5", "u2", "u7"]
    histories = interactions(toy_path)
    anew = [[item for item, _ in histories[user]] for user in ("u5", "u2")]
    expected = Recommender.load(gru_run).recommend(anew, k=2).items
    assert found.items.tolist() == [*expected, ["gone", "i3"]]
    users.write_text("")  # nobody has news
    code, out, _ = command(capsys, *words, f"--others={before}")
    assert code == 0
    kept = read_lists(output)
    assert dict(zip(kept.users.tolist(), kept.items.tolist())) == {
        "u2": ["i1", "i2"],
        "u5": ["i1", "i4"],
        "u7": ["gone", "i3"],
    }


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("a,i1,1\n", "whose lists have 1 items and not 2; give a smaller --topk"),
        ("a,i1,1\na,i2,2\na#2,i1,1\na#2,i3,2\n", "has two lists for 'a'; give one list a person"),
    ],
)
def test_lists_that_cannot_be_kept(gru_run, tmp_path, capsys, rows, said):
    before, output = tmp_path / "yesterday.csv", tmp_path / "lists.npz"
    before.write_text("user,item,rank\n" + rows)
    words = [f"--model_file={gru_run}", f"--output={output}", "--topk=2", f"--others={before}"]
    code, _, err = command(capsys, *words)
    assert code == 2 and said in err and not output.exists()
