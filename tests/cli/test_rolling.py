"""The command ``rolling``: its words, what it prints, its exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from recbole_finest.cli.main import main

from ..conftest import write_toy

ROOT = Path(__file__).parents[2]
TIMES = ("seconds", "cost")
SMALL = ["--epochs=1", "--finest_epochs=1", "--MAX_ITEM_LIST_LENGTH=8", "--reference_k=5"]


@pytest.fixture
def words(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_toy(tmp_path / "data")
    return ["rolling", "--dataset=toy", "--data_path=data", "--output_dir=out", *SMALL]


def on_ray(words, *given):
    """The command on a Ray cluster of this machine, in the folder ``ray``."""
    words = [word for word in words if not word.startswith("--output_dir")]
    return subprocess.run(
        [
            sys.executable,
            str(ROOT / "run_finest.py"),
            *words,
            *given,
            "--output_dir=ray",
            "--address=local",
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )


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
        (["--model=GRU4Rec", "--address=cluster"], "must be auto, local or host:port"),
    ],
)
def test_what_is_refused(words, tmp_path, capsys, given, said):
    assert main([*words, *given]) == 2
    error = capsys.readouterr().err
    assert said in error and "Traceback" not in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_cluster_that_does_not_answer_is_one_sentence(words, capsys):
    assert main([*words, "--model=GRU4Rec", "--periods=1", "--address=127.0.0.1:9"]) == 2
    error = capsys.readouterr().err
    assert "no Ray cluster answers at address '127.0.0.1:9'" in error and "Traceback" not in error


@pytest.mark.slow
def test_ray_gives_the_records_of_this_process(words, tmp_path):
    given = ["--model=GRU4Rec", "--periods=1", "--methods=warm_start", "--seeds=1,2"]
    ended = on_ray(words, *given)
    assert ended.returncode == 0, ended.stderr
    assert main([*words, *given]) == 0
    here, away = (
        json.loads((tmp_path / f"{name}/records.json").read_text()) for name in ("out", "ray")
    )
    assert here["replay"] == away["replay"]
    assert len(here["records"]) == 2 * 2 * 2  # seeds, methods (retrain, too), served
    for one, other in zip(here["records"], away["records"], strict=True):
        assert {n: v for n, v in one.items() if n not in TIMES} == {
            n: v for n, v in other.items() if n not in TIMES
        }


def test_help(capsys):
    assert main(["rolling", "--help"]) == 0
    assert "--periods=6" in capsys.readouterr().out
