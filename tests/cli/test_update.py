"""The command ``update``: what it prints, its exit codes, and that nothing is half-written."""

import json

import pytest

from recbole_finest.cli.main import main
from recbole_finest.cli.update import summary

from ..update.two_days import days, rows_of, train, write_log  # noqa: F401


@pytest.fixture(scope="module")
def yesterday(days, tmp_path_factory):  # noqa: F811
    """A finished run of GRU4Rec on yesterday's log."""
    return train("GRU4Rec", tmp_path_factory.mktemp("runs") / "run", days)


@pytest.fixture
def words(days, yesterday, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.chdir(tmp_path)
    return [
        f"--deployed={yesterday}",
        f"--data_path={days}",
        f"--output_dir={tmp_path / 'new'}",
        "--state=ERROR",
    ]


def test_a_night(words, tmp_path, capsys):
    given = ["--dataset=today", "--method=finest", "--finest_epochs", "1"]
    assert main(["update", *given, *words]) == 0
    said = capsys.readouterr().out
    found = json.loads((tmp_path / "new/result.json").read_text())["update"]
    rows = {line.split("  ")[0]: line.split() for line in said.splitlines()}
    for group, name in {"all": "all", "without_news": "without news"}.items():
        jaccard = found["similarity_to_deployed"][group]["jaccard@10"]
        assert rows[name][-1] == f"{jaccard:.4f}"
    assert rows["updated"][1] == f"{found['accuracy']['updated']['recall@10']:.4f}"
    assert "2 new users, 1 new items, 10 new training interactions" in said
    assert said.endswith(f"tonight's model: {tmp_path / 'new/model.pth'}\n")


def test_a_night_is_a_retraining_unless_another_method_is_asked_for(words, tmp_path, capsys):
    assert main(["update", "--dataset=today", *words]) == 0
    assert "retrain: " in capsys.readouterr().out
    found = json.loads((tmp_path / "new/result.json").read_text())["update"]
    assert (found["method"], found["cost"]["ratio"]) == ("retrain", 1)


def test_nothing_is_held_out_for_serving(words, tmp_path, capsys):
    given = ["--dataset=today", "--method=warm_start", "--test=none"]
    assert main(["update", *given, *words]) == 0
    assert "accuracy" not in capsys.readouterr().out
    assert json.loads((tmp_path / "new/result.json").read_text())["update"]["accuracy"] is None


def test_nothing_new_is_no_error(words, tmp_path, capfd):
    words = [word for word in words if not word.startswith("--state")]
    assert main(["update", "--dataset=toy", "--method=finest", *words]) == 0
    said = capfd.readouterr()
    assert "nothing is new" in said.err and "0 new training interactions" in said.out
    assert (tmp_path / "new/model.pth").is_file()


@pytest.mark.parametrize("flag", ["--allow_shrink", "--allow-shrink", "--allow_shrink=True"])
def test_a_log_that_has_shrunk(days, words, tmp_path, capsys, flag):  # noqa: F811
    few = [row for row in rows_of(days) if int(row.split("\t")[0][1:]) < 12]
    write_log(tmp_path / "data", "few", few)
    given = ["--dataset=few", f"--data_path={tmp_path / 'data'}", "--method=warm_start"]
    given += [word for word in words if not word.startswith("--data_path")]
    assert main(["update", *given]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: data set 'few' has 12 of the 30 users")
    assert not (tmp_path / "new").exists()
    assert main(["update", *given, flag]) == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--dataset=today", "--method=finetune"], "method is 'finetune', which does not exist"),
        ([], "dataset is not set; give --dataset=NAME"),
        (["--dataset=nowhere"], "nowhere.inter"),
        (["--dataset=today", "--embedding_size=7"], "embedding_size is 7, but deployed"),
        (["--dataset=today", "--finest_epoch=7"], "unknown setting 'finest_epoch'; did you mean"),
        (
            ["--dataset=today", "--deployed_until=soon"],
            "deployed_until is 'soon', but must be a time",
        ),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(words, tmp_path, capsys, given, said):
    assert main(["update", *given, *words]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1 and said in error
    assert not (tmp_path / "new").exists()


def test_help(capsys):
    assert main(["update", "--help"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("usage: run_finest.py update") and "--deployed_until" in said


def test_the_table_by_hand():
    measures = {"rbo@10": 0.5, "jaccard@10": 0.25, "frbo@10": 0.1}
    found = {
        "method": "finest",
        "people": {"all": 3, "without_news": 3, "with_news": 0},
        "similarity_to_deployed": {"all": measures, "without_news": measures, "with_news": {}},
        "accuracy": {"deployed": {"ndcg@10": 0.1}, "updated": {"ndcg@10": 0.2}},
        "cost": {"seconds": 2.0, "ratio": 0.25, "retraining": "measured"},
        "new_users": 1,
        "new_items": 2,
        "new_interactions": 3,
    }
    lines = [line.split() for line in summary({"update": found}).splitlines()]
    assert lines[2] == ["all", "3", "0.5000", "0.2500"]
    assert lines[4] == ["with", "news", "0", "–", "–"]
    assert lines[8:10] == [["deployed", "0.1000"], ["updated", "0.2000"]]
    assert lines[11][:7] == ["finest:", "2.0", "s", "of", "training,", "0.25", "of"]
