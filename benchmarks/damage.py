"""Every file of a run and of a benchmark, damaged in every way: refused, made again, harmless, or wrong?

    python benchmarks/damage.py [--only=resume] [--output=damage.md] [--place=FOLDER]

A toy run and a toy benchmark, and another of each with another seed, whose files are exchanged for
theirs. Each case has a copy of its own and a process of its own. A benchmark's files are those of one
cell of each kind. About half an hour on two cores.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import toy_runs as toy
from tabulate import tabulate
from ways import CLASSES, HOW, classify

from recbole_finest.cli import benchmark
from recbole_finest.cli.main import main
from recbole_finest.errors import UserError
from recbole_finest.report.leaderboard import write_leaderboard

WRITTEN = {".log", ".html", ".md", ".tex", ".csv"}  # and never read


@dataclass(frozen=True)
class Command:
    """A command on a folder.

    Attributes:
        call: gives exit code and output.
        left: what it leaves.
        files: which of the folder's files it may read.
    """

    call: Callable[[Path, Path], tuple[int, str]]
    left: Callable[[Path], Any]
    files: Callable[[Path], list[Path]]


def case(
    command: Command, pristine: Path, other: Path, name: str, how: str, place: Path
) -> tuple[str, str]:
    """One file, damaged in one way: the class, and what the command said."""
    folder, aside = pristine.with_name("case"), place / "aside"
    for old in (folder, aside):
        shutil.rmtree(old, ignore_errors=True) if old.is_dir() else old.unlink(missing_ok=True)
    shutil.copytree(pristine, folder, symlinks=True)
    HOW[how](folder / name, _counterpart(other, pristine, name), aside)
    before = aside.read_bytes() if aside.is_file() else b""
    code, said = command.call(folder, folder / name)
    kept = not aside.is_file() or aside.read_bytes() == before

    def equal() -> bool:
        try:
            return command.left(folder) == _expected(command, pristine, name)
        except (OSError, ValueError, KeyError):
            return False

    return classify(code, said, kept, equal), said


def _counterpart(other: Path, pristine: Path, name: str) -> Path:
    """The same file of another seed's; of a cell, which is called otherwise there, by its kind."""
    parts = Path(name).parts
    if parts[0] != "cells" or len(parts) < 3:
        return other / name
    kind = json.loads((pristine / "cells" / parts[1] / "cell.json").read_text())["kind"]
    return _cells(other)[kind].joinpath(*parts[2:])


_left: dict[tuple[object, Path, str], Any] = {}


def _expected(command: Command, pristine: Path, name: str) -> Any:
    key = command.left, pristine, name if command.left is based_left else ""
    if key not in _left:
        if command.left is based_left:  # with the checkpoint as it was
            command.call(pristine, pristine / name)
        _left[key] = command.left(pristine)
    return _left[key]


def commands(place: Path) -> dict[str, Command]:
    """All commands, by name; those of a run first."""
    log = place / "said"

    def resume(folder: Path, _: Path) -> tuple[int, str]:
        words = toy.run_words(place, folder, 1, resume=True)
        return toy.called(main, words, log)

    def based(folder: Path, path: Path) -> tuple[int, str]:
        shutil.rmtree(folder.with_name("based"), ignore_errors=True)
        words = toy.run_words(place, folder.with_name("based"), 1, base_checkpoint=path)
        return toy.called(main, words, log)

    def leaderboard(words: Any) -> int:
        return main_of(lambda: write_leaderboard(words[0]))

    return {
        "resume": Command(resume, toy.run_left, files_of),
        "report": Command(
            lambda folder, _: toy.called(main, ["report", str(folder)], log),
            toy.report_left,
            files_of,
        ),
        "base_checkpoint": Command(based, based_left, lambda folder: sorted(folder.glob("*.pth"))),
        "benchmark": Command(
            lambda folder, _: toy.called(
                benchmark.main, toy.benchmark_words(place, folder, 1), log
            ),
            toy.benchmark_left,
            cells_of,
        ),
        "leaderboard": Command(
            lambda folder, _: toy.called(leaderboard, [str(folder)], log),
            toy.leaderboard_left,
            cells_of,
        ),
    }


