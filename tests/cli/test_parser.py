"""Words of the command line to settings, and the help on them."""

from __future__ import annotations

import pytest

from recbole_finest.cli.main import main
from recbole_finest.cli.parser import named_values, parse_settings
from recbole_finest.errors import UserError


def test_a_bare_boolean_setting_is_true():
    words = ["--overwrite", "--epochs", "3", "--resume", "--log_wandb", "--control=False"]
    given = {"overwrite": "True", "epochs": "3", "resume": "True", "log_wandb": "True"}
    assert parse_settings(words)[0] == {**given, "control": "False"}
    assert parse_settings(["--overwrite", "False"])[0] == {"overwrite": "False"}


def test_another_bare_setting_is_refused():
    with pytest.raises(UserError, match="epochs: expected one argument"):
        parse_settings(["--epochs", "--overwrite"])


def test_help_names_every_setting(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert "--rank_weight" in text and "(float) Weight of the rank-preserving loss" in text


def test_values_are_found_on_a_command_line_that_cannot_be_parsed():
    known, wanted = ["--output", "--summary", "--seed", "--topk"], ["--output", "--summary"]

    def found(*words):
        return named_values(words, known, wanted)

    assert found("a", "--out=b", "--summary", "c") == ({"--output": "b", "--summary": "c"}, ["a"])
    assert found("--s", "5") == ({}, ["--s", "5"])  # of two options
    assert found("--output", "--topk", "5", "--summary") == ({}, ["--topk", "5"])
    assert found("--output=", "--topk=x") == ({}, ["--topk=x", "x"])
    assert found("--output=a", "--output=b") == ({"--output": "b"}, [])  # as argparse has it
