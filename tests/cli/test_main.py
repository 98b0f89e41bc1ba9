"""Which command is run, and what of the package that takes."""

import subprocess
import sys

import pytest

from recbole_finest.cli import COMMANDS
from recbole_finest.cli.main import main


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_is_there_and_says_how_it_is_used(capsys, name):
    try:
        code = main([name, "--help"])
    except SystemExit as ended:
        code = ended.code
    assert code == 0
    assert f"run_finest.py {name}" in capsys.readouterr().out


def test_an_unknown_command_is_refused_with_the_nearest(capsys):
    assert main(["exprot", "lists.npz"]) == 2
    assert "did you mean 'export'?" in capsys.readouterr().err


def test_help_on_a_command_imports_neither_pytorch_nor_another_command():
    code = (
        "import sys; from recbole_finest.cli.main import main; code = main(['perturb', '--help']); "
        "print(code, {'torch', 'numpy', 'recbole', 'recbole_finest.cli.compare'} & set(sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.stdout.splitlines()[-1] == "0 set()"
