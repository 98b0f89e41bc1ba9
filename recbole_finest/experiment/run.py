"""The stages of a run, in order: base, references, fine-tuning, test perturbation, evaluation."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from typing import Any

import numpy as np
from torch import nn

from recbole_finest.config.config import Config
from recbole_finest.data.from_settings import draw_test_perturbation, is_perturbed
from recbole_finest.data.log import InteractionLog
from recbole_finest.data.perturbation import Changes
from recbole_finest.data.prepare import Data, prepare
from recbole_finest.errors import UserError
from recbole_finest.evaluator.collapse import sentence as collapse_sentence
from recbole_finest.evaluator.evaluation import Evaluation, valid_reference
from recbole_finest.evaluator.measures.direction import in_full_agreement
from recbole_finest.experiment.cost import cost
from recbole_finest.experiment.earlier import same_data
from recbole_finest.experiment.output import Output
from recbole_finest.experiment.progress import COMPARISON, DATA, Progress, described, planned
from recbole_finest.experiment.protocol import (
    CONTROL_FAILED,
    Base,
    Side,
    check_bases,
    lists_name,
    side_of,
)
from recbole_finest.experiment.replicates import check_replicates
from recbole_finest.experiment.result import result_of
from recbole_finest.experiment.stages import (
    average,
    check_methods,
    check_simulation,
    fine_tune,
    measured,
    train_base,
    write_changes,
)
from recbole_finest.experiment.tracking import log_result, tracked
from recbole_finest.method import Method, make_method
from recbole_finest.model.average import AverageModel
from recbole_finest.names import BASE, CONTROL, FINEST, RECBOLE_ORDER, SEED_CONTROL, perturbed
from recbole_finest.reference.build import build_references
from recbole_finest.reference.lists import ReferenceLists, reference_k
from recbole_finest.train.checkpoint import Trained, load_base
from recbole_finest.train.mode import choose_training_mode
from recbole_finest.train.verify import verify_ids


class Run:
    """One run: the state that its stages share.

    Args:
        config: the run's settings.
        output: where its files go.
        checkpoint: a trained base to start from, or None.

    Attributes:
        methods: the methods by name.
        models, evaluations, epochs, curves: of every trained model, by name.
        lists: reference lists of a base, or of the average of several.
        seconds, inference_seconds: by stage, and of scoring the test instances by model.
        why_not_packed: why training is not packed; None where it is.
        perturbed_log, changes: the test perturbation; None where there is none.
    """

    data: Data
    k: int
    why_not_packed: str | None
    cost: dict[str, dict[str, float | None]]
    perturbed_log: InteractionLog | None
    changes: Changes | None

    def __init__(self, config: Config, output: Output, checkpoint: Mapping[str, Any] | None = None):
        self.config = config
        self.output = output
        self.checkpoint = checkpoint
        self.logger = output.logger
        self.methods = {n: make_method(n, config) for n in [*config["baselines"], FINEST]}
        self.models: dict[str, nn.Module] = {}
        self.evaluations: dict[str, Evaluation] = {}
        self.lists: dict[tuple[Base, ...], ReferenceLists] = {}
        self.seconds: dict[str, float] = {}
        self.inference_seconds: dict[str, float] = {}
        self.epochs: dict[str, int] = {}
        self.curves: dict[str, list[dict[str, float]]] = {}

    def measure(self) -> dict[str, Any]:
        """All stages of one seed and one test perturbation; returns the result, which is also written."""
        config = self.config
        self._plan([False, True] if is_perturbed(config) else [False])
        with self.stage(DATA):
            check_bases(config, self.methods.values(), given=self.checkpoint is not None)
            self.data = prepare(config)
            self.why_not_packed = choose_training_mode(self.data)
            self.k = reference_k(config, self.data.log.n_items, self.logger.warning)
            check_simulation(config, self.data.log)
            check_methods(config, self.data, self.methods.values())
            self.logger.info(described(self.data, self.why_not_packed))
        self.perturbed_log, self.changes = self._perturbation()
        check_replicates(self)
        if self.checkpoint is not None:
            base = load_base(config, self.checkpoint, self.data)  # refuses one that does not fit
            verify_ids(
                config, self.checkpoint, self.data, base, config["base_checkpoint"], advice=""
            )
        self.output.take_over(**same_data(self.output.manifest, config, self.data))
        self._save_changes()
        self.base(BASE)
        self._fine_tuning(on_perturbed=False)
        trained = {k: v for k, v in self.seconds.items() if k != BASE or self.checkpoint is None}
        sides = {name: self._side(method, False) for name, method in self.methods.items()}
        self.cost = cost(sides, config["seed"], trained, self.inference_seconds)
        return self._measure()

    def measure_perturbed(self) -> dict[str, Any]:
        """The stages after the clean side, for another test perturbation than the run's first."""
        self._plan([True])
        with self.stage(DATA):
            self.perturbed_log, self.changes = self._perturbation()
            self._save_changes()
        return self._measure()

    def _measure(self) -> dict[str, Any]:
        if self.perturbed_log is not None:
            self.base(perturbed(BASE), self.perturbed_log)
            self._fine_tuning(on_perturbed=True)
            self._controls()
        with self.stage("evaluation", COMPARISON):
            result = result_of(self)
        if not in_full_agreement(result["stability"].get(CONTROL, {})):
            self.logger.warning(CONTROL_FAILED)
        self.output.write(self.data, result, self.evaluations, self.curves)
        log_result(self.config, self.output.name, result)
        return result

    @contextmanager
    def stage(self, name: str, shown: str | None = None) -> Iterator[None]:
        """Log a stage and add up its seconds; a resumed one has those of the run that finished it."""
        self.logger.info(self._progress.begin(shown or name, self.seconds, self.epochs))
        earlier = self.output.earlier_seconds(name)
        begin = time.perf_counter()
        yield
        spent = time.perf_counter() - begin
        carried, _ = self.output.carried.pop(name, (0.0, 0.0))
        whole = earlier or spent + carried
        self.seconds[name] = self.seconds.get(name, 0.0) + whole
        self.output.write_seconds(self.seconds)
        self.logger.info(f"{shown or name} took {spent:.1f} s")

    def _plan(self, sides: Sequence[bool]) -> None:
        """Number the stages that these sides take."""
        clean = [one for one in self.lists if not one[0].perturbed]
        there = [*self.models, *[lists_name(one, self.config["seed"]) for one in clean]]
        stages = planned(self.config, self.methods, sides, there)
        resumed = [name for name in stages if self.output.resume and self.output.finished(name)]
        self._progress = Progress(stages, self.config["finest_epochs"], resumed)

    def _tracked(self, name: str) -> AbstractContextManager[None]:
        return tracked(self.config, self.output.path, self.output.name, name)

    # The test perturbation -----------------------------------------------------------------------

    def _perturbation(self) -> tuple[InteractionLog | None, Changes | None]:
        drawn = draw_test_perturbation(self.config, self.data, self.logger)
        if drawn is None:
            return None, None
        if self.checkpoint is not None and "config" not in self.checkpoint:
            raise UserError(
                f"base_checkpoint '{self.config['base_checkpoint']}' does not say how it was trained, so "
                "base' cannot be trained alike; set perturbation_ratio=0"
            )
        return drawn

    def _save_changes(self) -> None:
        if self.changes is not None:
            write_changes(self.config, self.data, self.output, self.changes)

    # Bases ---------------------------------------------------------------------------------------

    def base(self, name: str, log: InteractionLog | None = None, **changed: Any) -> None:
        """Train (or load) one base model and evaluate it."""
        self._train_base(name, log, **changed)
        self._evaluate(name)

    def _train_base(self, name: str, log: InteractionLog | None = None, **changed: Any) -> None:
        with self.stage(name), self._tracked(name):
            if name == BASE and self.checkpoint is not None:
                self.models[name] = load_base(self.config, self.checkpoint, self.data)
                self.epochs[name] = 0
                return
            trained = train_base(self.config, self.data, self.output, name, log, **changed)
            self.models[name], self.epochs[name], self.curves[name] = trained

    def _model(self, base: Base) -> nn.Module:
        """A trained base; one of another seed or recipe is trained when it is first asked for."""
        name = base.name(self.config["seed"])
        if name not in self.models:
            changed = self.config["recipe"] if base.by_recipe else {}
            self._train_base(name, self._log(base.perturbed), **{**changed, "seed": base.seed})
        return self.models[name]

    def _controls(self) -> None:
        config = self.config
        if config["control"]:
            self.base(CONTROL)
        if config["seed_control"]:
            self.base(SEED_CONTROL, seed=config["seed"] + 1)
        if config["recbole_order_baseline"] and config["shuffle_order"] != "recbole":
            self.base(RECBOLE_ORDER, shuffle_order="recbole")
            self.base(perturbed(RECBOLE_ORDER), self.perturbed_log, shuffle_order="recbole")

    # Methods -------------------------------------------------------------------------------------

    def _side(self, method: Method, on_perturbed: bool) -> Side:
        return side_of(method, on_perturbed, self.config)

    def _log(self, on_perturbed: bool) -> InteractionLog | None:
        return self.perturbed_log if on_perturbed else None

    def _fine_tuning(self, on_perturbed: bool) -> None:
        """One side's model of every method."""
        sides = {name: self._side(method, on_perturbed) for name, method in self.methods.items()}
        keep_scores = any(side.list_scores for side in sides.values())
        for bases in dict.fromkeys(side.lists for side in sides.values() if side.lists):
            if bases not in self.lists:
                self._build_lists(bases, keep_scores)
        for name, side in sides.items():
            self._make(name, side, on_perturbed)

    def _build_lists(self, bases: tuple[Base, ...], keep_scores: bool) -> None:
        models = [self._model(base) for base in bases]
        name = lists_name(bases, self.config["seed"])
        folder = self.output.path / name
        with self.stage(name), self.output.manifest.replacing(folder):
            self.lists[bases] = build_references(
                self.config,
                self.data,
                models[0] if len(models) == 1 else AverageModel(models, self.data.train),
                folder,
                self.k,
                self._log(bases[0].perturbed),
                keep_scores,
                self.output.writes,
                reuse=self.output.resume,
            )
            self.output.carry(name, self.lists[bases].earlier_seconds)

    def _make(self, method: str, side: Side, on_perturbed: bool) -> None:
        """A method's model of one side, and its evaluation."""
        name = perturbed(method) if on_perturbed else method
        bases, known = [self._model(base) for base in side.bases], self._known_valid_lists
        log = self._log(on_perturbed)
        with self.stage(name), self._tracked(name):
            if side.trains:
                made: Trained = fine_tune(
                    self.config,
                    self.data,
                    self.output,
                    name,
                    bases[0],
                    self.methods[method],
                    self.lists[side.lists] if side.lists else None,
                    log,
                    known,
                )
            elif len(bases) > 1:
                made = average(self.config, self.data, self.output, name, bases, log)
            else:
                made = bases[0], 0, []
        self.models[name], self.epochs[name], self.curves[name] = made
        self._evaluate(name)

    @cached_property
    def _known_valid_lists(self) -> np.ndarray | None:
        """Base's lists on the validation instances."""
        return valid_reference(self.config, self.data, self.models[BASE])

    def _evaluate(self, name: str) -> None:
        same = next(
            (other for other in self.evaluations if self.models[other] is self.models[name]), None
        )
        if same is not None:  # nothing was trained: the model is base itself
            self.evaluations[name] = self.evaluations[same]
            self.inference_seconds[name] = self.inference_seconds[same]
            return
        with self.stage("evaluation"):
            found = measured(self.config, self.data, self.models[name], name)
            self.evaluations[name], self.inference_seconds[name] = found
        if (how := self.evaluations[name].collapsed) is not None:
            self.logger.warning(collapse_sentence(name, name, how))
