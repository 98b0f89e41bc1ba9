"""Ctrl-C and SIGTERM: one exception, one sentence, the exit code of the signal."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from recbole_finest.cli.main import main
from recbole_finest.parallel import signals
from recbole_finest.parallel.signals import Interrupted, continued_by, handled
from tests.conftest import write_toy


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_is_an_exception(number, code):
    before = {one: signal.getsignal(one) for one in signals.HANDLED}
    with pytest.raises(Interrupted) as caught, handled():
        os.kill(os.getpid(), number)
        time.sleep(5)
    assert caught.value.exit_code == code and isinstance(caught.value, KeyboardInterrupt)
    assert {one: signal.getsignal(one) for one in signals.HANDLED} == before
    signals.check()  # what was interrupted is over


def test_one_that_was_swallowed_comes_again_with_the_next_step():
    with handled():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        except KeyboardInterrupt:
            pass
        with pytest.raises(Interrupted):
            signals.check()


@pytest.mark.parametrize("child, code", [(False, 143), (True, 0)])
def test_a_second_signal_ends_at_once_unless_a_parent_passes_it_on(child, code):
    pid = os.fork()
    if pid == 0:
        with handled(child):
            for number in (signal.SIGINT, signal.SIGTERM):
                try:
                    os.kill(os.getpid(), number)
                    time.sleep(0.5)
                except KeyboardInterrupt:
                    pass
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == code


def test_the_outermost_block_says_what_continues():
    outer, inner, silent = map(
        continued_by, (lambda: "the same command", lambda: "--resume=True", lambda: None)
    )
    with pytest.raises(Interrupted) as caught, outer, inner, silent:
        raise Interrupted(signal.SIGTERM)
    assert str(caught.value) == "interrupted by SIGTERM; continue with the same command"
    assert str(Interrupted(signal.SIGINT)) == (
        "interrupted before anything was written; the same command begins anew"
    )


def test_nothing_is_installed_by_an_import_or_a_call_from_python(toy, monkeypatch):
    from recbole_finest import quick_start

    seen = []
    monkeypatch.setattr(
        quick_start, "open_output", lambda config: seen.append(signal.getsignal(signal.SIGTERM))
    )
    with pytest.raises(TypeError):
        quick_start.run_finest("SASRec", "toy", config_dict=toy)
    assert seen == [signal.SIG_DFL]


def test_the_command_says_in_one_sentence_how_to_go_on(toy, tmp_path, monkeypatch, capsys):
    from recbole_finest.train.resume import ResumableTrainer

    begin = ResumableTrainer._begin_epoch

    def ended(self, loader, epoch):
        begin(self, loader, epoch)
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(ResumableTrainer, "_begin_epoch", ended)
    words = ["--model=GRU4Rec", "--dataset=toy", *(f"--{k}={v}" for k, v in toy.items())]
    assert main(words) == 143
    said = capsys.readouterr().err.splitlines()
    assert said[-1] == (
        "interrupted by SIGTERM; continue with the same settings and --resume=True "
        f"--output_dir={tmp_path / 'run'}"
    )
    assert not any("Traceback" in line for line in said)


def alive(group: int) -> list[str]:
    """Processes of a group that have not ended, by their lines in ``/proc``."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, of = path.read_text().rpartition(")")[2].split()[:3]
            found += [str(path)] if int(of) == group and state != "Z" else []
    return found


@pytest.mark.slow
@pytest.mark.parametrize("to", ["parent", "group"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_training_in_two_processes_ends_in_order(tmp_path, number, to):
    """A signal to the parent alone, as ``kill`` sends it, or to all, as a terminal or systemd does."""
    data, folder = write_toy(tmp_path / "data"), tmp_path / "run"
    given = {"model": "GRU4Rec", "dataset": "toy", "data_path": data, "output_dir": folder}
    given |= {
        "nproc": 2,
        "perturbation_ratio": 0.02,
        "port": 20000 + os.getpid() % 20000,
        "epochs": 5000,
        "stopping_step": 5000,
    }
    command = [sys.executable, str(Path(__file__).parents[2] / "run_finest.py")]
    command += [f"--{k}={v}" for k, v in {**given, "train_batch_size": 64}.items()]
    with open(tmp_path / "said", "w") as file:
        run = subprocess.Popen(command, stderr=file, start_new_session=True)
    limit = time.time() + 200
    while not list(folder.glob("base.*.pth")) and time.time() < limit:
        time.sleep(0.2)
    if to == "group":
        os.killpg(run.pid, number)
    else:
        run.send_signal(number)
    assert run.wait(200) == 128 + number
    said = (tmp_path / "said").read_text()
    assert "Traceback" not in said and "error:" not in said
    assert f"--resume=True --output_dir={folder}" in said.splitlines()[-1]
    assert list(folder.glob("base.*.pth")) and not list(folder.glob(".*.part"))
    limit = time.time() + 30
    while alive(run.pid) and time.time() < limit:
        time.sleep(0.2)
    assert not alive(run.pid)
