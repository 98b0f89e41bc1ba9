"""The scripts of docs/bridge.md as they stand there, and the same from the command line."""

from __future__ import annotations

import ast
import json
import re
import runpy
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from recbole_finest.cli.main import main
from recbole_finest.compat import load_checkpoint
from recbole_finest.evaluator.lists.ranklists import RankLists
from recbole_finest.evaluator.topk import top_items
from tests.conftest import write_toy

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # RecBole's
PAGE = Path(__file__).parents[2] / "docs" / "bridge.md"
SMALL = ["--dataset=toy", "--data_path=data", "--epochs=2", "--finest_epochs=2"]
SMALL += ["--MAX_ITEM_LIST_LENGTH=5", "--train_batch_size=64", "--show_progress=False"]
SCRIPTS = ("bridge", "bridge_own")


def named_files(page: str) -> dict[str, str]:
    """The page's files: each block of code by the name in the paragraph before it."""
    found = {}
    parts = re.split(r"^```(\w*)\n", page, flags=re.MULTILINE)  # text, language, code, "", text, …
    for before, language, code in zip(parts[0::4], parts[1::4], parts[2::4]):
        if language in ("python", "yaml"):
            name = re.findall(r"`(\w+\.\w+)`", before.rstrip().rpartition("\n\n")[2])[0]
            found[name] = code
    return found


@pytest.fixture
def page(tmp_path, monkeypatch):
    """The files of the page beside a small data set; its text."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "blend", raising=False)
    write_toy(tmp_path / "data")
    text = PAGE.read_text(encoding="utf-8")
    for name, code in named_files(text).items():
        (tmp_path / name).write_text(code)
    yield text
    sys.modules.pop("blend", None)


def run_script(name: str, monkeypatch, *settings: str) -> dict[str, Any]:
    """What a script of the page leaves in its variables."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "argv", [name, *SMALL, *settings])
        return runpy.run_path(name)


def command(page: str, script: str, *settings: str) -> list[str]:
    """The page's command for a script, with the small settings of :func:`run_script`."""
    (line,) = re.findall(rf"^python run_finest.py (.*={script}.yaml .*)$", page, re.M)
    (checkpoint,) = Path("saved").glob("*.pth")
    changed = {setting.partition("=")[0] for setting in settings}
    words = shlex.split(line.replace("saved/SASRec.pth", str(checkpoint)))
    kept = [word for word in words if word.partition("=")[0] not in changed]
    return [*kept, *SMALL, *settings]


def lists_of(model, test_data, depth: int) -> dict[str, list[str]]:
    """Each user's list of item tokens on RecBole's test loader, scored as RecBole scores."""
    dataset, found = test_data._dataset, {}
    users, items = (dataset.field2id_token[name] for name in ("user_id", "item_id"))
    for batch, *_ in test_data:
        with torch.no_grad():
            scores = model.full_sort_predict(batch).reshape(len(batch), -1)
        best = items[top_items(scores, depth)].tolist()
        found |= dict(zip(users[batch["user_id"]].tolist(), best))
    return found


def test_the_scripts_are_recboles_but_for_three_lines():
    for name in ("bridge.py", "bridge_own.py"):
        code = named_files(PAGE.read_text(encoding="utf-8"))[name]
        lines = [line for line in code.splitlines() if line]
        assert not any("finest" in line for line in lines[:-3])
        assert [line.split("(")[0] for line in lines[-3:]] == [
            "from recbole_finest import finetune, stability",
            "finest = finetune",
            "print",
        ]


@pytest.mark.parametrize("mode", ["packed", "instance"])
@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_gives_what_the_command_gives(script, mode, page, monkeypatch, capsys):
    found = run_script(f"{script}.py", monkeypatch, f"--training_mode={mode}")
    printed = capsys.readouterr().out.splitlines()[-1]
    model, finest = found["model"], found["finest"]
    torch.save(model.state_dict(), "blend.pth")
    assert main(command(page, script, f"--training_mode={mode}")) == 0
    weights = load_checkpoint("runs/bridge/finest.pth")["state_dict"]
    assert weights.keys() == finest.state_dict().keys() == model.state_dict().keys()
    assert all(torch.equal(weights[n], w) for n, w in finest.state_dict().items())
    assert not all(torch.equal(weights[n], w) for n, w in model.state_dict().items())
    lists = RankLists.load(Path("runs/bridge/ranklists/finest.npz"))
    run = dict(zip(lists.users.tolist(), lists.items.tolist()))
    assert len(run) == 30 and lists_of(finest, found["test_data"], lists.codes.shape[1]) == run
    result = json.loads(Path("runs/bridge/result.json").read_text())
    assert result["training_mode"] == mode
    assert ast.literal_eval(printed) == pytest.approx(
        result["similarity_to_base"]["finest"], abs=1e-12
    )
