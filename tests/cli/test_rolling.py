"""The command ``rolling``: its words, what it prints, its exit codes."""

import json

import pytest

from recbole_finest.cli.main import main

from ..conftest import write_toy

SMALL = ["--epochs=1", "--finest_epochs=1", "--MAX_ITEM_LIST_LENGTH=8", "--reference_k=5"]


@pytest.fixture
def words(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_toy(tmp_path / "data")
    return ["rolling", "--dataset=toy", "--data_path=data", "--output_dir=out", *SMALL]


def test_a_replay(words, tmp_path, capsys):
    given = ["--model=GRU4Rec", "--periods=1", "--methods=keep", "--seeds=1,2", "--topk=5"]
    assert main([*words, *given]) == 0
    said = capsys.readouterr().out
    found = json.loads((tmp_path / "out/records.json").read_text())["records"]
    assert {r["seed"] for r in found} == {1, 2}
    recall = [r["recall"] for r in found if r["method"] == "keep"]
    row = next(line for line in said.splitlines() if "| keep" in line)
    assert f"{sum(recall) / 2:.4f} [" in row  # with the interval over seeds
    assert said.endswith("report: out/report.html\n")
    page = (tmp_path / "out/report.html").read_text()
    assert 'id="figure-drift-GRU4Rec"' in page and "<td>keep</td>" in page.replace(
        ' class="word"', ""
    )
    assert "| keep" in (tmp_path / "out/report.md").read_text()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "model is not set; give --model=NAME"),
        (["--model=GRU4Rec", "--models=SASRec"], "model and models are both given"),
        (["--model=GRU4Rec", "--methods=[fine]"], "did you mean 'finest'"),
        (["--model=GRU4Rec", "--epoch=3"], "did you mean 'epochs'"),
        (["--model=GRU4Rec", "--seed=3"], "seed is decided by the replay"),
        (["--model=GRU4Rec", "--periods=500"], "choose fewer --periods"),
    ],
)
def test_what_is_refused(words, tmp_path, capsys, given, said):
    assert main([*words, *given]) == 2
    error = capsys.readouterr().err
    assert said in error and "Traceback" not in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_help(capsys):
    assert main(["rolling", "--help"]) == 0
    assert "--periods=6" in capsys.readouterr().out
