"""A disk that is full after so many bytes, for what is written through ``files.py``."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from recbole_finest.files import _Raw


class Disk:
    """Attributes: ``left``, bytes that still fit; ``used``, bytes that were written."""

    def __init__(self, left: float = float("inf")):
        self.left, self.used = left, 0

    @contextmanager
    def mounted(self) -> Iterator[Disk]:
        write = _Raw.write

        def counted(raw: _Raw, data: Any, /) -> int:
            if len(memoryview(data).cast("B")) > self.left:
                raw.why = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                raise raw.why
            done = write(raw, data)
            self.left, self.used = self.left - done, self.used + done
            return done

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_Raw, "write", counted)
            yield self
