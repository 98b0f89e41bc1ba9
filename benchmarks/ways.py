"""Ways in which a file is damaged, or another one stands in its place; and how a command took it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from toy_runs import CRASHED, HANGS

CLASSES = ("refused", "made again", "harmless", "traceback", "WRONG")


def truncated(path: Path, other: Path, aside: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def emptied(path: Path, other: Path, aside: Path) -> None:
    path.write_bytes(b"")


def flipped(path: Path, other: Path, aside: Path) -> None:
    """One bit in the second half; of a digit where there is one, so that a number is another one."""
    content = bytearray(path.read_bytes())
    place = len(content) * 2 // 3
    digits = [i for i, byte in enumerate(content) if byte in b"2468" and i >= len(content) // 2]
    if path.suffix in (".json", ".yaml", ".csv", ".md") and digits:
        place = digits[len(digits) // 2]
    if content:
        content[place] ^= 1
    path.write_bytes(bytes(content))


def exchanged(path: Path, other: Path, aside: Path) -> None:
    """The same file of another seed's."""
    if other.is_file():
        shutil.copyfile(other, path)


def swapped(path: Path, other: Path, aside: Path) -> None:
    """Another file of its kind from the same folder."""
    same = [f for f in sorted(path.parent.glob(f"*{path.suffix}")) if f != path and f.is_file()]
    if same:
        shutil.copyfile(same[0], path)


def a_folder(path: Path, other: Path, aside: Path) -> None:
    path.unlink()
    path.mkdir()


def a_link(path: Path, other: Path, aside: Path) -> None:
    """To a copy elsewhere, which must stay as it is."""
    shutil.move(path, aside)
    path.symlink_to(aside)


HOW: dict[str, Callable[[Path, Path, Path], None]] = {
    "truncated": truncated,
    "emptied": emptied,
    "bit flipped": flipped,
    "another seed's": exchanged,
    "another file's": swapped,
    "a folder": a_folder,
    "a link": a_link,
}


def classify(code: int, said: str, kept: bool, equal: Callable[[], bool]) -> str:
    """One of ``CLASSES``; ``kept`` is whether what a link shows is as it was."""
    if code in (CRASHED, HANGS) or code < 0 or "Traceback (most recent" in said:
        return "traceback"
    if not kept:
        return "WRONG"
    errors = [line for line in said.splitlines() if line.startswith("error: ")]
    if code == 2 or (code == 1 and errors):  # 1 where a benchmark had begun
        return "refused" if len(errors) == 1 else "traceback"
    if code != 0 or not equal():
        return "WRONG"
    return "made again" if "made again" in said else "harmless"
