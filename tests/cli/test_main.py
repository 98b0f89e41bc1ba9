"""Which command is run, and what of the package that takes."""

import subprocess
import sys

import pytest

from recbole_finest.cli import COMMANDS
from recbole_finest.cli.main import main
from recbole_finest.errors import how_to_install


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


WITHOUT_RECBOLE = """
import sys
class Gone:
    def find_spec(name, path=None, target=None):
        if name == "recbole":
            raise ModuleNotFoundError("No module named 'recbole'", name=name)
sys.meta_path.insert(0, Gone)
import recbole_finest, recbole_finest.cli.benchmark as grid, recbole_finest.cli.main as run
print(run.main(["--model=SASRec"]), grid.main(["--models=SASRec"]))
try:
    recbole_finest.Config
except ModuleNotFoundError as error:
    print(error)
"""


def test_where_recbole_is_missing_every_entry_says_how_to_install_it():
    words = [sys.executable, "-W", "ignore", "-c", WITHOUT_RECBOLE]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    codes, said = done.stdout.splitlines()
    assert codes == "2 2" and "'pip install --no-deps recbole==1.2.1'" in said
    assert done.stderr.splitlines() == [f"error: {said}"] * 2


def test_another_missing_module_is_a_mistake_of_ours():
    with pytest.raises(ModuleNotFoundError, match="torchh"):
        how_to_install(ModuleNotFoundError("No module named 'torchh'", name="torchh"))
