"""Whether a folder is the finished cell of its name: nothing damaged, nothing of another cell."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

from recbole_finest.benchmark.cells.cell import Cell, digest
from recbole_finest.errors import UserError
from recbole_finest.folders.manifest import MANIFEST, Manifest
from recbole_finest.folders.shapes import VALUES, check, mapping, number, whole

DONE = "cell.json"
TRAINED = {"seconds": number, "epochs": whole, "cell_seconds": number, "perturbation?": mapping}
MEASURED = ("accuracy", "accuracy_perturbed", "stability", "similarity_to_base", "lists")
RESULTS = {  # what is read of each kind's result
    "base": TRAINED,
    "control": TRAINED,
    "method": TRAINED,
    "reference": {"seconds": number, "cell_seconds": number},
    "evaluation": {
        "seconds": number,
        "cell_seconds": number,
        "accuracy": VALUES,
        "lists": VALUES,
    },
    "measure": {"cell_seconds": number, **dict.fromkeys(MEASURED, VALUES)},
}
_known: dict[Path, tuple[object, str | None]] = {}  # what this process has looked at


def write_manifest(folder: Path, cell: Cell) -> None:
    """Enter all files of a cell that is whole, with what it is."""
    about = {"cell": cell.hash, "stage": cell.kind, "seed": cell.settings.get("seed")}
    Manifest(folder, about).add(*sorted(folder.iterdir()))


def why_not(folder: Path) -> str | None:
    """Why a folder that is there is not the finished cell of its name; None where it is.

    All its files are read, once a process, and again only when another folder stands there.
    """
    stamp = _stamp(folder), _stamp(folder / MANIFEST)
    if folder not in _known or _known[folder][0] != stamp:
        _known[folder] = stamp, _look(folder)
    return _known[folder][1]


def is_listed(folder: Path) -> bool:
    """Whether a cell has a manifest; those of earlier versions have none."""
    return os.path.lexists(folder / MANIFEST)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mode, found.st_mtime_ns


def _look(folder: Path) -> str | None:
    try:
        if not stat.S_ISDIR(os.lstat(folder).st_mode):
            return "is a link" if folder.is_symlink() else "is no folder"
        found = Manifest.read(folder)
        if found is None:
            return _unlisted(folder)
        if found.about.get("cell") != folder.name:
            return f"holds another cell ({found.about.get('cell')!r})"
        if DONE not in found.files:
            return f"lacks '{DONE}'"
        wrong = next(iter(found.wrong()), None)
    except UserError:
        return f"has a damaged '{MANIFEST}'"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return None if wrong is None else f"is damaged: '{wrong[0].relative_to(folder)}' {wrong[1]}"


def _unlisted(folder: Path) -> str | None:
    """A cell of an earlier version: its hash must be that of what it says of itself."""
    path = folder / DONE
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return f"lacks '{DONE}'"
        about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        check(about, {"kind": tuple(RESULTS), "result": mapping}, DONE)
        check(about["result"], RESULTS[about["kind"]], DONE)
        content = {k: v for k, v in about.items() if k not in ("label", "cell", "result")}
        if digest(content) != folder.name:
            return f"is damaged: '{DONE}' is another cell's"
    except FileNotFoundError:
        return f"lacks '{DONE}'"
    except (ValueError, RecursionError):
        return f"is damaged: '{DONE}'"
    return None
