"""The command ``report``."""

import pytest

from recbole_finest.cli.main import main
from recbole_finest.report.run.write import write_report
from tests.report.run.sample_run import write_run


@pytest.fixture
def run(tmp_path):
    folder = write_run(tmp_path / "run")
    write_report(folder)
    return folder


def test_the_command_rebuilds_the_same_bytes(run, capsys):
    files = [run / "report.html", run / "report.md", *sorted((run / "tables").iterdir())]
    before = [file.read_bytes() for file in files]
    for file in files:
        file.unlink()
    assert main(["report", str(run)]) == 0
    assert capsys.readouterr().out == f"report: {run / 'report.html'}\n"
    assert [file.read_bytes() for file in files] == before


def test_the_command_refuses_what_is_no_run(tmp_path, capsys):
    assert main(["report", str(tmp_path)]) == 2
    assert "holds no finished run" in capsys.readouterr().err
    assert main(["report"]) == 2
