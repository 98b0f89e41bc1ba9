"""Ctrl-C and SIGTERM as one exception, which ends a command in order.

Nothing is installed on import: the command line does so, and the processes that it starts.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

HANDLED = (signal.SIGINT, signal.SIGTERM)


class Interrupted(KeyboardInterrupt):
    """A signal asked this process to end.

    Attributes:
        number: of the signal.
        advice: what continues what was interrupted; None where nothing is there yet.
    """

    def __init__(self, number: int, advice: str | None = None):
        super().__init__()
        self.number = number
        self.advice = advice

    @property
    def exit_code(self) -> int:
        """What shells give for a process that a signal ended: 130 for Ctrl-C, 143 for SIGTERM."""
        return 128 + self.number

    def __str__(self) -> str:
        by = "" if self.number == signal.SIGINT else f" by {signal.Signals(self.number).name}"
        if self.advice is None:
            return f"interrupted{by} before anything was written; the same command begins anew"
        return f"interrupted{by}; continue with {self.advice}"


_first: int | None = None  # the signal that this process has got


@contextmanager
def handled(child: bool = False) -> Iterator[None]:
    """Let the first signal raise :class:`Interrupted` inside the block, and a second one end at once.

    Does nothing outside of the main thread.

    Args:
        child: this process's parent passes signals on: after the first one, SIGTERM means no more.
    """
    global _first
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, frame: FrameType | None) -> None:
        global _first
        if _first is not None:
            if child and number == signal.SIGTERM:
                return
            os._exit(128 + number)
        _first = number
        raise Interrupted(number)

    before = {number: signal.signal(number, handle) for number in HANDLED}
    try:
        yield
    finally:
        _first = None
        for number, old in before.items():
            signal.signal(number, old)


def check() -> None:
    """Raise :class:`Interrupted` again where something has swallowed it; called in every step."""
    if _first is not None:
        raise Interrupted(_first)


@contextmanager
def continued_by(advice: Callable[[], str | None]) -> Iterator[None]:
    """Say in an interruption inside the block what continues it; of several blocks the outermost does.

    Args:
        advice: gives the words, or None where the block does not know.
    """
    try:
        yield
    except Interrupted as interrupted:
        interrupted.advice = advice() or interrupted.advice
        raise
