"""Engines: the same records from all of them, and workers that die."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from recbole_finest.cli.benchmark import main
from tests.benchmark.test_run import ROOT, finished, records, without_times

DYING = """
import os, signal
from recbole.model.sequential_recommender.gru4rec import GRU4Rec


class Dying(GRU4Rec):
    def __init__(self, config, dataset):
        super().__init__(config, dataset)
        if config["train_batch_size"] == 99:
            os.kill(os.getpid(), signal.SIGKILL)
"""


def command(file, *words):
    """The command in a process of its own, as workers need one that can be imported."""
    paths = os.pathsep.join([str(ROOT), os.getcwd()])
    return subprocess.run(
        [sys.executable, str(ROOT / "run_benchmark.py"), f"--config={file}", *words],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_an_address_that_does_not_answer_is_one_sentence(small_grid, write_grid, capsys, tmp_path):
    words = [f"--config={write_grid(small_grid)}", "--engine=ray"]
    assert main([*words, "--address=127.0.0.1:9"]) == 2
    error = capsys.readouterr().err
    assert "no Ray cluster answers at address '127.0.0.1:9'" in error and "Traceback" not in error
    assert main([*words, "--address=cluster"]) == 2
    assert "must be auto, local or host:port" in capsys.readouterr().err
    assert finished(tmp_path / "out") == []


def test_ctrl_c_while_workers_start_is_one_sentence(small_grid, write_grid, tmp_path):
    file = write_grid(small_grid)
    words = [sys.executable, str(ROOT / "run_benchmark.py"), f"--config={file}", "--jobs=2"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        words,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # a shell starts its background jobs with SIGINT ignored, and children inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while not (tmp_path / "out/locks").is_dir() and process.poll() is None:
        time.sleep(0.02)
    while len(children(process.pid)) < 2 and process.poll() is None:
        time.sleep(0.02)
    time.sleep(0.5)  # its worker is importing
    os.killpg(process.pid, signal.SIGINT)
    error = process.communicate(timeout=300)[1]  # it ends once its worker has imported
    assert process.returncode == 130 and "Traceback" not in error
    assert "interrupted; the same command continues" in error


def children(pid):
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


@pytest.mark.slow
def test_ray_gives_the_records_of_this_process(small_grid, write_grid):
    file = write_grid(small_grid)
    ended = command(file, "--engine=ray", "--address=local", "--output_dir=ray")
    assert ended.returncode == 0, ended.stderr
    assert main([f"--config={file}", "--jobs=1", "--output_dir=here"]) == 0
    assert without_times(records("ray")) == without_times(records("here"))


@pytest.mark.slow
def test_a_cell_whose_worker_dies_fails_and_the_others_are_done(small_grid, write_grid):
    Path("dying.py").write_text(DYING)
    stock = Path(sys.modules["recbole"].__file__).parent / "properties/model/GRU4Rec.yaml"
    Path("Dying.yaml").write_text(stock.read_text())
    small_grid |= {"models": ["GRU4Rec", "dying:Dying"], "methods": ["none"]}
    small_grid["model_settings"] = {"dying:Dying": {"train_batch_size": 99}}
    ended = command(write_grid(small_grid), "--jobs=2")
    assert ended.returncode == 1, ended.stderr
    found = records("out")
    assert {r["model"] for r in found["records"]} == {"GRU4Rec"}
    assert {f["error"].split(" died")[0] for f in found["failed"]} == {"the worker process"}
    assert json.dumps(found["failed"]).count("dying:Dying") == len(found["failed"])


@pytest.mark.slow
def test_two_commands_at_once_share_the_work(small_grid, write_grid):
    file = write_grid(small_grid)
    words = [sys.executable, str(ROOT / "run_benchmark.py"), f"--config={file}", "--jobs=1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    both = [subprocess.Popen(words, env=environment, stderr=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(300) for process in both] == [0, 0]
    assert len(finished("out")) == 14 and not list(Path("out/cells").glob("*.part"))
    together = without_times(records("out"))
    assert main([f"--config={file}", "--jobs=1", "--output_dir=alone"]) == 0
    assert without_times(records("alone")) == together
