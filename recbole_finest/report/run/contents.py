"""What a report holds."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from recbole_finest.evaluator.statistics.paired import Paired
from recbole_finest.names import ALONE, perturbed
from recbole_finest.report.labels import label
from recbole_finest.report.questions import TITLES, split
from recbole_finest.report.run.examples import Example
from recbole_finest.report.run.pair import Pair, Summary
from recbole_finest.report.run.slices import Sliced


@dataclass(frozen=True)
class Report:
    """What a run found.

    Attributes:
        result: the contents of ``result.json``.
        settings: those of ``config.yaml``.
        curves: those of ``curves.json``, one row an epoch by model.
        n_instances, n_users: size of the test.
        depth: length of the stored rank lists.
        k: the depth at which lists are shown, the first of ``topk``.
        measure: the measure that figures show, such as ``jaccard@10``.
        methods: base and the fine-tuning methods.
        users: the user of each instance as a number, ``[n]``.
        accuracy: ``{model: {metric: {mean, low, high, …}}}``, of what is known for each instance.
        pairs: stability of base, methods and controls.
        similarity: what fine-tuning alone changed, ``{method: …}``: base against the method.
        filtered: stability with the items of the history taken out of the lists.
        paired: paired comparisons ``{(first, second): {measure: …}}``.
        slices: stability of the methods by group of instances.
        examples: the most and the least changed users.
        question: the question that base and each method answer.
        removed: the part of base's instability, ``{measure: {method: {mean, low, high}}}``.
    """

    result: dict[str, Any]
    settings: dict[str, Any]
    curves: dict[str, list[dict[str, float]]]
    n_instances: int
    n_users: int
    depth: int
    k: int
    measure: str
    methods: list[str]
    users: np.ndarray
    accuracy: dict[str, Summary]
    pairs: dict[str, Pair]
    similarity: dict[str, Summary]
    filtered: dict[str, Summary]
    paired: dict[tuple[str, str], dict[str, Paired]]
    slices: list[Sliced]
    examples: list[Example]
    question: dict[str, str]
    removed: dict[str, dict[str, dict[str, float]]]

    def blocks(self, names: Iterable[str]) -> dict[str, list[str]]:
        """Models by the question they answer: ``alone``, with the controls, and ``anchored``.

        The perturbed side of a method (``finest_perturbed``) is in its block.
        """
        sides = {perturbed(name): asked for name, asked in self.question.items()}
        return split(names, {**sides, **self.question})

    @property
    def both(self) -> bool:
        """Whether there is more than one block."""
        return len(set(self.question.values()) | {ALONE}) > 1

    def words(self, asked: str) -> str:
        """What a block is called where there is more than one; else nothing."""
        return TITLES[asked] if self.both else ""

    def asked(self, name: str) -> str:
        """A model's label, with its question where there is more than one: ``finest (anchored)``."""
        ((asked, _),) = self.blocks([name]).items()
        return f"{label(name)} ({asked})" if self.both else label(name)

    def share(self, name: str, measure: str) -> dict[str, float]:
        """The part of base's instability that a method takes away: mean, low and high."""
        missing = dict.fromkeys(("mean", "low", "high"), math.nan)
        return self.removed.get(measure, {}).get(name, missing)
