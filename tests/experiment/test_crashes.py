"""A run may die at any moment; the same command with --resume=True ends it with the same bytes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def crashed(folder: Path, kills: int, chains: int, world: int = 1, by: int = 9) -> list[dict]:
    """What :mod:`tests.experiment.crashes` prints, in a process without threads that a fork would lack."""
    words = [str(folder), *map(str, (kills, chains, world, by))]
    command = [sys.executable, "-W", "ignore", "-m", "tests.experiment.crashes", *words]
    given = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"chain"')]


def failed(found: list[dict[str, Any]], kills: int, code: int) -> list[dict[str, Any]]:
    """The chains that were not killed so, or that did not end as an uninterrupted run."""
    return [
        one
        for one in found
        if one["codes"] != [code] * kills
        or len(one["killed at"]) != kills
        or (one["last"], one["differ"], one["traceback"]) != (0, [], False)
        or one["repeated"] > 1
    ]


def test_twelve_kills(tmp_path):
    """One of a first run, eleven of resumes."""
    found = crashed(tmp_path, 12, 1)
    assert failed(found, 12, -signal.SIGKILL) == []
    assert any("state.pth" in what for what in found[0]["killed at"])


@pytest.mark.slow
def test_fifty_kills_of_three_models(tmp_path):
    found = crashed(tmp_path, 5, 10)
    assert failed(found, 5, -signal.SIGKILL) == [] and len(found) == 10


@pytest.mark.slow
def test_a_run_and_its_continuation_die_in_every_kind_of_write(tmp_path):
    found = crashed(tmp_path, 2, 0)
    assert failed(found, 2, -signal.SIGKILL) == []
    for one in found:
        assert one["killed at"] == [one["case"]] * 2
    kinds = {one["case"].split()[2] for one in found}
    assert {"config.yaml", "manifest.json", "perturbation.json", "items.npy", "base.pth"} <= kinds
    assert {"base.training.pth", "finest.state.pth", "finest.npz", "result.json"} <= kinds
    assert {"report.html", "run.csv", "run.tex", "per_instance.npz"} <= kinds


@pytest.mark.slow
def test_ten_kills_of_two_processes(tmp_path):
    found = crashed(tmp_path, 5, 2, world=2)
    assert failed(found, 5, -signal.SIGKILL) == [] and len(found) == 2


@pytest.mark.slow
def test_ten_terminations(tmp_path):
    found = crashed(tmp_path, 5, 2, by=signal.SIGTERM)
    assert failed(found, 5, 128 + signal.SIGTERM) == []
    for one in found:
        folder = tmp_path / f"cut{one['chain']}-1-{signal.SIGTERM:d}"
        sentence = "interrupted by SIGTERM; continue with the same settings and --resume=True"
        assert set(one["said"]) == {f"{sentence} --output_dir={folder}"}
        assert len(one["said"]) == 5
