"""Standard output on a disk without room, as where a nightly job's log is kept."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from typing import Any

from recbole_finest.errors import Unwritten, printable, writes

NAME = "standard output"


def say_error(error: BaseException) -> None:
    """Print an error's sentence; where that does not fit either, the exit code says so alone."""
    with suppress(OSError):
        print(f"error: {printable(error)}", file=sys.stderr)


class _Checked:
    """A stream whose errors of writing are :class:`Unwritten`."""

    def __init__(self, stream: Any):
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with writes(NAME):
            return self._stream.write(text)

    def flush(self) -> None:
        with writes(NAME):
            self._stream.flush()


@contextmanager
def checked_stdout() -> Iterator[None]:
    """Say in one sentence that what is printed cannot be written; Python would add a traceback at its end.

    Raises:
        Unwritten: once what was printed does not fit; the rest goes nowhere.
    """
    stream = sys.stdout
    try:
        with redirect_stdout(_Checked(stream)):
            yield
            sys.stdout.flush()
    except Unwritten as error:
        if error.filename == NAME:
            error.advice = "find what was done where it is kept"
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
        raise
