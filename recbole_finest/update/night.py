"""One night: yesterday's model and today's log make tonight's model."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from torch import nn

from recbole_finest.compat import quiet_recbole
from recbole_finest.config.config import Config
from recbole_finest.data.prepare import Data, prepare
from recbole_finest.evaluator.evaluation import Evaluation, list_profile, valid_reference
from recbole_finest.experiment.folder import open_output
from recbole_finest.experiment.output import Output
from recbole_finest.experiment.stages import check_methods, check_simulation, fine_tune, train_base
from recbole_finest.experiment.tracking import check_tracking, tracked
from recbole_finest.files import PathLike
from recbole_finest.method import make_method
from recbole_finest.model.build import build_model
from recbole_finest.names import BASE, DEPLOYED, MODEL, REFERENCE, UPDATED
from recbole_finest.parallel import distributed
from recbole_finest.parallel.allocator import keep_freed_memory
from recbole_finest.parallel.launch import launch, wanted
from recbole_finest.reference.build import build_references
from recbole_finest.reference.lists import ReferenceLists, reference_k
from recbole_finest.scoring.scorer import Scorer
from recbole_finest.train.checkpoint import Trained, origin, save_checkpoint
from recbole_finest.train.mode import choose_training_mode
from recbole_finest.update.checks import check_log, check_no_features
from recbole_finest.update.cost import STEPS, retraining_seconds
from recbole_finest.update.deployed import Deployed, load_deployed
from recbole_finest.update.everything import on_everything
from recbole_finest.update.grow import NEWCOMERS, grow
from recbole_finest.update.known import (
    Known,
    list_weights,
    nothing_new,
    people_with_news,
    what_is_known,
)
from recbole_finest.update.measure import DeployedScorer, measured, similarity
from recbole_finest.update.request import RETRAIN, Request
from recbole_finest.update.settings import Given, tonight
from recbole_finest.update.tables import tables_of

DEFAULT_METHOD = "finest"


def update_model(
    deployed: PathLike,
    dataset: str,
    method: str = DEFAULT_METHOD,
    start: str = "deployed",
    test: str = "last",
    allow_shrink: bool = False,
    deployed_until: float | None = None,
    check_ids: bool = True,
    config_file_list: Sequence[str] | None = None,
    config_dict: Mapping[str, Any] | None = None,
    command_line: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Make tonight's model from yesterday's and today's log, in a folder that tomorrow's update takes.

    Args:
        deployed: a run's folder, or a checkpoint of ours or of RecBole's.
        dataset: name of today's data set.
        method: ``finest``, ``distillation`` (both with the deployed model's lists as references),
            ``warm_start`` (its weights, next-item loss alone) or ``retrain`` (neither).
        start: ``deployed``, from its weights, or ``anew``, from a base trained on today's log first.
        test: ``last``, each person's last interaction is held out of training so that accuracy is known, or
            ``none``, everything is trained on.
        allow_shrink: accept a log without most of yesterday's users or items.
        deployed_until: newest time that the deployed model was trained on, for a checkpoint that does not
            list its interactions.
        check_ids: False accepts a checkpoint without tokens (RecBole's) whose ids nothing vouches for.
        config_file_list, config_dict, command_line: settings, as for :class:`Config`; they win over the
            deployed model's, but must not change its architecture.

    Returns:
        The contents of ``result.json``, with ``output_dir`` added.

    Raises:
        UserError: anything that the user can put right; nothing is written then.
    """
    words = deployed, dataset, method, start, test, allow_shrink, deployed_until, check_ids
    request = Request(*words)
    return _update(request, Given.of(config_file_list, config_dict, command_line))


def _update(request: Request, given: Given) -> dict[str, Any]:
    quiet_recbole()
    keep_freed_memory()
    request.check()
    deployed = load_deployed(request.deployed, request.check_ids)
    config = tonight(deployed, request.dataset, request.test == "none", given)
    if wanted(config):
        return launch(config, _update, (request, given))
    with distributed.joined(config):
        check_tracking(config)
        with open_output(config) as output:
            config = config.but(checkpoint_dir=str(output.path))
            return {
                **Night(config, output, deployed, request).run(),
                "output_dir": str(output.path),
            }


