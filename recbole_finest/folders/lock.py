"""One writer a folder."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from recbole_finest.errors import UserError, writes
from recbole_finest.files import write_text

LOCK = ".lock"  # held by the system for as long as its process lives; the file itself may stay
_WHO = ".writer"  # beside it, who holds it: for the sentence alone
LOCK_FILES = (LOCK, _WHO)


@contextmanager
def only_writer(folder: Path, setting: str) -> Iterator[None]:
    """Keep a folder, which exists, for this process until the block ends or the process does.

    The system releases the lock however the process ends; on a network file system it holds as far as
    that one's ``flock`` does.

    Args:
        folder: the folder.
        setting: what the user named it by, for the error.

    Raises:
        UserError: another process writes there.
    """
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        with writes(folder / LOCK):
            lock.acquire()
    except Timeout:
        raise UserError(
            f"{setting} '{folder}' is being written by another run{_holder(folder)}; wait for its end, or "
            "choose another folder"
        ) from None
    try:
        _say_who(folder)
        yield
    finally:
        with suppress(OSError):
            (folder / _WHO).unlink()
        lock.release()


def _say_who(folder: Path) -> None:
    path = folder / _WHO
    write_text(path, f"process {os.getpid()} on {socket.gethostname()}")


def _holder(folder: Path) -> str:
    try:
        with open(folder / _WHO, encoding="utf-8", errors="replace") as file:
            text = file.readline(100).strip()
    except OSError:
        return ""
    return f" ({text})" if text.isprintable() and text else ""
