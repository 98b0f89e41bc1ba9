"""The folder of a run: opened, checked and, where the user says so, cleared; and logging into it."""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from recbole_finest import distributed
from recbole_finest.errors import UserError
from recbole_finest.replicates import FOLDER as REPLICATES
from recbole_finest.report.run_folder import LISTS, UNSEEN
from recbole_finest.result import MARK, OtherOutput, Output, write_settings


@contextmanager
def open_output(config: Any) -> Iterator[Output]:
    """Make the output folder, refuse another run's, write ``config.yaml``, set up logging.

    Raises:
        UserError: the folder holds a run (neither overwrite nor resume), or cannot be written.
    """
    path, written = distributed.from_main(lambda: _open_folder(config))
    config["checkpoint_dir"] = str(path)
    if not distributed.is_main():
        with _silence() as logger:
            resume, keeps = bool(config["resume"]), _keeps_lists(path, written)
            yield OtherOutput(path, logger, resume, f"rank{distributed.rank()}", keeps)
        return
    try:
        handlers = _handlers(path, config)
    except OSError as error:
        raise UserError(f"output_dir '{path}' cannot be written: {error.strerror}") from error
    logger = logging.getLogger()
    level = getattr(logging, str(config["state"] or "INFO").upper(), logging.INFO)
    before = logger.level
    logger.setLevel(level)
    for handler in handlers:
        logger.addHandler(handler)
    try:
        stamp = time.strftime("%Y%m%d-%H%M%S")
        name = f"{config['model']}-{config['dataset']}-{stamp}"
        yield Output(path, logger, bool(config["resume"]), name)
    finally:
        logger.setLevel(before)
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()


def _open_folder(config: Any) -> tuple[Path, int]:
    """Make or check the folder and write ``config.yaml``; returns the folder and that file's time."""
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
    try:
        path.mkdir(parents=True, exist_ok=True)
        if config["overwrite"]:
            _clear(path)
        _check_same_settings(path, config)
        config["checkpoint_dir"] = str(path)
        write_settings(path, config.plain())
        return path, (path / MARK).stat().st_mtime_ns
    except OSError as error:
        raise UserError(f"output_dir '{path}' cannot be written: {error.strerror}") from error


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


# Settings that may differ between a run and its continuation.
_FREE = frozenset(["output_dir", "checkpoint_dir", "show_progress", "state", "worker", "data_path"])
_FREE |= {"seeds", "perturbation_seeds"}  # more of them may be added to a finished run
_FREE |= {"ip", "port", "group_offset", "local_rank", "process_timeout", "gpu_id"}


def _check_same_settings(path: Path, config: Any) -> None:
    if not config["resume"]:
        return
    before = yaml.safe_load((path / MARK).read_text(encoding="utf-8")) or {}
    now = config.plain()
    for name in sorted(set(before) & set(now) - _FREE - {"overwrite", "resume"}):
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
    for pattern in names:
        for file in path.glob(pattern):
            if file.is_file():
                file.unlink()


def _handlers(path: Path, config: Any) -> list[logging.Handler]:
    stamp = "%(asctime)s %(levelname)s %(message)s"
    file = logging.FileHandler(
        path / f"{config['model']}-{config['dataset']}.log", encoding="utf-8"
    )
    shown = logging.StreamHandler(sys.stderr)
    for handler in (file, shown):
        handler.setFormatter(_PlainFormatter(stamp, "%H:%M:%S"))
    return [file, shown]


class _PlainFormatter(logging.Formatter):
    """Without the colour codes that RecBole puts into its messages."""

    def format(self, record: logging.LogRecord) -> str:
        return re.sub(r"\x1B\[[0-9;]*m", "", super().format(record))


def output_path(config: Any) -> Path:
    """Where the run's files go."""
    if config["output_dir"]:
        return Path(config["output_dir"])
    stamp = time.strftime("%Y%m%d-%H%M%S")
    return Path("runs") / f"{config['model']}-{config['dataset']}-{stamp}"
