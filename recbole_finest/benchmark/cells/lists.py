"""A model's lists in a cell's folder, and the comparison of two models' lists."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from recbole_finest.data.log import smallest_int
from recbole_finest.data.prepare import Data
from recbole_finest.evaluator.accuracy import instance_accuracy
from recbole_finest.evaluator.evaluation import Evaluation, per_instance
from recbole_finest.evaluator.plasticity import plasticity
from recbole_finest.evaluator.ranks import target_ranks
from recbole_finest.files import write_arrays
from recbole_finest.formats.arrays import read_arrays

FILE = "lists.npz"


def save_evaluation(folder: Path, data: Data, found: Evaluation) -> None:
    """Write ``lists.npz``: user tokens ``[n]``, and internal ids of the targets ``[n]`` and of the
    listed items ``[n, depth]``, best first, -1 for padding; ids are the data set's and fit any model.
    """
    view, fields = data.measured.inter_feat, data.measured.fields
    users = data.measured.id2token(fields.user, view.log.user[view.positions].astype(np.int64))
    arrays = {
        "users": np.asarray(users).astype(str),
        "targets": view.log.item[view.positions],
        "items": found.items.astype(smallest_int(data.log.n_items)),
    }
    write_arrays(folder / FILE, arrays, compress=False)


def compare_sides(
    settings: Mapping[str, Any], folders: Mapping[str, Path], accuracy: Mapping[str, float]
) -> tuple[dict[str, np.ndarray], dict[str, dict[str, Any]]]:
    """Compare the lists of two sides, those of the clean side with base's, and all four.

    Args:
        settings: ``metrics``, ``topk`` and ``rbo_p``.
        folders: of the evaluations ``clean``, ``perturbed`` and ``base``, and ``retrained``, base's on
            the perturbed log, where the grid has it.
        accuracy: accuracy of the clean side, whose metrics are also given for every instance.

    Returns:
        Arrays ``[n]``: ``users``, stability by ``name@k``, accuracy by ``metric@k``; and the means
        ``stability`` and ``similarity_to_base``, and ``plasticity`` where ``retrained`` is given.
    """
    lists = {name: read_arrays(folder / FILE) for name, folder in folders.items()}
    clean, perturbed, base = (_evaluation(lists[name]) for name in ("clean", "perturbed", "base"))
    stable = per_instance(settings, clean, perturbed)
    similar = per_instance(settings, clean, base)
    ranks = target_ranks(clean.items, lists["clean"]["targets"])
    values = {
        "users": lists["clean"]["users"],
        **stable,
        **instance_accuracy(ranks, accuracy, clean.items.shape[1]),
    }
    means: dict[str, Any] = {"stability": _means(stable), "similarity_to_base": _means(similar)}
    if "retrained" in lists:
        bases = base.items, _evaluation(lists["retrained"]).items
        depths, targets = settings["topk"], lists["clean"]["targets"]
        sides = clean.items, perturbed.items
        means["plasticity"] = plasticity(bases, sides, targets, depths)
    return values, means


def _evaluation(arrays: Mapping[str, np.ndarray]) -> Evaluation:
    items = arrays["items"].astype(np.int32)
    return Evaluation({}, items, None, items)


def _means(values: Mapping[str, np.ndarray]) -> dict[str, float]:
    return {name: float(value.mean()) for name, value in values.items()}
