"""What a report holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from recbole_finest.evaluator.statistics.paired import Paired
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
