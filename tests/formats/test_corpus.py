"""Every file of the corpus, given to the command that would read it: refused in one sentence, nothing run.

In this process, and (``slow``) each in a process of its own, whose CPU time and memory are measured; that
one prints the table that docs/reliability.md holds.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from recbole_finest.cli.main import main
from recbole_finest.errors import UserError
from recbole_finest.reference.lists import ReferenceLists
from tests.formats.corpus import CANARY, CORPUS, HARMLESS, INTER_NAMES, inter_rows
from tests.formats.corpus import npy as npy_bytes

CASES = [(kind, name) for kind, files in CORPUS.items() for name in files]
# seconds each, mostly to make the file: only in the slow test
LONG = {("yaml", "holds 500,000 values"), ("pth", "holds sets alone")}
LONG |= {("run", "base.npz unpacks to 288 MB")}
QUICK = [case for case in CASES if case not in LONG]
MOST_SECONDS, MOST_MIB = 20, 2048
COMMON = ["--show_progress=False", "--state=ERROR"]


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A folder with what a person has: rank lists, a data set, changes of it."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "good.trec").write_text("u0 Q0 i1 1 2 a\nu1 Q0 i2 1 2 a\n")
    (folder / "data" / "mini").mkdir(parents=True)
    (folder / "data/mini/mini.inter").write_text("\n".join([INTER_NAMES, *inter_rows()]) + "\n")
    words = ["--dataset=mini", f"--data_path={folder / 'data'}", f"--output={folder / 'c.json'}"]
    assert main(["perturb", *words, *COMMON, "--perturbation_count=2"]) == 0
    return folder


def read(kind: str, name: str, folder: Path, home: Path) -> int:
    """Make a file of the corpus in a folder and give it to its command; returns the exit code."""
    return given(kind, CORPUS[kind][name], folder, home)


def given(kind: str, make: Callable, folder: Path, home: Path) -> int:
    """Make a file and give it to the command that reads its kind; lists are compared with themselves."""
    good = str(home / "good.trec")
    path = folder / f"evil.{kind}"
    if kind == "perturbation":
        path.write_text(make(json.loads((home / "c.json").read_text())))
        place = ["--dataset=mini", f"--data_path={home / 'data'}", *COMMON]
        return main(
            ["perturb", *place, f"--perturbation_file={path}", "--perturbation_selection=file"]
        )
    if kind == "inter":
        path = folder / "evil" / "evil.inter"
        path.parent.mkdir()
    make(path)
    if kind == "npy":
        return reference_lists(path)
    place = ["--dataset=evil", f"--data_path={folder}", *COMMON, "--perturbation_count=1"]
    commands = {
        "pth": ["recommend", f"--model_file={path}", f"--output={folder / 'out.npz'}", *COMMON],
        "yaml": ["compare", good, good, f"--policy={path}", "--topk=1"],
        "inter": ["perturb", *place],
        "run": ["report", str(path)],
    }
    return main(commands.get(kind, ["compare", str(path), str(path), "--topk=2"]))


def reference_lists(path: Path) -> int:
    """No command takes an ``.npy`` from elsewhere; a run reads its own reference lists."""
    (path.parent / "slot.npy").write_bytes(npy_bytes(torch.zeros(3).numpy()))
    path.rename(path.with_name("items.npy"))
    try:
        ReferenceLists.load(path.parent)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def digest(folder: Path) -> dict[str, str]:
    """The content of every file below a folder."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture
def place(tmp_path, monkeypatch) -> Iterator[Path]:
    """Where a stranger's file is put; the working directory is beside it."""
    (tmp_path / "work").mkdir()
    (tmp_path / "strange").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    yield tmp_path / "strange"
    assert not (tmp_path / "work" / CANARY).exists() and not (tmp_path / CANARY).exists()


def test_there_are_enough():
    assert len(CASES) >= 80 and len(CORPUS) == 10


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", HARMLESS)
def test_it_is_read_without_what_is_hostile(kind, place, home, capsys):
    code = given(kind, HARMLESS[kind], place, home)
    assert (code, capsys.readouterr().err) == (0, "")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("kind", "name"), QUICK, ids=[": ".join(case) for case in QUICK])
def test_it_is_refused_in_one_sentence(kind, name, place, home, capsys):
    before = digest(home)
    code = read(kind, name, place, home)
    said = capsys.readouterr().err.splitlines()
    errors = [line for line in said if line.startswith("error: ")]
    assert (code, len(errors), len(said)) == (2, 1, 1), said
    assert len(errors[0]) < 1200 and errors[0].isprintable()
    assert digest(home) == before


# Each in a process of its own --------------------------------------------------------------------


def measured(kind: str, name: str, folder: Path, home: Path) -> dict[str, float | str]:
    """What comes of a file in a forked process: outcome, seconds, MiB."""
    said = folder.parent / "said.txt"
    child = os.fork()
    if child == 0:
        code = 99
        try:
            signal.alarm(6 * MOST_SECONDS)  # of a machine that others use, too
            os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
            sys.stderr = os.fdopen(2, "w")
            warnings.simplefilter("ignore")
            code = read(kind, name, folder, home)
            sys.stderr.flush()
        finally:
            os._exit(code)
    _, status, used = os.wait4(child, 0)
    lines = said.read_text().splitlines()
    outcome = {0: "harmless", 2: "refused"}.get(os.waitstatus_to_exitcode(status), "traceback")
    if outcome == "refused" and len(lines) != 1:
        outcome = "several sentences"
    return {
        "outcome": outcome,
        "seconds": used.ru_utime + used.ru_stime,
        "MiB": used.ru_maxrss / 1024,
    }


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_time_and_memory_are_bounded(tmp_path, home, monkeypatch, capsys):
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    before, found = digest(home), {}
    for number, (kind, name) in enumerate(CASES):
        folder = tmp_path / str(number) / "strange"
        folder.mkdir(parents=True)
        found[kind, name] = measured(kind, name, folder, home)
    with capsys.disabled():
        print("\n| format | files | refused | harmless | traceback | CPU seconds | MiB |")
        print("|---|---|---|---|---|---|---|")
        for kind in CORPUS:
            rows = [row for (other, _), row in found.items() if other == kind]
            counts = Counter(row["outcome"] for row in rows)
            most = [max(row[what] for row in rows) for what in ("seconds", "MiB")]
            parts = [counts[what] for what in ("refused", "harmless", "traceback")]
            cells = [kind, len(rows), *parts, f"{most[0]:.1f}", f"{most[1]:.0f}"]
            print(f"| {' | '.join(map(str, cells))} |")
    assert not [(key, row) for key, row in found.items() if row["outcome"] != "refused"]
    assert not [(key, row) for key, row in found.items() if row["seconds"] > MOST_SECONDS]
    assert not [(key, row) for key, row in found.items() if row["MiB"] > MOST_MIB]
    assert digest(home) == before and os.listdir(tmp_path / "work") == []