class Night:
    """The state that the stages of an update share.

    Args:
        config: tonight's settings.
        output: where files go.
        deployed: yesterday's model.
        request: what is asked for.
    """

    data: Data
    known: Known
    grown: nn.Module

    def __init__(self, config: Config, output: Output, deployed: Deployed, request: Request):
        self.config, self.output = config, output
        self.deployed, self.request = deployed, request
        self.seconds: dict[str, float] = {}

    def run(self) -> dict[str, Any]:
        """All stages; returns the result, which is also written."""
        with self._stage("data"):
            self._load()
        self.output.take_over()
        self._say_what_is_known()
        retrain = self.request.method == RETRAIN
        if not retrain and nothing_new(self.data.log, self.known):
            self.output.logger.warning(
                "nothing is new: today's training interactions are those that the deployed model was "
                "trained on, so that tonight's model is the deployed one"
            )
            trained: Trained = self.grown, 0, []
        else:
            with tracked(self.config, self.output.name, MODEL):
                trained = self._retrained() if retrain else self._fine_tuned()
        model, epochs, curve = trained
        base_epochs = epochs if retrain else self.deployed.base_epochs
        save_checkpoint(
            self.output.path / f"{MODEL}.pth",
            model,
            self.config,
            stage="base" if retrain else "fine-tuning",
            epochs=epochs,
            base_epochs=base_epochs,
            curve=curve,
            **origin(self.data, None),
        )
        return self._written(model, curve, self._cost(base_epochs))

    # What there is -------------------------------------------------------------------------------

    def _load(self) -> None:
        """Today's data, what the deployed model knew of it, and the deployed model on it."""
        config, retrain = self.config, self.request.method == RETRAIN
        self.data = prepare(config)
        if self.request.test == "none":
            self.data = on_everything(self.data)
        choose_training_mode(self.data)
        check_log(self.deployed, self.data, self.request.allow_shrink)
        check_no_features(config, self.deployed)
        if not retrain:
            self.method = make_method(self.request.method, config)
            check_methods(config, self.data, [self.method])
            if self.method.simulation() is not None:
                check_simulation(config, self.data.log)
        self.known = what_is_known(self.deployed, self.data.log, self.request.deployed_until)
        known_items = int(self.known.items.sum())
        self.k = reference_k(config, known_items, self.output.logger.warning)
        self.grown = self._grown()

    def _grown(self) -> nn.Module:
        """The deployed model with today's ids, newcomers among them."""
        part, deployed = self.data.train, self.deployed
        model = build_model(self.config, part)
        now = dict(zip(("users", "items"), self.data.log.entity_keys()))
        tables = tables_of(self.config, part, model)
        return grow(model, deployed.state, tables, deployed.keys, now, deployed.file)

    def _say_what_is_known(self) -> None:
        log, say = self.data.log, self.output.logger.info
        train = log.train_positions
        say(f"deployed: {self.deployed.file}; its interactions are known {self.known.how}")
        say(
            f"{self.config['dataset']}: {len(train)} training interactions, of which "
            f"{int((~self.known.rows[train]).sum())} are new; {self._new_users()} new users and "
            f"{len(self.known.new_items)} new items: {NEWCOMERS}"
        )

    def _new_users(self) -> int:
        return int((~self.known.users).sum())

    # Tonight's model -----------------------------------------------------------------------------

    def _retrained(self) -> Trained:
        with self._stage("training"):
            return train_base(self.config, self.data, self.output, MODEL)

    def _fine_tuned(self) -> Trained:
        config, data, output = self.config, self.data, self.output
        with self._stage("training"):
            start = self.grown
            if self.request.start == "anew":
                start = train_base(config, data, output, BASE)[0]
            references = self._references() if self.method.needs_lists else None
            known = valid_reference(config, data, self.grown)
            return fine_tune(
                config, data, output, MODEL, start, self.method, references, None, known
            )

    def _references(self) -> ReferenceLists:
        """The deployed model's lists, each to hold as far as its history is what it was."""
        lists = build_references(
            self.config,
            self.data,
            self.grown,
            self.output.path / REFERENCE,
            self.k,
            None,
            self.method.needs_reference_scores,
            self.output.writes,
            self.known.new_items,
        )
        return lists.weighted(list_weights(self.config, self.data.log, self.known))

    # What came of it -----------------------------------------------------------------------------

    def _cost(self, base_epochs: int) -> dict[str, Any]:
        spent = self.seconds.get("training", 0.0)
        if self.request.method == RETRAIN:
            whole, how = spent, "measured"
        else:
            whole = retraining_seconds(self.config, self.data, base_epochs)
            how = f"estimated from up to {STEPS} steps, for {base_epochs} epochs without validation"
        return {
            "seconds": spent,
            "retraining_seconds": whole,
            "ratio": spent / whole if whole else 0.0,
            "retraining": how,
        }

    def _written(self, model: nn.Module, curve: list, cost: Mapping[str, Any]) -> dict[str, Any]:
        with self._stage("evaluation"):
            data, items = self.data, self.known.new_items
            scorers = {
                DEPLOYED: DeployedScorer(self.grown, data.train, items),
                UPDATED: Scorer(model, data.train),
            }
            found = {n: measured(self.config, data, s, n) for n, s in scorers.items()}
        result = self._result(found, cost)
        self.output.write(data, result, found, {MODEL: curve})
        return result

    def _result(self, found: Mapping[str, Evaluation], cost: Mapping[str, Any]) -> dict[str, Any]:
        config, log, request = self.config, self.data.log, self.request
        news = people_with_news(log, self.known)
        alike, people = similarity(config, self.data, found[DEPLOYED], found[UPDATED], news)
        honest = request.test == "last"
        accuracy = {name: one.accuracy for name, one in found.items()} if honest else None
        targets = self.data.test.inter_feat.positions
        return {
            "model": config["model"],
            "dataset": config["dataset"],
            "seed": config["seed"],
            "device": str(config["device"]),
            "shuffle_order": config["shuffle_order"],
            "training_mode": "packed" if self.data.packed else "instance",
            "reference_k": self.k,
            "versions": self.output.versions(),
            "lists": {name: list_profile(config, one, log) for name, one in found.items()},
            "seconds": self.seconds,
            "update": {
                "method": request.method,
                "start": request.start,
                "test": request.test,
                "deployed": str(self.deployed.file),
                "known": self.known.how,
                "cost": cost,
                "new_users": self._new_users(),
                "new_items": len(self.known.new_items),
                "new_interactions": int((~self.known.rows[log.train_positions]).sum()),
                "people": people,
                "similarity_to_deployed": alike,
                "accuracy": accuracy,
                "targets_deployed_had": int(self.known.rows[targets].sum()),
            },
        }

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        self.output.logger.info(f"{name} …")
        begin = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begin
        self.output.logger.info(f"{name} took {self.seconds[name]:.1f} s")
