"""The files of a run, each compared with the run's manifest before it is read."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from recbole_finest.errors import UserError
from recbole_finest.folders.manifest import Manifest
from recbole_finest.names import RESULT


class RunFiles:
    """What of a folder is a run's.

    Args:
        folder: the run's output folder.

    Raises:
        UserError: its manifest is damaged.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._manifest = Manifest.read(folder)
        self._verified: set[str] = set()
        if self._manifest is None and (folder / RESULT).is_file():
            logging.getLogger().warning(
                f"'{folder}' is of a version that wrote no manifest: its files are taken as they are"
            )

    def verified(self, name: str) -> Path | None:
        """The path of a file; None where the run has none of that name.

        Args:
            name: within the folder, with ``/``.

        Raises:
            UserError: another file stands there than the run wrote.
        """
        path = self.folder / name
        if self._manifest is None:
            return path if os.path.lexists(path) else None  # what it is the reader finds out
        if name not in self._manifest.files:
            return None
        if name not in self._verified:
            reason = self._manifest.why_not(path)
            if reason is not None:
                raise UserError(
                    f"'{path}' {reason}: it is not the file that the run wrote; resume the run with "
                    "--resume=True to make it again, or take another copy of the folder"
                )
            self._verified.add(name)
        return path

    def within(self, folder: str) -> list[Path]:
        """The files of rank lists in a folder of the run, by name, verified."""
        if self._manifest is None:
            return sorted(self.folder.glob(f"{folder}/*.npz"))
        names = sorted(name for name in self._manifest.files if Path(name).match(f"{folder}/*.npz"))
        return [path for name in names if (path := self.verified(name)) is not None]
