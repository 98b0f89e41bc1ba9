"""The command of benchmarks; what it computes is tested in tests/benchmark."""

import sys

import pytest

from recbole_finest.cli.benchmark import main, parse, say
from recbole_finest.errors import UserError


def test_words_are_axes_options_or_settings():
    words = ["--models=SASRec,NARM", "--sweep_full=True", "--jobs=2", "--dry-run", "--epochs=3"]
    axes, own, settings = parse(words)
    assert axes == {"models": "SASRec,NARM", "sweep_full": "True"}
    assert own == {"jobs": "2", "dry_run": True} and settings == {"epochs": "3"}


def test_files_of_settings_are_for_the_other_command(capsys):
    with pytest.raises(UserError, match="name the grid's file with --config"):
        parse(["--config_files=a.yaml"])
    assert main(["--epochs"]) == 2
    assert (
        capsys.readouterr().err == "error: argument --epochs: expected one argument; see --help\n"
    )


def test_a_leaderboard_that_cannot_be_imported_is_no_success(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "recbole_finest.report.leaderboard", None)
    with pytest.raises(ImportError):
        say({"records": [], "failed": [], "blocked": []}, tmp_path)
