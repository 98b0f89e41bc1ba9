"""The folder of a run: checked, then taken over, where the user says so cleared; and logging into it."""

from __future__ import annotations

import logging
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from logging.handlers import MemoryHandler
from pathlib import Path
from typing import Any

from recbole_finest.config.config import Config
from recbole_finest.errors import AGAIN, Unwritten, UserError, kept, writes
from recbole_finest.experiment.earlier import Earlier, identity
from recbole_finest.experiment.output import OtherOutput, Output, write_settings
from recbole_finest.files import LogFile, check_place
from recbole_finest.folders.lock import LOCK_FILES, only_writer
from recbole_finest.folders.manifest import MANIFEST, Manifest
from recbole_finest.folders.own import UNFINISHED, inside, sweep
from recbole_finest.names import LISTS, MARK, REFERENCE, REPLICATES, TENSORBOARD, UNSEEN
from recbole_finest.parallel import distributed
from recbole_finest.parallel.signals import continued_by


@contextmanager
def open_output(config: Config) -> Iterator[Output]:
    """Check the output folder, refuse another run's, set up logging.

    Nothing in the folder changes before :meth:`Output.take_over`, so that a run that is refused leaves
    an earlier run's files, or none.

    Raises:
        UserError: the folder holds a run (neither overwrite nor resume), or cannot be written.
    """
    with ExitStack() as stack:
        folder = Folder(config, stack)
        stack.enter_context(kept("output_dir", folder.path, folder.how_to_go_on))
        path = distributed.from_main(folder.check)
        with _logging(config, folder) as logger:
            resume = bool(config["resume"])
            if not distributed.is_main():
                name = f"rank{distributed.rank()}"
                yield OtherOutput(path, logger, resume, name, take=folder.take, states=True)
                return
            name = f"{config['model']}-{config['dataset']}-{time.strftime('%Y%m%d-%H%M%S')}"
            given: dict[str, Any] = {"manifest": folder.manifest, "take": folder.take}
            output = Output(path, logger, resume, name, **given, states=True)
            with continued_by(output.how_to_continue):
                yield output


@contextmanager
def _logging(config: Config, folder: Folder) -> Iterator[logging.Logger]:
    """The root logger: to the terminal, and, once there is one, to the run's log file."""
    if not distributed.is_main():
        with _silence() as logger:
            yield logger
        return
    logger = logging.getLogger()
    before = logger.level
    logger.setLevel(getattr(logging, str(config["state"] or "INFO").upper(), logging.INFO))
    shown = logging.StreamHandler(sys.stderr)
    shown.setFormatter(_formatter())
    logger.addHandler(folder.held)
    logger.addHandler(shown)
    try:
        yield logger
    finally:
        logger.setLevel(before)
        for handler in (folder.held, shown, folder.held.target):
            if handler is not None:
                logger.removeHandler(handler)
                with suppress(Unwritten):  # said before, and not in the place of another error
                    handler.close()


class Folder:
    """The folder of a run, from the first look to its being the run's.

    Args:
        config: the run's settings.
        lock: keeps the folder for this process, once it is this run's or is found to hold a run.

    Attributes:
        path: the folder.
        held: keeps what is logged until it has the log file as its target.
        manifest: of the folder.
    """

    def __init__(self, config: Config, lock: ExitStack):
        self.config, self._lock = config, lock
        self.path = output_path(config)
        self.held = MemoryHandler(1)
        self.manifest = Manifest(self.path, kept=distributed.is_main())
        self._settings = config.repeatable()  # now: a run writes into its own
        self._earlier: Earlier | None = None
        self._locked = False

    def check(self) -> Path:
        """The folder, which may hold another run only where the user says what becomes of it."""
        with writes(self.path):
            if _holds_run(self.path):
                self._keep()
        with writes(self.path):
            _check_folder(self.path, self.config)
        if self.config["resume"]:
            self._earlier = Earlier(self.path)
            self._earlier.check_settings(self._settings)
            self.manifest = self._earlier.manifest
        return self.path

    def take(self) -> bool:
        """Make the folder the run's; tells whether this process keeps reference lists there."""
        stamp = distributed.from_main(self._make)
        return distributed.is_main() or _keeps_lists(self.path, stamp)

    def _make(self) -> int:
        path, warn = self.path, logging.getLogger().warning
        with writes(path, own=True):
            path.mkdir(parents=True, exist_ok=True)
            if not self._locked:  # a new folder, and perhaps not only to this run
                self._keep()
                _check_folder(path, self.config)
            sweep(path)
            if self.config["overwrite"] and not self.config["resume"]:
                _clear(path)
            if self._earlier is not None:
                self._earlier.take_over(warn)
            self.manifest.about["settings"] = identity(self._settings)
            write_settings(self.manifest, self._settings)
            self.held.setTarget(
                _log_file(path / f"{self.config['model']}-{self.config['dataset']}.log")
            )
            self.held.flush()
            return (path / MARK).stat().st_mtime_ns

    def how_to_go_on(self) -> str:
        """The command that goes on after an error of writing."""
        if any(os.path.lexists(self.path / name) for name in (MARK, MANIFEST)):
            return f"continue with --resume=True and --output_dir={self.path}"
        return AGAIN

    def _keep(self) -> None:
        self._lock.enter_context(only_writer(self.path, "output_dir"))
        self._locked = True


