"""What is done for each kind of cell."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from recbole_finest.benchmark.cells.cell import Cell
from recbole_finest.benchmark.cells.lists import compare_sides, save_evaluation
from recbole_finest.benchmark.cells.session import Opened, Session
from recbole_finest.benchmark.cells.store import Store
from recbole_finest.config.config import Config
from recbole_finest.data.perturbation import save_changes
from recbole_finest.evaluator.evaluation import evaluate, list_profile, valid_reference
from recbole_finest.experiment.output import Output
from recbole_finest.experiment.protocol import side_of
from recbole_finest.experiment.result import perturbation_summary
from recbole_finest.experiment.stages import check_methods, check_simulation, fine_tune, train_base
from recbole_finest.experiment.tracking import tracked
from recbole_finest.files import write_arrays
from recbole_finest.folders.manifest import Manifest
from recbole_finest.method import make_method
from recbole_finest.model.average import AverageModel
from recbole_finest.names import BASE, CHANGES, REFERENCE
from recbole_finest.reference.build import build_references
from recbole_finest.reference.lists import ReferenceLists, reference_k
from recbole_finest.scoring.scorer import Scorer
from recbole_finest.train.checkpoint import load_trained

MODEL = "model"  # name of a cell's checkpoint


@dataclass
class Job:
    """A cell being made."""

    cell: Cell
    store: Store
    part: Path
    session: Session

    def output(self) -> Output:
        manifest = Manifest(self.part, kept=False)  # the whole cell gets one
        return Output(self.part, logging.getLogger(), resume=False, manifest=manifest)

    def settings(self, opened: Opened) -> Config:
        """A cell's settings with its folder as the place of RecBole's own files."""
        return opened.config.but(checkpoint_dir=str(self.part))

    def tracked(self, config: Config) -> AbstractContextManager[None]:
        """A TensorBoard folder and a Weights & Biases run of this cell's own."""
        words = re.sub(r"\W+", "-", self.cell.label)
        root = self.store.root
        return tracked(config, root, root.name, f"{words}-{self.cell.hash}")

    def input(self, name: str) -> Path:
        """Folder of the one input of this name, verified."""
        return self.store.input(self.cell.inputs[name][0])


def clock(config: Config) -> float:
    """Seconds so far, those of the processor where one of its threads does all the work.

    Then other programs on the machine do not count.
    """
    alone = config["device"].type == "cpu" and torch.get_num_threads() == 1
    return time.process_time() if alone else time.perf_counter()


def _base(job: Job) -> dict[str, Any]:
    """Base, base' or control, trained now."""
    opened = job.session.open(job.cell)
    config, data = job.settings(opened), opened.data
    begin = clock(config)
    with job.tracked(config):
        _, epochs, curve = train_base(config, data, job.output(), MODEL, opened.log)
    seconds = clock(config) - begin
    found = {"seconds": seconds, "epochs": epochs, "curve": curve, "packed": data.packed}
    return {**found, **_perturbation(job, opened)}


def _perturbation(job: Job, opened: Opened) -> dict[str, Any]:
    """What was perturbed; the rows go to ``perturbation.json``."""
    if opened.changes is None:
        return {}
    data, dataset = opened.data, opened.config["dataset"]
    tokens = data.dataset.field2id_token
    names = tokens[data.train.fields.user], tokens[data.train.fields.item]
    save_changes(job.part / CHANGES, opened.changes, *names, dataset)
    return {"perturbation": perturbation_summary(opened.changes)}


def _reference(job: Job) -> dict[str, Any]:
    """Reference lists of a base, or of the average of several, with their scores."""
    opened = job.session.open(job.cell)
    config, data = opened.config, opened.data
    model = _one_or_average(job, opened, "base")
    k = reference_k(config, data.log.n_items, logging.warning)
    begin = clock(config)
    build_references(config, data, model, job.part / REFERENCE, k, opened.log, keep_scores=True)
    return {"seconds": clock(config) - begin, "reference_k": k}


def _method(job: Job) -> dict[str, Any]:
    """One side's fine-tuned model."""
    opened, name = job.session.open(job.cell), str(job.cell.method)
    config, data = job.settings(opened), opened.data
    check_simulation(config, data.log)
    method = make_method(name, config)
    check_methods(config, data, [method])
    clean = _trained(opened, job.input("clean_base"), perturbed=False)
    (made,) = side_of(method, opened.log is not None, config).bases
    start = _trained(opened, job.input(BASE), perturbed=made.perturbed)
    references = None
    if "reference" in job.cell.inputs:
        references = ReferenceLists.load(job.input("reference") / REFERENCE)
    known = valid_reference(config, data, clean)
    begin = clock(config)
    with job.tracked(config):
        _, epochs, curve = fine_tune(
            config, data, job.output(), MODEL, start, method, references, opened.log, known
        )
    seconds = clock(config) - begin
    found = {"seconds": seconds, "epochs": epochs, "curve": curve}
    return {**found, **_perturbation(job, opened)}


def _evaluation(job: Job) -> dict[str, Any]:
    """Accuracy and lists of a model, or of the average of several."""
    opened = job.session.open(job.cell)
    config, data = opened.config, opened.data
    model = _one_or_average(job, opened, "model")
    config = config.but(filter_seen=False)  # those lists are not kept here
    loader, train = data.measured_loader(), data.train_loader("evaluation")
    begin = clock(config)
    found = evaluate(config, Scorer(model, data.train), loader, train, "")
    seconds = clock(config) - begin
    save_evaluation(job.part, data, found)
    return {
        "seconds": seconds,
        "accuracy": found.accuracy,
        "lists": list_profile(config, found, data.log),
        **({"collapsed": found.collapsed} if found.collapsed else {}),
    }


def _measure(job: Job) -> dict[str, Any]:
    """Stability between two sides, and the similarity of the clean one to base."""
    folders = {name: job.input(name) for name in job.cell.inputs}
    said = {name: job.store.read(folder.name)["result"] for name, folder in folders.items()}
    values, means = compare_sides(job.cell.settings, folders, said["clean"]["accuracy"])
    write_arrays(job.part / "values.npz", values, compress=False)
    gone = {name: how for name in ("clean", "perturbed") if (how := said[name].get("collapsed"))}
    return {
        **({"collapsed": gone} if gone else {}),
        "accuracy": said["clean"]["accuracy"],
        "accuracy_perturbed": said["perturbed"]["accuracy"],
        "lists": said["clean"]["lists"],
        **means,
    }


WORK: dict[str, Callable[[Job], dict[str, Any]]] = {
    "base": _base,
    "control": _base,
    "reference": _reference,
    "method": _method,
    "evaluation": _evaluation,
    "measure": _measure,
}


def _one_or_average(job: Job, opened: Opened, name: str) -> Any:
    """The model of an input, or the average of several."""
    models = [_trained(opened, job.store.input(h)) for h in job.cell.inputs[name]]
    return models[0] if len(models) == 1 else AverageModel(models, opened.data.train)


def _trained(opened: Opened, folder: Path, perturbed: bool = True) -> Any:
    """The model of a finished cell; ``perturbed`` says whether it is of the cell's own log."""
    log = opened.log if perturbed else None
    path = folder / f"{MODEL}.pth"
    return load_trained(opened.config, opened.data, path, log)[0]
