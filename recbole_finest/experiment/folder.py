"""The folder of a run: checked, then taken over, where the user says so cleared; and logging into it."""

from __future__ import annotations

import logging
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from logging.handlers import MemoryHandler
from pathlib import Path

import yaml

from recbole_finest.config.config import Config
from recbole_finest.config.roles import Role, having
from recbole_finest.errors import UserError
from recbole_finest.experiment.output import OtherOutput, Output, write_settings
from recbole_finest.names import LISTS, MARK, REPLICATES, TENSORBOARD, UNSEEN
from recbole_finest.parallel import distributed


@contextmanager
def open_output(config: Config) -> Iterator[Output]:
    """Check the output folder, refuse another run's, set up logging.

    Nothing in the folder changes before :meth:`Output.take_over`, so that a run that is refused leaves
    an earlier run's files, or none.

    Raises:
        UserError: the folder holds a run (neither overwrite nor resume), or cannot be written.
    """
    path = distributed.from_main(lambda: _check_folder(config))
    held = MemoryHandler(1)  # keeps what is logged until it has the log file as its target
    take = _taking(path, config, held)
    resume = bool(config["resume"])
    if not distributed.is_main():
        with _silence() as logger:
            yield OtherOutput(path, logger, resume, f"rank{distributed.rank()}", take=take)
        return
    logger = logging.getLogger()
    level = getattr(logging, str(config["state"] or "INFO").upper(), logging.INFO)
    before = logger.level
    logger.setLevel(level)
    shown = logging.StreamHandler(sys.stderr)
    shown.setFormatter(_formatter())
    logger.addHandler(held)
    logger.addHandler(shown)
    try:
        stamp = time.strftime("%Y%m%d-%H%M%S")
        name = f"{config['model']}-{config['dataset']}-{stamp}"
        yield Output(path, logger, resume, name, take=take)
    finally:
        logger.setLevel(before)
        for handler in (held, shown, held.target):
            if handler is not None:
                logger.removeHandler(handler)
                handler.close()


def _check_folder(config: Config) -> Path:
    """The run's folder, which may hold another run only where the user says what becomes of it."""
    path = output_path(config)
    used = (path / MARK).exists() or (path.is_dir() and any(path.iterdir()))
    if used and not (config["overwrite"] or config["resume"]):
        raise UserError(
            f"output_dir '{path}' holds files of another run; choose another folder, or give "
            "--overwrite=True to replace them or --resume=True to continue"
        )
    if used and config["overwrite"] and not (path / MARK).exists():
        raise UserError(
            f"output_dir '{path}' holds files, but no run that --overwrite=True could replace; choose "
            "another folder"
        )
    if config["resume"] and not (path / MARK).exists():
        raise UserError(
            f"resume is True, but '{path}' holds no run; set output_dir to the run's folder"
        )
    there = next(p for p in (path, *path.absolute().parents) if p.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        why = "Permission denied" if there.is_dir() else f"'{there}' is a file"
        raise UserError(f"output_dir '{path}' cannot be written: {why}")
    _check_same_settings(path, config)
    return path


def _taking(path: Path, config: Config, held: MemoryHandler) -> Callable[[], bool]:
    """What makes the folder the run's; tells whether this process keeps reference lists there."""
    settings = config.repeatable()  # now: a run writes into its own
    overwrite = bool(config["overwrite"])
    log = path / f"{config['model']}-{config['dataset']}.log"

    def make() -> int:
        try:
            path.mkdir(parents=True, exist_ok=True)
            if overwrite:
                _clear(path)
            write_settings(path, settings)
            held.setTarget(_log_file(log))
            held.flush()
            return (path / MARK).stat().st_mtime_ns
        except OSError as error:
            raise UserError(f"output_dir '{path}' cannot be written: {error.strerror}") from error

    def take() -> bool:
        stamp = distributed.from_main(make)
        return distributed.is_main() or _keeps_lists(path, stamp)

    return take


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


def _check_same_settings(path: Path, config: Config) -> None:
    if not config["resume"]:
        return
    before = yaml.safe_load((path / MARK).read_text(encoding="utf-8")) or {}
    now = config.repeatable()
    for name in sorted(set(before) & set(now) - having(Role.RESUMABLE)):
        if before[name] != now[name]:
            raise UserError(
                f"the run in '{path}' has {name}={before[name]!r}, not {now[name]!r}; resume with the "
                "same settings, or choose another output_dir"
            )


def _clear(path: Path) -> None:
    """Remove a run's files and its replicates', and only those; its mark is left, to be replaced."""
    for part in (path / REPLICATES).glob("*-*"):
        if (part / MARK).is_file():
            _clear(part)
            (part / MARK).unlink()
    names = ["*.pth", "*.json", "report.*", "*.log", "*instance*.npz", "tables/*"]
    names += [f"{LISTS}/*.npz", f"{UNSEEN}/*.npz", "reference*/*"]
    names += [f"{TENSORBOARD}/**/events.out.tfevents.*"]
    for pattern in names:
        for file in path.glob(pattern):
            if file.is_file():
                file.unlink()


def _log_file(path: Path) -> logging.Handler:
    file = logging.FileHandler(path, encoding="utf-8")
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
