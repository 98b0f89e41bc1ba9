"""The files that a run leaves behind."""

from __future__ import annotations

import json
import logging
import os
import platform
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml

from recbole_finest import distributed
from recbole_finest.errors import UserError
from recbole_finest.evaluation import Evaluation, rank_lists
from recbole_finest.replicates import FOLDER as REPLICATES
from recbole_finest.report.instances import Instances
from recbole_finest.report.run_folder import LISTS, UNSEEN
from recbole_finest.run_trainer import save_checkpoint

PACKAGES = ("recbole", "torch", "numpy", "scipy", "pandas")
SECONDS = "seconds.json"  # of the stages, as they end
MARK = "config.yaml"  # a folder that holds one belongs to a run


class Output:
    """The output folder of one run.

    Args:
        path: the folder; it exists.
        logger: logs to the terminal and to ``run.log``.
        resume: whether finished stages are taken from the folder.
        name: what the run is called in TensorBoard and Weights & Biases.
        writes: whether this process keeps reference lists here: the first one, and on a machine that
            does not see its folder the first one there.
    """

    def __init__(
        self,
        path: Path,
        logger: logging.Logger,
        resume: bool,
        name: str = "run",
        writes: bool = True,
    ):
        self.path = path
        self.name = name
        self.logger = logger
        self.resume = resume
        self.writes = writes

    def finished(self, name: str) -> Path | None:
        """The checkpoint of a stage that an earlier run finished, when resuming."""
        path = self.path / f"{name}.pth"
        return distributed.from_main(lambda: path if self.resume and path.is_file() else None)

    def earlier_seconds(self, name: str) -> float | None:
        """Seconds of a stage that an earlier run finished, when resuming; None where unknown."""
        path = self.path / SECONDS
        if self.finished(name) is None or not path.is_file():
            return None
        return json.loads(path.read_text(encoding="utf-8")).get(name)

    def write_seconds(self, seconds: Mapping[str, float]) -> None:
        """Keep the seconds so far, for a run that resumes this one."""
        path = self.path / SECONDS
        known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        write_json(path, {**known, **seconds})

    def save_model(
        self, name: str, model: Any, config: Any, trainer: Any, epochs: int, **extra: Any
    ) -> None:
        """Write ``<name>.pth`` and remove what training left."""
        trainer.tensorboard.close()  # RecBole leaves its file and its thread open
        extra |= {"epochs": epochs, "curve": trainer.curves}
        save_checkpoint(self.path / f"{name}.pth", model, config, **extra)
        Path(trainer.saved_model_file).unlink(missing_ok=True)

    def write(
        self,
        data: Any,
        result: Mapping[str, Any],
        evaluations: Mapping[str, Evaluation],
        curves: Mapping[str, list],
    ) -> None:
        """Write rank lists, ``instances.npz``, ``curves.json`` and ``result.json``."""
        for folder in (LISTS, UNSEEN):
            (self.path / folder).mkdir(exist_ok=True)
        for name, found in evaluations.items():
            rank_lists(data, found).save(self.path / LISTS / f"{name}.npz")
            if found.unseen is not None:
                rank_lists(data, found.without_seen()).save(self.path / UNSEEN / f"{name}.npz")
        Instances.from_data(data).save(self.path / "instances.npz")
        write_json(self.path / "curves.json", curves)
        self.write_result(result)

    def write_result(self, result: Mapping[str, Any]) -> None:
        """Write ``result.json``."""
        write_json(self.path / "result.json", result)

    def write_report(self) -> None:
        """Write the report from the folder's files."""
        from recbole_finest.report.write import write_report  # Plotly only when it is needed

        write_report(self.path)

    def part(self, name: str, settings: Mapping[str, Any]) -> Output:
        """The output folder ``name`` within this one, made with its ``config.yaml``."""
        path = self.path / name
        path.mkdir(parents=True, exist_ok=True)
        _write_settings(path, settings)
        return Output(path, self.logger, self.resume, f"{self.name}-{path.name}")

    @staticmethod
    def versions() -> dict[str, str]:
        """Versions of Python and of the packages that a result depends on."""
        from recbole_finest import __version__

        found = {"python": platform.python_version(), "recbole-finest": __version__}
        for package in PACKAGES:
            try:
                found[package] = version(package)
            except PackageNotFoundError:
                found[package] = "not installed"
        return found


class OtherOutput(Output):
    """What all processes but the first have: nothing is written."""

    def write_seconds(self, seconds: Mapping[str, float]) -> None:
        pass

    def save_model(self, *args: Any, **extra: Any) -> None:
        pass

    def write(self, *args: Any) -> None:
        pass

    def write_result(self, result: Mapping[str, Any]) -> None:
        pass

    def write_report(self) -> None:
        pass

    def part(self, name: str, settings: Mapping[str, Any]) -> Output:
        path = self.path / name
        return OtherOutput(path, self.logger, self.resume, f"{self.name}-{path.name}", self.writes)


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically; floats are unrounded."""
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
    os.replace(part, path)


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
        _write_settings(path, config.plain())
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


def _write_settings(path: Path, settings: Mapping[str, Any]) -> None:
    kept = {k: v for k, v in settings.items() if k not in ("overwrite", "resume")}
    (path / MARK).write_text(yaml.safe_dump(kept, sort_keys=True), encoding="utf-8")


def _clear(path: Path) -> None:
    """Remove a run's files and its replicates', and only those."""
    for part in (path / REPLICATES).glob("*-*"):
        if (part / MARK).is_file():
            _clear(part)
    names = ["*.pth", "*.json", "report.*", MARK, "*.log", "*instance*.npz", "tables/*"]
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
        import re

        return re.sub(r"\x1B\[[0-9;]*m", "", super().format(record))


def output_path(config: Any) -> Path:
    """Where the run's files go."""
    if config["output_dir"]:
        return Path(config["output_dir"])
    stamp = time.strftime("%Y%m%d-%H%M%S")
    return Path("runs") / f"{config['model']}-{config['dataset']}-{stamp}"
