"""Interactions as RecBole's atomic files, written whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from recbole_finest.data.log import InteractionLog
from recbole_finest.errors import UserError, writes
from recbole_finest.files import PathLike, written_whole

HEADER = "user_id:token\titem_id:token\ttimestamp:float\n"
_CHUNK = 1 << 16  # rows held as text at a time


def write_atomic(
    log: InteractionLog,
    user_tokens: np.ndarray | Sequence[str],
    item_tokens: np.ndarray | Sequence[str],
    path: PathLike,
    *,
    overwrite: bool = False,
) -> None:
    """Write a log, clean or perturbed, in its own order as an atomic file.

    Read back and sorted by user and time, which is stable, it gives the same interactions in the
    same order: an inserted one stays before the one that it was inserted before.

    Args:
        log: the log.
        user_tokens, item_tokens: token of each internal id.
        path: the ``.inter`` file; its folder is made where it is missing.
        overwrite: whether an existing file may be replaced.

    Raises:
        UserError: the file exists, or cannot be written.
    """
    users = [format_token(str(token)) for token in user_tokens]
    items = [format_token(str(token)) for token in item_tokens]
    with writing(Path(path), overwrite) as file:
        file.write(HEADER)
        for low in range(0, len(log), _CHUNK):
            part = slice(low, low + _CHUNK)
            columns = zip(log.user[part].tolist(), log.item[part].tolist(), log.time[part].tolist())
            file.writelines(f"{users[u]}\t{items[i]}\t{format_time(t)}\n" for u, i, t in columns)


def format_token(token: str) -> str:
    """A token as RecBole's reader, which unquotes, reads it back."""
    return '"' + token.replace('"', '""') + '"' if '"' in token else token


def format_time(time: float) -> str:
    """The shortest text that reads back as exactly this number.

    RecBole's reader, pandas, is exact up to 15 significant digits (microseconds of today's Unix
    times have 16 and are below 2**53, which is exact too) and may err in the last bit beyond.
    """
    return str(int(time)) if time.is_integer() and abs(time) < 2**53 else repr(time)


@contextmanager
def writing(path: Path, overwrite: bool = True) -> Iterator[IO[str]]:
    """A text file that takes its name only when the block ends without an error.

    Raises:
        UserError: the file exists and may not be overwritten, or cannot be written.
    """
    with writes(path):
        if path.exists() and not overwrite:
            raise UserError(f"'{path}' exists: choose another place, or allow overwriting")
        path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path, "w", encoding="utf-8", newline="\n") as file:
        yield file
