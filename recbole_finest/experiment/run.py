"""The stages of a run, in order: base, references, fine-tuning, test perturbation, evaluation."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from recbole_finest.config.config import Config
from recbole_finest.data.from_settings import draw_test_perturbation
from recbole_finest.data.log import InteractionLog
from recbole_finest.data.perturbation import Changes, save_changes
from recbole_finest.data.prepare import Data, prepare
from recbole_finest.errors import UserError
from recbole_finest.evaluator.compare_models import compare_models
from recbole_finest.evaluator.evaluation import (
    Evaluation,
    evaluate,
    list_profile,
    stability,
    valid_reference,
)
from recbole_finest.evaluator.measures.direction import in_full_agreement
from recbole_finest.experiment.cost import base_names, cost
from recbole_finest.experiment.output import Output
from recbole_finest.experiment.protocol import CONTROL_FAILED
from recbole_finest.experiment.replicates import check_replicates
from recbole_finest.experiment.stages import (
    apply_method,
    check_methods,
    check_simulation,
    train_base,
)
from recbole_finest.experiment.tracking import log_result, tracked
from recbole_finest.method import Method, make_method
from recbole_finest.names import CHANGES, PERTURBED
from recbole_finest.parallel import distributed
from recbole_finest.reference.build import build_references
from recbole_finest.reference.lists import ReferenceLists, reference_k
from recbole_finest.scoring.scorer import Scorer, TimedScorer
from recbole_finest.train.base_checkpoint import load_base
from recbole_finest.train.mode import choose_training_mode


class Run:
    """One run: the state that its stages share.

    Args:
        config: the run's settings.
        output: where its files go.
        checkpoint: a trained base to start from, or None.
    """

    def __init__(self, config: Config, output: Output, checkpoint: dict[str, Any] | None = None):
        self.config = config
        self.output = output
        self.checkpoint = checkpoint
        self.log = output.logger
        names = [*config["baselines"], "finest"]
        self.methods: dict[str, Method] = {name: make_method(name, config) for name in names}
        self.models: dict[str, Any] = {}
        self.evaluations: dict[str, Evaluation] = {}
        self.seconds: dict[str, float] = {}
        self.inference_seconds: dict[str, float] = {}
        self.epochs: dict[str, int] = {}
        self.curves: dict[str, list[dict[str, float]]] = {}

    def measure(self) -> dict[str, Any]:
        """All stages of one seed and one test perturbation; returns the result, which is also written."""
        config = self.config
        with self.stage("data"):
            self.data: Data = prepare(config)
            reason = choose_training_mode(self.data)
            self.k = reference_k(config, self.data.log.n_items, self.log.warning)
            check_simulation(config, self.data.log)
            check_methods(config, self.data, self.methods.values())
            self.log.info(self._describe(reason))
        self.perturbed, self.changes = self._perturbation()
        check_replicates(self)
        if self.checkpoint is not None:
            load_base(config, self.checkpoint, self.data)  # refuses one that does not fit
        self.output.take_over()
        self._save_changes()
        self.base("base")
        self._fine_tuning("", None)
        trained = {k: v for k, v in self.seconds.items() if k != "base" or self.checkpoint is None}
        self.cost = cost(self.methods, config["seed"], trained, self.inference_seconds)
        return self._measure()

    def measure_perturbed(self) -> dict[str, Any]:
        """The stages after the clean side, for another test perturbation than the run's first."""
        self.perturbed, self.changes = self._perturbation()
        self._save_changes()
        return self._measure()

    def _measure(self) -> dict[str, Any]:
        if self.perturbed is not None:
            self.base("base_perturbed", self.perturbed)
            self._fine_tuning("_perturbed", self.perturbed)
            self._controls()
        with self.stage("evaluation"):
            result = self._result()
        if not in_full_agreement(result["stability"].get("control", {})):
            self.log.warning(CONTROL_FAILED)
        self.output.write(self.data, result, self.evaluations, self.curves)
        log_result(self.config, self.output.name, result)
        return result

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Log a stage and add up its seconds; a resumed one has those of the run that finished it."""
        self.log.info(f"{name} …")
        earlier = self.output.earlier_seconds(name)
        begin = time.perf_counter()
        yield
        spent = time.perf_counter() - begin
        self.seconds[name] = self.seconds.get(name, 0.0) + (earlier or spent)
        self.output.write_seconds(self.seconds)
        self.log.info(f"{name} took {spent:.1f} s")

    def _describe(self, reason: str | None) -> str:
        log = self.data.log
        mode = (
            "packed (one pass scores all positions)" if reason is None else f"instance ({reason})"
        )
        return (
            f"{self.config['dataset']}: {log.n_users - 1} users, {log.n_items - 1} items, "
            f"{len(log)} interactions ({len(log.train_positions)} for training), "
            f"{len(self.data.test)} test instances; training mode {mode}; "
            f"shuffle order {self.config['shuffle_order']}"
        )

    # Stages --------------------------------------------------------------------------------------

    def _perturbation(self) -> tuple[InteractionLog | None, Changes | None]:
        drawn = draw_test_perturbation(self.config, self.data, self.log)
        if drawn is None:
            return None, None
        if self.checkpoint is not None and "config" not in self.checkpoint:
            raise UserError(
                f"base_checkpoint '{self.config['base_checkpoint']}' does not say how it was trained, so "
                "base' cannot be trained alike; set perturbation_ratio=0"
            )
        return drawn

    def _save_changes(self) -> None:
        if self.changes is not None and distributed.is_main():
            path = self.output.path / CHANGES
            save_changes(path, self.changes, *self._tokens(), self.config["dataset"])

    def _tokens(self) -> tuple[np.ndarray, np.ndarray]:
        tokens = self.data.dataset.field2id_token
        return tokens[self.data.train.fields.user], tokens[self.data.train.fields.item]

    def base(self, name: str, log: InteractionLog | None = None, **changed: Any) -> None:
        """Train (or load) one base model and evaluate it."""
        self._train_base(name, log, **changed)
        self._evaluate(name)

    def _train_base(self, name: str, log: InteractionLog | None = None, **changed: Any) -> None:
        with self.stage(name), tracked(self.config, self.output.name, name):
            if name == "base" and self.checkpoint is not None:
                model = load_base(self.config, self.checkpoint, self.data)
                self.epochs[name] = 0
            else:
                trained = train_base(self.config, self.data, self.output, name, log, **changed)
                model, self.epochs[name], self.curves[name] = trained
        self.models[name] = model

    def _fine_tuning(self, side: str, log: InteractionLog | None) -> None:
        needed = self.methods.values()
        own = side and self.config["reference_model"] == "own"
        references = getattr(self, "references", None)
        if any(m.needs_lists for m in needed) and (references is None or own):
            with self.stage("reference" + (side if own else "")):
                teacher = self.models["base" + side]
                keep = any(m.needs_reference_scores for m in needed)
                references = build_references(
                    self.config, self.data, self.output, teacher, self.k, log, side, keep
                )
            if not side:
                self.references: ReferenceLists = references
        for name, method in self.methods.items():
            self._fine_tune(name, method, side, log, references)

    def _fine_tune(
        self, name: str, method: Any, side: str, log: InteractionLog | None, references: Any
    ) -> None:
        bases, valid_reference = self._bases(method, side), self._valid_reference()
        with self.stage(name + side), tracked(self.config, self.output.name, name + side):
            model, epochs, curve = apply_method(
                self.config,
                self.data,
                self.output,
                name + side,
                method,
                bases,
                references,
                log,
                valid_reference,
            )
        self.models[name + side], self.epochs[name + side] = model, epochs
        self.curves[name + side] = curve
        self._evaluate(name + side)

    def _bases(self, method: Method, side: str) -> list[Any]:
        """The bases that a method starts from; those with other seeds are trained when first asked for."""
        own = self.config["seed"]
        names = base_names(method, own, side)
        for name, seed in zip(names, method.seeds(own)):
            if name not in self.models:
                log = self.perturbed if name.endswith(PERTURBED) else None
                self._train_base(name, log, seed=seed)
        return [self.models[name] for name in names]

    def _valid_reference(self) -> np.ndarray | None:
        if not hasattr(self, "_valid_lists"):
            self._valid_lists = valid_reference(self.config, self.data, self.models["base"])
        return self._valid_lists

    def _controls(self) -> None:
        config = self.config
        if config["control"]:
            self.base("control")
        if config["seed_control"]:
            self.base("seed_control", seed=config["seed"] + 1)
        if config["recbole_order_baseline"] and config["shuffle_order"] != "recbole":
            self.base("base_recbole_order", shuffle_order="recbole")
            self.base("base_recbole_order_perturbed", self.perturbed, shuffle_order="recbole")

    def _evaluate(self, name: str) -> None:
        same = next(
            (other for other in self.evaluations if self.models[other] is self.models[name]), None
        )
        if same is not None:  # nothing was trained: the model is base itself
            self.evaluations[name] = self.evaluations[same]
            self.inference_seconds[name] = self.inference_seconds[same]
            return
        with self.stage("evaluation"):
            scorer = TimedScorer(self.models[name], self.data.train)
            loader = self.data.test_loader()
            train = self.data.train_loader("evaluation")
            self.evaluations[name] = evaluate(self.config, scorer, loader, train, name)
            self.inference_seconds[name] = sum(distributed.gather(scorer.seconds))

    # Result --------------------------------------------------------------------------------------

    def _result(self) -> dict[str, Any]:
        config, found = self.config, self.evaluations
        pairs = {name: (name, f"{name}_perturbed") for name in ["base", *self.methods]}
        pairs["base_recbole_order"] = ("base_recbole_order", "base_recbole_order_perturbed")
        pairs |= {name: ("base", name) for name in ("control", "seed_control")}
        measured = {
            name: stability(config, found[a], found[b])
            for name, (a, b) in pairs.items()
            if a in found and b in found
        }
        if config["catalogue_overlap"]:
            for name in measured:
                measured[name] |= self._catalogue_overlap(*pairs[name])
        changes = self.changes
        return {
            "model": config["model"],
            "dataset": config["dataset"],
            "seed": config["seed"],
            "device": str(config["device"]),
            **({"processes": distributed.world_size()} if distributed.world_size() > 1 else {}),
            "shuffle_order": config["shuffle_order"],
            "training_mode": "packed" if self.data.packed else "instance",
            "reference_k": self.k,
            "versions": self.output.versions(),
            "perturbation": None if changes is None else perturbation_summary(changes),
            "accuracy": {name: e.accuracy for name, e in found.items()},
            "stability": measured,
            "stability_filtered": {
                name: stability(config, found[a].without_seen(), found[b].without_seen())
                for name, (a, b) in pairs.items()
                if name in ("base", *self.methods) and b in found and found[b].unseen is not None
            },
            "similarity_to_base": {
                name: stability(config, found["base"], found[name]) for name in self.methods
            },
            "lists": {name: list_profile(config, e, self.data.log) for name, e in found.items()},
            "epochs": self.epochs,
            "seconds": self.seconds,
            "cost": self.cost,
        }

    def _catalogue_overlap(self, one: str, other: str) -> dict[str, float]:
        """Mean average overlap of two models' orders of all items."""
        first, second = (Scorer(self.models[name], self.data.train) for name in (one, other))
        found = compare_models(first, second, self.data.test_loader())
        return {key: float(values.mean()) for key, values in found.items()}


def perturbation_summary(changes: Changes) -> dict[str, Any]:
    """What a result says of its test perturbation; the rows are in ``perturbation.json``."""
    return {
        "kind": changes.kind,
        "selection": changes.selection,
        "item_choice": changes.item_choice,
        "ratio": changes.ratio,
        "count": len(changes.row),
        "seed": changes.seed,
        "n_interactions": changes.n_interactions,
        "fingerprint": changes.fingerprint,
    }
