"""Outputs of the commands where no file can be: one sentence, exit code 2, nothing half written."""

import os
from contextlib import redirect_stderr, redirect_stdout, suppress

import pytest

from recbole_finest.cli.main import main
from tests.full_disk import Disk
from tests.test_files import small_files

LONG = "x" * 300
COMMANDS = {
    "export OUTPUT": ["export", "a.csv", "{}.trec"],
    "compare --output": ["compare", "a.csv", "a.csv", "--output={}"],
    "compare --summary": ["compare", "a.csv", "a.csv", "--summary={}"],
    "compare --junit": ["compare", "a.csv", "a.csv", "--junit={}"],
    "convert data_path": ["convert", "log.csv", "--data_path={}"],
    "perturb output": ["perturb", "--dataset=toy", "--perturbation_ratio=0.1", "--output={}"],
    "perturb output_dataset": [
        *["perturb", "--dataset=toy", "--perturbation_ratio=0.1"],
        "--output_dataset={}",
    ],
}


@pytest.fixture
def given(toy, tmp_path):
    """A file of lists and one of interactions in the working directory; what makes up a command."""
    lists = ["user,item,rank"] + [f"u{u},i{r},{r}" for u in range(900) for r in (1, 2)]
    (tmp_path / "a.csv").write_text("\n".join(lists) + "\n")
    (tmp_path / "log.csv").write_text("".join(f"u{n},i{n},{n}\n" for n in range(2000)))

    def words(name, place):
        more = [f"--data_path={toy['data_path']}"] if name.startswith("perturb") else []
        return [*(word.format(place) for word in COMMANDS[name]), *more]

    return words


@pytest.mark.parametrize("name", COMMANDS)
def test_a_name_that_is_too_long(given, tmp_path, capsys, name):
    before = sorted(os.listdir(tmp_path))
    assert main(given(name, tmp_path / LONG)) == 2
    said, setting = capsys.readouterr().err, name.split()[1]
    assert said.startswith(f"error: {setting} '{tmp_path / LONG}") and said.count("\n") == 1
    assert " cannot be written: File name too long" in said and "; give a shorter name" in said
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize("name", COMMANDS)
def test_a_full_disk(given, tmp_path, capsys, name):
    before = sorted(os.listdir(tmp_path))
    with Disk(10).mounted():
        assert main(given(name, tmp_path / "new")) == 2
    said, setting = capsys.readouterr().err, name.split()[1]
    assert said.startswith(f"error: {setting} '{tmp_path / 'new'}") and said.count("\n") == 1
    assert " cannot be written: No space left on device" in said and "; make room" in said
    assert sorted(set(os.listdir(tmp_path)) - {"new"}) == before
    assert not [f for _, _, files in os.walk(tmp_path / "new") for f in files]


def test_a_convert_that_fills_the_disk_for_real(given, tmp_path, capsys):
    with small_files(10_000):
        assert main(given("convert data_path", tmp_path / "new")) == 2
    assert "('log/log.inter'); allow larger files (ulimit -f)" in capsys.readouterr().err
    assert os.listdir(tmp_path / "new" / "log") == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux")
def test_standard_output_on_a_full_disk(given, tmp_path, capsys):
    with open("/dev/full", "w") as full, redirect_stdout(full):
        assert main(["compare", "a.csv", "a.csv", "--output=b.json"]) == 2
    assert capsys.readouterr().err == (
        "error: 'standard output' cannot be written: No space left on device; make room, then find what "
        "was done where it is kept\n"
    )
    code = None
    with suppress(OSError), open("/dev/full", "w") as full, redirect_stderr(full):
        code = main(["compare", "a.csv", "nowhere.csv"])
    assert code == 2
