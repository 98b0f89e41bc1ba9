"""An interaction log as a folder of arrays, which are read from disk as they are needed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from recbole_finest.data.log import InteractionLog

_SIZES = ("n_users", "n_items", "n_clean")


def save_log(folder: str | Path, log: InteractionLog) -> None:
    """Write every column as ``<folder>/<name>.npy``, and the sizes as ``sizes.json``."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    columns = ["user", "item", "time", "row", "role"]
    columns += [] if log.place is log.row else ["place"]
    for name in columns:
        np.save(folder / f"{name}.npy", getattr(log, name))
    sizes = {name: getattr(log, name) for name in _SIZES}
    (folder / "sizes.json").write_text(json.dumps(sizes) + "\n")


def load_log(folder: str | Path) -> InteractionLog:
    """A log written by :func:`save_log`, its columns memory-mapped; changes to them stay in memory."""
    folder = Path(folder)
    columns = {
        name: np.load(path, mmap_mode="c")
        for name in ("user", "item", "time", "row", "place", "role")
        if (path := folder / f"{name}.npy").is_file()
    }
    columns.setdefault("place", columns["row"])
    return InteractionLog(**columns, **json.loads((folder / "sizes.json").read_text()))