def main_of(call: Callable[[], object]) -> int:
    """Call a function as the command line would."""
    try:
        call()
    except UserError as error:
        print(f"error: {error}")
        return 2
    return 0


def based_left(folder: Path) -> Any:
    return toy.run_left(folder.with_name("based"))


def files_of(folder: Path) -> list[Path]:
    """The files of a run; of those in a folder of it, which are alike, the first and the last."""
    found = sorted(path for path in folder.iterdir() if path.is_file())
    for inner in sorted(path for path in folder.iterdir() if path.is_dir()):
        alike = sorted(path for path in inner.rglob("*") if path.is_file())
        found += dict.fromkeys([alike[0], alike[-1]])
    return found


def cells_of(folder: Path) -> list[Path]:
    """The files of one cell of each kind, and those beside the cells."""
    found = [p for cell in _cells(folder).values() for p in sorted(cell.rglob("*")) if p.is_file()]
    locks = sorted(folder.glob("locks/*"))[:1]
    return [*found, *(p for p in sorted(folder.iterdir()) if p.is_file()), *locks]


def _cells(folder: Path) -> dict[str, Path]:
    """The first cell of each kind."""
    chosen: dict[str, Path] = {}
    for cell in sorted(folder.glob("cells/*/cell.json")):
        chosen.setdefault(json.loads(cell.read_text())["kind"], cell.parent)
    return chosen


def prepare(place: Path, names: Collection[str] = ("run", "benchmark")) -> None:
    """The log, and two runs and two benchmarks."""
    toy.import_all()
    toy.write_log(place / "data")
    for seed in (1, 2):
        for call, words, name in (
            (main, toy.run_words, "run"),
            (benchmark.main, toy.benchmark_words, "benchmark"),
        ):
            if name not in names:
                continue
            folder = place / f"{name}-{seed}" / name
            folder.parent.mkdir()
            code, said = toy.called(call, words(place, folder, seed), place / "said")
            if code:
                raise SystemExit(f"{name} of seed {seed} ended with {code}: {said[-2000:]}")


def cases(place: Path, only: list[str]) -> Iterator[tuple[str, str, str, str, str]]:
    """Command, file, damage, class and what was said, of each case."""
    for name, command in commands(place).items():
        if name not in only:
            continue
        what = "benchmark" if name in ("benchmark", "leaderboard") else "run"
        pristine, other = (place / f"{what}-{seed}" / what for seed in (1, 2))
        for path in command.files(pristine):
            file = path.relative_to(pristine).as_posix()
            written = path.name.startswith((".", "events")) or path.suffix in WRITTEN
            for how in ("a folder", "a link") if written else HOW:
                yield name, file, how, *case(command, pristine, other, file, how, place)


def table(found: list[tuple[str, str, str, str, str]]) -> str:
    """Counts by command, and the cases that should not be."""
    rows = []
    for name in dict.fromkeys(one[0] for one in found):
        counts = Counter(one[3] for one in found if one[0] == name)
        rows.append([name, sum(counts.values()), *(counts[kind] for kind in CLASSES)])
    bad = [one for one in found if one[3] in CLASSES[3:]]
    lines = [f"- {kind}: {name}, {file} {how}" for name, file, how, kind, _ in bad]
    return "\n".join([tabulate(rows, ["command", "cases", *CLASSES], "github"), "", *lines])


def run(arguments: argparse.Namespace, place: Path) -> str:
    """Make what is missing, and all cases."""
    toy.import_all()
    if not (place / "data").is_dir():
        prepare(place)
    found = []
    for one in cases(place, arguments.only.split(",")):
        found.append(one)
        last = (one[4].strip().splitlines() or [""])[-1]
        print(*one[:4], "" if one[3] in CLASSES[1:3] else last[:300], sep=" | ", flush=True)
    return table(found)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="resume,report,base_checkpoint,benchmark,leaderboard")
    parser.add_argument("--output", default="damage.md")
    parser.add_argument("--place", default=None, help="a folder that is kept, for the next time")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        text = run(given, Path(given.place or temporary).absolute())
    Path(given.output).write_text(text + "\n")
    print(text)
