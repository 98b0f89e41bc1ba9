"""The files that a training leaves after its epochs, and what makes sure that they are this training's."""

from __future__ import annotations

import logging
import os
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recbole_finest.compat import load_checkpoint
from recbole_finest.errors import UserError
from recbole_finest.folders.manifest import set_aside
from recbole_finest.parallel import distributed

State = dict[str, Any]


@dataclass
class States:
    """Where a training keeps its state.

    A state stands in ``path`` or, when its epoch was the best so far, in ``best`` alone: RecBole writes
    that file then, with all that a state has.

    Args:
        path: ``<name>.state.pth``.
        best: ``<name>.training.pth``.
        name: of the model.
        resume: whether a training goes on from what is there.
        interval: epochs from one state to the next; 0 keeps those of the best epochs only.

    Attributes:
        kept: the newest epoch that is kept, and its file.
    """

    path: Path
    best: Path
    name: str
    resume: bool
    interval: int
    kept: tuple[int, Path] | None = field(default=None, init=False)

    def newest(self, identity: Mapping[str, Any]) -> State | None:
        """The state of the newest epoch that can be gone on from; None where there is none.

        Files that are damaged or another training's are set aside, with a warning.

        Args:
            identity: what a state must say of its training.

        Raises:
            UserError: the training had another number of processes, or a file cannot be set aside.
        """
        if not self.resume:
            return None
        wrong: dict[Path, str] = {}
        found: dict[Path, State] = {}
        for path in (self.path, self.best):
            if os.path.lexists(path):
                state = read_state(path, identity)
                if isinstance(state, str):
                    wrong[path] = state
                else:
                    found[path] = state
        chosen = max(found.items(), key=lambda one: one[1]["epoch"], default=None)
        if chosen is not None and not self._whole(*chosen, found):
            wrong[chosen[0]] = f"the weights of its best epoch are not in '{self.best.name}'"
            del found[chosen[0]]
            chosen = next(iter(found.items()), None)
        self.kept = None if chosen is None else (chosen[1]["epoch"], chosen[0])
        self._set_aside(wrong)
        return None if chosen is None else chosen[1]

    def _whole(self, path: Path, state: State, found: Mapping[Path, State]) -> bool:
        best = state["best_epoch"]
        there = path == self.best or (self.best in found and found[self.best]["epoch"] == best)
        return best is None or there

    def _set_aside(self, wrong: Mapping[Path, str]) -> None:
        if not wrong:
            return
        reasons = "; ".join(
            f"'{path}' {why} (now '{_set_aside(path)}')" for path, why in wrong.items()
        )
        then = "is trained from its beginning"
        if self.kept is not None:
            then = f"goes on after epoch {self.kept[0]}"
        logging.getLogger().warning(f"{reasons}: it is set aside, and {self.name} {then}")

    def remove(self) -> None:
        """Remove the files, once the model stands in a file of its own."""
        for path in (self.path, self.best):
            path.unlink(missing_ok=True)


def read_state(path: Path, identity: Mapping[str, Any]) -> State | str:
    """A state whose checksums are right and whose training is ``identity``'s; else what is wrong.

    Raises:
        UserError: that training, but with another number of processes.
    """
    try:
        if not path.is_file():
            return "is no file"
        with zipfile.ZipFile(path) as archive:  # the reader below looks at the weights alone
            if archive.testzip() is not None:
                return "is damaged"
        state = load_checkpoint(path)
    except (UserError, OSError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error):
        return "is damaged"
    theirs = state.get("identity")
    if not isinstance(theirs, dict) or not isinstance(state.get("epoch"), int):
        return "holds no state of a training"
    other = [name for name in identity if theirs.get(name) != identity[name]]
    if other:
        return f"belongs to another training (it differs in {', '.join(other)})"
    check_processes(state, path)
    return state


def check_processes(state: Mapping[str, Any], path: Path) -> None:
    """Refuse to go on with another number of processes than a model or a state was made with.

    Raises:
        UserError: naming both.
    """
    now, then = distributed.world_size(), state.get("processes", distributed.world_size())
    if now != then:
        raise UserError(
            f"'{path}' was made by a training in {then} processes, and this one has {now}, which gives "
            f"another result; resume with {then}, or begin anew in another output_dir"
        )


def _set_aside(path: Path) -> str:
    try:
        return set_aside(path).name
    except OSError as error:
        raise UserError(
            f"'{path}' is damaged and cannot be set aside ({error.strerror}); remove it"
        ) from error
