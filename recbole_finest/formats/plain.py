"""A plain file of a bounded size, opened: what every reader of strangers' files begins with.

The readers beside this one raise ``OSError`` where a file cannot be opened, and ``ValueError`` with the
reason where its content is refused; whoever calls says which file it is and what to do.
"""

from __future__ import annotations

import os
import stat
from typing import IO

from recbole_finest.files import PathLike

MIB = 1 << 20
# What a file may unpack to: so much, or so many times its own size, whichever is larger.
UNPACKED, RATIO = 256 * MIB, 100
NAME = 4096  # letters; names of several files stand together, all in the room of the longest


def open_plain(path: PathLike) -> IO[bytes]:
    """Open a file that is no folder, pipe or device; the shell's own pipes under ``/dev`` are let through.

    Raises:
        OSError: there is none.
        ValueError: it is something else.
    """
    mode = os.stat(path).st_mode
    if stat.S_ISDIR(mode):
        raise ValueError("it is a folder")
    if not stat.S_ISREG(mode) and not os.fspath(path).startswith("/dev/"):
        raise ValueError("it is no plain file")
    return open(path, "rb")


def size_of(file: IO[bytes]) -> int:
    """Bytes of an opened file."""
    return os.fstat(file.fileno()).st_size


def read_text(path: PathLike, most: int) -> str:
    """The text of a file in UTF-8.

    Args:
        most: bytes that it may have.

    Raises:
        OSError: it cannot be opened.
        ValueError: it is longer, no plain file, or no UTF-8.
    """
    with open_plain(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"it has more than the {most:,} bytes that such a file may have")
    return content.decode("utf-8")


def check_name(letters: int) -> None:
    """Refuse, with a ValueError, a text of an array that is longer than ``NAME``."""
    if letters > NAME:
        raise ValueError(f"a name in it has {letters:,} letters; at most {NAME:,} are read")


def check_unpacked(claimed: int, size: int) -> None:
    """Refuse what would unpack to too much.

    Args:
        claimed: bytes in memory.
        size: bytes of the file.

    Raises:
        ValueError: they are more than ``UNPACKED`` and than ``RATIO`` times the file.
    """
    if claimed > max(UNPACKED, RATIO * size):
        raise ValueError(
            f"its {size:,} bytes would unpack to {claimed:,}; at most {UNPACKED // MIB} MiB or "
            f"{RATIO} times a file's size are unpacked"
        )