def _holds_run(path: Path) -> bool:
    return path.is_dir() and any(os.path.lexists(path / name) for name in (MARK, MANIFEST))


def _left_by_a_kill(name: str) -> bool:
    """Whether a file is all that a run leaves which was killed before the folder was its own."""
    return name in LOCK_FILES or UNFINISHED.fullmatch(name) is not None


def _check_folder(path: Path, config: Config) -> None:
    run = _holds_run(path)
    used = run or (path.is_dir() and any(not _left_by_a_kill(f.name) for f in path.iterdir()))
    if used and not (config["overwrite"] or config["resume"]):
        raise UserError(
            f"output_dir '{path}' holds files of another run; choose another folder, or give "
            "--overwrite=True to replace them or --resume=True to continue"
        )
    if used and config["overwrite"] and not run:
        raise UserError(
            f"output_dir '{path}' holds files, but no run that --overwrite=True could replace; choose "
            "another folder"
        )
    if config["resume"] and not run:
        raise UserError(
            f"resume is True, but '{path}' holds no run; set output_dir to the run's folder"
        )
    there = next(p for p in (path, *path.absolute().parents) if p.exists())
    if not there.is_dir():
        why = f"'{there}' is a file; choose another folder"
        raise UserError(f"output_dir '{path}' cannot be written: {why}")
    try:
        check_place(there / f".{MANIFEST}")  # where nothing stands: what does is looked at later
    except Unwritten as error:
        raise OSError(error.errno, "") from error  # of the folder that is to be there


def _keeps_lists(path: Path, stamp: int) -> bool:
    mark = path / MARK
    return distributed.place().local_rank == 0 and not (
        mark.is_file() and mark.stat().st_mtime_ns == stamp
    )


@contextmanager
def _silence() -> Iterator[logging.Logger]:
    """The root logger, saying nothing: the first process speaks for all."""
    logger, handler = logging.getLogger(), logging.NullHandler()
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    logger.addHandler(handler)
    try:
        yield logger
    finally:
        logger.setLevel(before)
        logger.removeHandler(handler)


def _clear(path: Path) -> None:
    """Remove a run's files and its replicates', and only those; its mark is left, to be replaced."""
    folders = (REPLICATES, LISTS, UNSEEN, TENSORBOARD, "tables", f"{REFERENCE}*")
    for link in [file for name in folders for file in path.glob(name) if file.is_symlink()]:
        link.unlink()
    for part in inside(path, f"{REPLICATES}/*-*"):
        if (part / MARK).is_file():
            _clear(part)
            (part / MARK).unlink()
    names = ["*.pth", "*.json", "*.damaged*", "report.*", "*.log", "*instance*.npz", "tables/*"]
    names += [f"{LISTS}/*.npz", f"{UNSEEN}/*.npz", f"{REFERENCE}*/*"]
    names += [f"{TENSORBOARD}/**/events.out.tfevents.*"]
    for pattern in names:
        for file in inside(path, pattern):
            if file.is_symlink() or file.is_file():
                file.unlink()


def _log_file(path: Path) -> logging.Handler:
    file = LogFile(path)
    file.setFormatter(_formatter())
    return file


def _formatter() -> logging.Formatter:
    return _PlainFormatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S")


class _PlainFormatter(logging.Formatter):
    """Without the colour codes that RecBole puts into its messages."""

    def format(self, record: logging.LogRecord) -> str:
        return re.sub(r"\x1B\[[0-9;]*m", "", super().format(record))


def output_path(config: Config) -> Path:
    """Where the run's files go."""
    if config["output_dir"]:
        return Path(config["output_dir"])
    stamp = time.strftime("%Y%m%d-%H%M%S")
    return Path("runs") / f"{config['model']}-{config['dataset']}-{stamp}"
