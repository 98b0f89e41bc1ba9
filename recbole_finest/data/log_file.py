"""An interaction log as a folder of arrays, which are read from disk as they are needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from recbole_finest.data.log import InteractionLog
from recbole_finest.errors import writes
from recbole_finest.files import array_rows, write_json, written_whole
from recbole_finest.formats.arrays import open_array
from recbole_finest.formats.json_file import read_json

_SIZES = ("n_users", "n_items", "n_clean")


def save_log(folder: str | Path, log: InteractionLog) -> None:
    """Write every column as ``<folder>/<name>.npy``, and the sizes as ``sizes.json``."""
    folder = Path(folder)
    with writes(folder):
        folder.mkdir(parents=True, exist_ok=True)
    columns = ["user", "item", "time", "row", "role"]
    columns += [] if log.place is log.row else ["place"]
    for name in columns:
        with written_whole(folder / f"{name}.npy") as file:
            column = getattr(log, name)
            array_rows(file, column.dtype, column.shape)(column)
    sizes = {name: getattr(log, name) for name in _SIZES}
    write_json(folder / "sizes.json", sizes)


def load_log(folder: str | Path) -> InteractionLog:
    """A log written by :func:`save_log`, its columns memory-mapped; changes to them stay in memory."""
    folder = Path(folder)
    columns: dict[str, Any] = {
        name: open_array(path, "c")
        for name in ("user", "item", "time", "row", "place", "role")
        if (path := folder / f"{name}.npy").is_file()
    }
    columns.setdefault("place", columns["row"])
    return InteractionLog(**columns, **read_json(folder / "sizes.json"))
