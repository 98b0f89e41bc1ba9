"""Curves in TensorBoard's format: what its writer cannot write is told as with any other file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from recbole_finest.errors import writes


class CurveWriter:
    """TensorBoard's writer, whose errors are :class:`recbole_finest.errors.Unwritten`.

    Args:
        writer: a ``SummaryWriter``.
    """

    def __init__(self, writer: Any):
        self._writer = writer

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._writer, name)
        return partial(self._call, found) if callable(found) else found

    def _call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with writes(self._writer.log_dir, own=True):
            return function(*args, **kwargs)


@contextmanager
def one_voice() -> Iterator[None]:
    """Keep TensorBoard's thread from printing what its writer raises once more when it is used next."""
    before = threading.excepthook

    def said(about: threading.ExceptHookArgs) -> None:
        ours = type(about.thread).__module__.partition(".")[0] == "tensorboard"
        if not (ours and isinstance(about.exc_value, OSError)):
            before(about)

    threading.excepthook = said
    try:
        yield
    finally:
        threading.excepthook = before
