"""The stages of an update: today's data, tonight's model, its lists beside yesterday's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

from recbole_finest.config.checks import check_validation
from recbole_finest.config.config import Config
from recbole_finest.data.prepare import Data, prepare
from recbole_finest.evaluator.evaluation import valid_reference
from recbole_finest.experiment.earlier import same_data
from recbole_finest.experiment.output import Output
from recbole_finest.experiment.protocol import side_of
from recbole_finest.experiment.stages import check_methods, check_simulation, fine_tune, train_base
from recbole_finest.experiment.tracking import tracked
from recbole_finest.files import write_text
from recbole_finest.method import make_method
from recbole_finest.model.build import build_model
from recbole_finest.names import BASE, MODEL, NEWS, REFERENCE
from recbole_finest.parallel import distributed
from recbole_finest.reference.build import build_references
from recbole_finest.reference.lists import ReferenceLists, reference_k
from recbole_finest.train.checkpoint import Trained, origin
from recbole_finest.train.mode import choose_training_mode
from recbole_finest.update.checks import check_log, check_no_features
from recbole_finest.update.cost import STEPS, retraining_seconds
from recbole_finest.update.deployed import Deployed
from recbole_finest.update.everything import on_everything
from recbole_finest.update.grow import NEWCOMERS, grow
from recbole_finest.update.known import (
    Known,
    list_weights,
    nothing_new,
    people_with_news,
    what_is_known,
)
from recbole_finest.update.measure import Pair
from recbole_finest.update.request import RETRAIN, Request
from recbole_finest.update.result import collapses, cost_of, result_of
from recbole_finest.update.tables import tables_of

NOTHING_NEW = (
    "nothing is new: today's training interactions are those that the deployed model was trained on, so "
    "that tonight's model is the deployed one"
)


class Stages:
    """The stages of an update, and the state that they share.

    Args:
        config: tonight's settings.
        output: where files go.
        deployed: yesterday's model.
        request: what is asked for.
    """

    data: Data
    known: Known
    grown: nn.Module
    k: int

    def __init__(self, config: Config, output: Output, deployed: Deployed, request: Request):
        self.config, self.output = config, output
        self.deployed, self.request = deployed, request
        self.retrains = request.method == RETRAIN
        self.seconds: dict[str, float] = {}
        self.cpu_seconds: dict[str, float] = {}

    def run(self) -> dict[str, Any]:
        """All stages; returns the result, which is also written."""
        with self._stage("data"):
            self._load()
        self.output.take_over(**same_data(self.output.manifest, self.config, self.data))
        self._say_what_is_known()
        with tracked(self.config, self.output.path, self.output.name, MODEL):
            model, epochs, curve = self._tonights()
        self._save(model, epochs, curve)
        self._name_people_with_news()
        with self._stage("evaluation"):
            pair = Pair(self.config, self.data, self.known, self.grown, model)
            found = pair.measured()
        for said in collapses(found, self.request.method):
            self.output.logger.warning(said)
        result = result_of(pair, found, self.request, self._cost(epochs)) | {
            "deployed": str(self.deployed.file),
            "reference_k": self.k,
            "versions": self.output.versions(),
            "seconds": self.seconds,
        }
        self.output.write(self.data, result, found, {MODEL: curve})
        return result

    # What there is -------------------------------------------------------------------------------

    def _load(self) -> None:
        """Today's data, what the deployed model knew of it, and the deployed model on it."""
        config, log_to = self.config, self.output.logger
        trains_base = self.retrains or self.request.start == "anew"
        if trains_base and self.request.test != "none":
            check_validation(config)
        self.data = prepare(config)
        if self.request.test == "none":
            self.data = on_everything(self.data)
        choose_training_mode(self.data)
        check_log(self.deployed, self.data, self.request.allow_shrink)
        check_no_features(config, self.deployed)
        if not self.retrains:
            self.method = make_method(self.request.method, config)
            check_methods(config, self.data, [self.method])
            if self.method.simulation() is not None:
                check_simulation(config, self.data.log)
        self.known = what_is_known(self.deployed, self.data.log, self.request.deployed_until)
        self.k = reference_k(config, int(self.known.items.sum()), log_to.warning)
        self.grown = self._grown()

    def _grown(self) -> nn.Module:
        """The deployed model with today's ids, newcomers among them."""
        part, deployed = self.data.train, self.deployed
        model = build_model(self.config, part)
        now = dict(zip(("users", "items"), self.data.log.entity_keys()))
        tables = tables_of(self.config, part, model)
        return grow(model, deployed.state, tables, deployed.keys, now, deployed.file)

    def _say_what_is_known(self) -> None:
        train, known, say = self.data.log.train_positions, self.known, self.output.logger.info
        say(f"deployed: {self.deployed.file}; its interactions are known {known.how}")
        say(
            f"{self.config['dataset']}: {len(train)} training interactions, of which "
            f"{int((~known.rows[train]).sum())} are new; {len(known.new_users)} new users and "
            f"{len(known.new_items)} new items: {NEWCOMERS}"
        )

    # Tonight's model -----------------------------------------------------------------------------

    def _tonights(self) -> Trained:
        if not self.retrains and nothing_new(self.data.log, self.known):
            self.output.logger.warning(NOTHING_NEW)
            return self.grown, 0, []
        with self._stage("training"):
            if self.retrains:
                return train_base(self.config, self.data, self.output, MODEL)
            return self._fine_tuned()

    def _fine_tuned(self) -> Trained:
        config, data, output = self.config, self.data, self.output
        if output.finished(MODEL) is not None:  # by a run that was interrupted after it
            return train_base(config, data, output, MODEL)
        start = self.grown
        if self.request.start == "anew":
            start = train_base(config, data, output, BASE)[0]
        reads_lists = bool(side_of(self.method, True, config).lists)
        references = self._references() if reads_lists else None
        known = valid_reference(config, data, self.grown)
        return fine_tune(config, data, output, MODEL, start, self.method, references, None, known)

    def _references(self) -> ReferenceLists:
        """The deployed model's lists, each to hold as far as its history is what it was."""
        folder = self.output.path / REFERENCE
        with self.output.manifest.replacing(folder):
            lists = build_references(
                self.config,
                self.data,
                self.grown,
                folder,
                self.k,
                None,
                self.method.needs_reference_scores,
                self.output.writes,
                self.known.new_items,
                self.output.resume,
            )
        self.output.carry(REFERENCE, lists.earlier_seconds)
        return lists.weighted(list_weights(self.config, self.data.log, self.known))

    def _base_epochs(self, epochs: int) -> int:
        return epochs if self.retrains else self.deployed.base_epochs

    def _save(self, model: nn.Module, epochs: int, curve: list) -> None:
        """``model.pth``, with all that tomorrow's update asks for."""
        self.output.save_checkpoint(
            MODEL,
            model,
            self.config,
            stage="base" if self.retrains else "fine-tuning",
            epochs=epochs,
            base_epochs=self._base_epochs(epochs),
            curve=curve,
            seconds=[taken.get("training", 0.0) for taken in (self.seconds, self.cpu_seconds)],
            threads=sorted(self.output.threads),
            processes=distributed.world_size(),
            **origin(self.data, None),
        )

    def _name_people_with_news(self) -> None:
        """Who has news, for ``recommend --users``: the others' lists may stay as they are."""
        if not distributed.is_main():
            return
        dataset = self.data.dataset
        news = people_with_news(self.data.log, self.known)
        tokens = dataset.field2id_token[dataset.uid_field][news]
        path = self.output.path / NEWS
        with self.output.manifest.replacing(path):
            write_text(path, "".join(f"{token}\n" for token in tokens))

    def _cost(self, epochs: int) -> dict[str, Any]:
        spent = self.seconds.get("training", 0.0)
        worked = {"cpu_seconds": self.cpu_seconds.get("training", 0.0)}
        if self.retrains:
            return cost_of(spent, spent, "measured") | worked
        epochs = self._base_epochs(epochs)
        how = f"estimated from up to {STEPS} steps, for {epochs} epochs without validation"
        return cost_of(spent, retraining_seconds(self.config, self.data, epochs), how) | worked

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        self.output.logger.info(f"{name} …")
        begin, worked = time.perf_counter(), time.process_time()
        yield
        carried = [self.output.carried.pop(part) for part in list(self.output.carried)]
        self.seconds[name] = time.perf_counter() - begin + sum(wall for wall, _ in carried)
        self.cpu_seconds[name] = time.process_time() - worked + sum(cpu for _, cpu in carried)
        self.output.logger.info(f"{name} took {self.seconds[name]:.1f} s")
