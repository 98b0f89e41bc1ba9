"""Words of the command line to settings, and the help on them."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from recbole_finest import __version__
from recbole_finest.cli.main import main
from recbole_finest.cli.parser import named_values, parse_settings
from recbole_finest.config.settings import (
    described_sections,
    described_settings,
    properties_dir,
    read_yaml,
)
from recbole_finest.errors import UserError

TEST_PERTURBATION = "Test perturbation: the one whose effect is measured"


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


def test_help_is_in_groups_and_shows_no_word_of_nobodys(capsys):
    with pytest.raises(SystemExit):
        main(["--help", "--nobodys=1"])
    lines = capsys.readouterr().out.splitlines()
    titles = [line[:-1] for line in lines if line.endswith(":") and line[0] not in " \t"]
    assert titles[:4] == ["options", "What is trained", "Fine-tuning", TEST_PERTURBATION]
    assert titles.index("Base") < titles.index("Protocol") < titles.index("Speed")
    assert titles[-1] == "other commands" and len(titles) == len(set(titles))
    begin, end = (lines.index(f"{title}:") for title in ("Fine-tuning", TEST_PERTURBATION))
    group = [line.split()[0] for line in lines[begin:end] if line.startswith("  --")]
    assert group[0] == "--finest_epochs" and "--rank_weight" in group and "--control" not in group
    assert "--nobodys" not in "\n".join(lines)


def test_sections_hold_every_setting_once():
    path = properties_dir() / "finest.yaml"
    sections = described_sections(path)
    together = [name for texts in sections.values() for name in texts]
    assert together == list(described_settings(path)) == list(read_yaml(path))
    assert sections["Base"]["warmup_ratio"].startswith("(float) Share of base's steps")


def test_version(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    own, others = capsys.readouterr().out.strip().split(" (")
    assert own == f"recbole-finest {__version__}"
    assert others == f"recbole {version('recbole')}, torch {version('torch')})"


def test_config_files_may_have_blanks_in_their_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my settings").mkdir()
    for name in ("my settings/a.yaml", "b.yaml", "odd", "name"):
        (tmp_path / name).touch()
    for text, files in {
        "my settings/a.yaml": ["my settings/a.yaml"],
        f"{tmp_path}/my settings/a.yaml,b.yaml": [f"{tmp_path}/my settings/a.yaml", "b.yaml"],
        "b.yaml my settings/a.yaml": ["b.yaml", "my settings/a.yaml"],
        "b.yaml b.yaml , b.yaml": ["b.yaml"] * 3,
        "odd name": ["odd", "name"],
        "my settings/typo.yaml": ["my settings/typo.yaml"],
        "": [],
    }.items():
        assert parse_settings([f"--config_files={text}"]) == ({}, files)
    assert main(["--model=SASRec", "--dataset=toy", "--config_files=my settings/typo.yaml"]) == 2


def test_values_are_found_on_a_command_line_that_cannot_be_parsed():
    known, wanted = ["--output", "--summary", "--seed", "--topk"], ["--output", "--summary"]

    def found(*words):
        return named_values(words, known, wanted)

    assert found("a", "--out=b", "--summary", "c") == ({"--output": "b", "--summary": "c"}, ["a"])
    assert found("--s", "5") == ({}, ["--s", "5"])  # of two options
    assert found("--output", "--topk", "5", "--summary") == ({}, ["--topk", "5"])
    assert found("--output=", "--topk=x") == ({}, ["--topk=x", "x"])
    assert found("--output=a", "--output=b") == ({"--output": "b"}, [])  # as argparse has it
