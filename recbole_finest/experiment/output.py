"""The files that a run leaves behind."""

from __future__ import annotations

import json
import logging
import platform
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
import yaml

from recbole_finest.config.config import Config
from recbole_finest.data.prepare import Data
from recbole_finest.evaluator.evaluation import Evaluation, rank_lists
from recbole_finest.evaluator.lists.instances import Instances
from recbole_finest.experiment.earlier import Earlier, identity
from recbole_finest.files import write_json, write_text
from recbole_finest.folders.manifest import Manifest
from recbole_finest.folders.own import own_folder
from recbole_finest.names import (
    CURVES,
    INSTANCES,
    LISTS,
    MARK,
    RESULT,
    SECONDS,
    STATE,
    TRAINING,
    UNSEEN,
)
from recbole_finest.parallel import distributed
from recbole_finest.train.checkpoint import save_checkpoint
from recbole_finest.train.state import States

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
        manifest: of the folder, with what an earlier run finished; of a new one, when missing.
        take: makes the folder the run's and gives ``writes``; None where it is already.
        states: whether trainings keep their state here after every epoch, for a run that resumes this one.

    Attributes:
        carried: seconds, of wall clock and of CPU, that an interrupted run spent on a stage.
        threads: numbers of threads that its models were made with.
    """

    def __init__(
        self,
        path: Path,
        logger: logging.Logger,
        resume: bool,
        name: str = "run",
        writes: bool = True,
        manifest: Manifest | None = None,
        take: Callable[[], bool] | None = None,
        states: bool = False,
    ):
        self.states = states
        self.carried: dict[str, tuple[float, float]] = {}
        self.threads = {torch.get_num_threads()}
        self.path = path
        kept = distributed.is_main()  # else the first process's would be overwritten
        self.manifest = Manifest(path, kept=kept) if manifest is None else manifest
        self.name = name
        self.logger = logger
        self.resume = resume
        self.writes = writes
        self._take = take

    def states_of(self, name: str, interval: int) -> States | None:
        """Where the training of a model keeps its state; None where none is kept."""
        best = self.path / f"{name}{TRAINING}"
        state = States(self.path / f"{name}{STATE}", best, name, self.resume, interval)
        return state if self.states else None

    def drop_states(self, name: str) -> None:
        """Remove what the training of a model has kept, now that its checkpoint is there."""
        states = self.states_of(name, 0)
        if states is not None and distributed.is_main():
            states.remove()

    def carry(self, name: str, seconds: Sequence[float]) -> None:
        """Note what an interrupted run spent on a stage."""
        wall, cpu = self.carried.get(name, (0.0, 0.0))
        self.carried[name] = wall + seconds[0], cpu + seconds[1]

    def take_over(self, **begins_with: str) -> None:
        """Make the folder this run's, once all that can be refused has been checked.

        Until then nothing in it changes; after it an earlier run's files are gone (``overwrite``), and
        ``config.yaml`` and the log are there.

        Args:
            begins_with: for the manifest: SHA-256 of what the stages begin with.
        """
        self.manifest.about.update(begins_with)
        if self._take is not None:
            self.writes, self._take = self._take(), None

    def how_to_continue(self) -> str | None:
        """What continues a run that is interrupted now; None before it has files."""
        settings = f"the same settings and --resume=True --output_dir={self.path}"
        return None if self._take is not None else settings

    def finished(self, name: str) -> Path | None:
        """The checkpoint of a stage that an earlier run finished, when resuming.

        One that is not in the manifest was not finished, or is not this run's.
        """
        path = self.path / f"{name}.pth"
        there = self.resume and path.name in self.manifest.files
        return distributed.from_main(lambda: path if there and path.is_file() else None)

    def earlier_seconds(self, name: str) -> float | None:
        """Seconds of a stage that an earlier run finished, when resuming; None where unknown."""
        return None if self.finished(name) is None else self._known_seconds().get(name)

    def write_seconds(self, seconds: Mapping[str, float]) -> None:
        """Keep the seconds so far, for a run that resumes this one."""
        if self._take is not None:
            return  # they come again with the next stage's
        known = self._known_seconds()
        with self.manifest.replacing(self.path / SECONDS):
            write_json(self.path / SECONDS, {**known, **seconds})

    def _known_seconds(self) -> dict[str, float]:
        if SECONDS not in self.manifest.files:
            return {}
        return json.loads((self.path / SECONDS).read_text(encoding="utf-8"))

    def save_checkpoint(self, name: str, model: Any, config: Config, **extra: Any) -> None:
        """Write ``<name>.pth``.

        Args:
            name: of the stage.
            model, config, extra: as for :func:`recbole_finest.train.checkpoint.save_checkpoint`.
        """
        path = self.path / f"{name}.pth"
        about = {key: extra[key] for key in ("stage", "fingerprint") if key in extra}
        with self.manifest.replacing(path, seed=config["seed"], **about):
            save_checkpoint(path, model, config, **extra)

    def save_model(
        self, name: str, model: Any, config: Config, trainer: Any, epochs: int, **extra: Any
    ) -> None:
        """Write ``<name>.pth`` and remove what training left."""
        extra |= {"stage": trainer.stage, "epochs": epochs, "curve": trainer.curves}
        extra |= {"threads": sorted(trainer.threads), "processes": distributed.world_size()}
        extra |= {"seconds": trainer.seconds()}  # of wall clock and of CPU
        self.save_checkpoint(name, model, config, **extra)
        trainer.tensorboard.close()  # RecBole leaves its file and its thread open
        Path(trainer.saved_model_file).unlink(missing_ok=True)
        self.drop_states(name)

    def write(
        self,
        data: Data,
        result: Mapping[str, Any],
        evaluations: Mapping[str, Evaluation],
        curves: Mapping[str, list],
    ) -> None:
        """Write rank lists, ``instances.npz``, ``curves.json`` and ``result.json``."""
        folders = [self.path / name for name in (LISTS, UNSEEN)]
        files = [self.path / name for name in (INSTANCES, CURVES, RESULT)]
        with self.manifest.replacing(*folders, *files):
            for folder in folders:
                own_folder(self.path, folder.name)
            for name, found in evaluations.items():
                rank_lists(data, found).save(folders[0] / f"{name}.npz")
                if found.unseen is not None:
                    rank_lists(data, found.without_seen()).save(folders[1] / f"{name}.npz")
            Instances.from_data(data).save(self.path / INSTANCES)
            write_json(self.path / CURVES, curves)
            write_json(self.path / RESULT, result)

    def write_result(self, result: Mapping[str, Any]) -> None:
        """Write ``result.json`` anew."""
        with self.manifest.replacing(self.path / RESULT):
            write_json(self.path / RESULT, result)

    def part(self, name: str, settings: Mapping[str, Any]) -> Output:
        """The output folder ``name`` within this one, made with its ``config.yaml``.

        Raises:
            UserError: it is another run's.
        """
        path = own_folder(self.path, *Path(name).parts)
        manifest = Manifest(path)
        if self.resume and (path / MARK).is_file():
            earlier = Earlier(path)
            earlier.check_settings(settings)
            manifest = earlier.take_over(self.logger.warning)
        manifest.about["settings"] = identity(settings)
        write_settings(manifest, settings)
        name = f"{self.name}-{path.name}"
        given: dict[str, Any] = {"manifest": manifest, "states": self.states}
        return Output(path, self.logger, self.resume, name, **given)

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

    def save_checkpoint(self, *args: Any, **extra: Any) -> None:
        pass

    def write(self, *args: Any) -> None:
        pass

    def write_result(self, result: Mapping[str, Any]) -> None:
        pass

    def part(self, name: str, settings: Mapping[str, Any]) -> Output:
        path = self.path / name
        name = f"{self.name}-{path.name}"
        return OtherOutput(path, self.logger, self.resume, name, self.writes, states=self.states)


def write_settings(manifest: Manifest, settings: Mapping[str, Any]) -> None:
    """Write ``config.yaml``, which marks the folder as a run's."""
    kept = {k: v for k, v in settings.items() if k not in ("overwrite", "resume")}
    path = manifest.folder / MARK
    with manifest.replacing(path):
        write_text(path, yaml.safe_dump(kept, sort_keys=True))
