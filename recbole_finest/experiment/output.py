"""The files that a run leaves behind."""

from __future__ import annotations

import json
import logging
import platform
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml

from recbole_finest.config.config import Config
from recbole_finest.data.prepare import Data
from recbole_finest.evaluator.evaluation import Evaluation, rank_lists
from recbole_finest.evaluator.lists.instances import Instances
from recbole_finest.files import write_json, write_text
from recbole_finest.names import CURVES, INSTANCES, LISTS, MARK, RESULT, SECONDS, UNSEEN
from recbole_finest.parallel import distributed
from recbole_finest.train.checkpoint import save_checkpoint

PACKAGES = ("recbole", "torch", "numpy", "scipy", "pandas")


class Output:
    """The output folder of one run.

    Args:
        path: the folder; it exists once the run has taken it over.
        logger: logs to the terminal and to ``run.log``.
        resume: whether finished stages are taken from the folder.
        name: what the run is called in TensorBoard and Weights & Biases.
        writes: whether this process keeps reference lists here: the first one, and on a machine that
            does not see its folder the first one there.
        take: makes the folder the run's and gives ``writes``; None where it is already.
    """

    def __init__(
        self,
        path: Path,
        logger: logging.Logger,
        resume: bool,
        name: str = "run",
        writes: bool = True,
        take: Callable[[], bool] | None = None,
    ):
        self.path = path
        self.name = name
        self.logger = logger
        self.resume = resume
        self.writes = writes
        self._take = take

    def take_over(self) -> None:
        """Make the folder this run's, once all that can be refused has been checked.

        Until then nothing in it changes; after it an earlier run's files are gone (``overwrite``), and
        ``config.yaml`` and the log are there.
        """
        if self._take is not None:
            self.writes, self._take = self._take(), None

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
        if self._take is not None:
            return  # they come again with the next stage's
        path = self.path / SECONDS
        known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        write_json(path, {**known, **seconds})

    def save_model(
        self, name: str, model: Any, config: Config, trainer: Any, epochs: int, **extra: Any
    ) -> None:
        """Write ``<name>.pth`` and remove what training left."""
        trainer.tensorboard.close()  # RecBole leaves its file and its thread open
        extra |= {"stage": trainer.stage, "epochs": epochs, "curve": trainer.curves}
        save_checkpoint(self.path / f"{name}.pth", model, config, **extra)
        Path(trainer.saved_model_file).unlink(missing_ok=True)

    def write(
        self,
        data: Data,
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
        Instances.from_data(data).save(self.path / INSTANCES)
        write_json(self.path / CURVES, curves)
        self.write_result(result)

    def write_result(self, result: Mapping[str, Any]) -> None:
        """Write ``result.json``."""
        write_json(self.path / RESULT, result)

    def part(self, name: str, settings: Mapping[str, Any]) -> Output:
        """The output folder ``name`` within this one, made with its ``config.yaml``."""
        path = self.path / name
        path.mkdir(parents=True, exist_ok=True)
        write_settings(path, settings)
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

    def part(self, name: str, settings: Mapping[str, Any]) -> Output:
        path = self.path / name
        return OtherOutput(path, self.logger, self.resume, f"{self.name}-{path.name}", self.writes)


def write_settings(path: Path, settings: Mapping[str, Any]) -> None:
    """Write ``config.yaml``, which marks the folder as a run's."""
    kept = {k: v for k, v in settings.items() if k not in ("overwrite", "resume")}
    write_text(path / MARK, yaml.safe_dump(kept, sort_keys=True))
