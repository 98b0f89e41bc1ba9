"""Models whose lists say nothing of the people they are for, as after training with a wild learning rate.

Such lists hardly change when the log does, and would look stable.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from recbole_finest.data.instances import InstanceView
from recbole_finest.method import METHODS
from recbole_finest.names import BASE, CONTROLS, PERTURBED, compared, is_perturbed
from recbole_finest.scoring.scorer import Scorer

DEPTH = 10  # entries of a list that count
NEARLY_ALL = 0.99  # share of the test instances from which on it is said of the model
PROBED = 16
CHUNK = 1 << 16


def collapse(
    items: np.ndarray,
    scores: np.ndarray,
    histories: Callable[[], np.ndarray],
    reads_history: Callable[[], bool] = lambda: True,
) -> str | None:
    """How a model's lists have collapsed; None where they have not.

    They have where, of the first 10 entries (or all, of shorter lists), in 99 % of the test instances

    - the scores are all equal (of 2 or more), or, in more than 1 %, one is no finite number; or where
    - one list, the order included, is that of 99 % of the instances and of 99 % of the different
      histories, of which there are 2 or more. A model that does not read histories by design, such as one
      that counts items, is none of these: see :func:`reads_history_of`.

    Args:
        items: ids best first, ``[n, depth]``; below 1 for none.
        scores: theirs, ``[n, depth]``.
        histories: gives a number for each instance, ``[n]``, equal for equal histories.
        reads_history: says whether lists can depend on the history at all.

    Returns:
        A clause for :func:`sentence`.
    """
    items, scores = items[:, :DEPTH], scores[:, :DEPTH]
    n, depth = items.shape
    there = items > 0
    odd = (~np.isfinite(scores) & there).any(axis=1)
    if n and odd.mean() > 1 - NEARLY_ALL:
        return f"{odd.sum()} of {n} test instances have scores that are no finite numbers"
    flat = ((scores == scores[:, :1]) | ~there).all(axis=1) & (there.sum(axis=1) > 1)
    if n and flat.mean() >= NEARLY_ALL:
        return f"all {depth} scores of the list are equal in {flat.sum()} of {n} test instances"
    same = (items == np.median(items, axis=0)).all(axis=1) if n else np.zeros(0, bool)
    if n < 2 or same.mean() < NEARLY_ALL:
        return None
    keys = histories()
    every, alike = len(np.unique(keys)), len(np.unique(keys[same]))
    if alike < 2 or alike < NEARLY_ALL * every or not reads_history():
        return None
    return f"{same.sum()} of {n} test instances, with {alike} different histories, have one list"


def history_keys(view: InstanceView) -> np.ndarray:
    """A number for the history of each instance of a view, ``[n]``; another one for another history."""
    width = view.fields.width
    odd = np.random.default_rng(0).integers(1, 2**63, width, dtype=np.uint64) | np.uint64(1)
    found = [
        (view.histories(part).of(view.log.item).astype(np.uint64) * odd).sum(axis=1)
        for part in np.split(view.positions, range(CHUNK, len(view.positions), CHUNK))
    ]
    return np.concatenate(found)


@torch.no_grad()
def reads_history_of(scorer: Scorer, batch: Any) -> bool:
    """Whether a model with other weights scores the instances of a batch differently.

    The weights are drawn anew, so that it is the model that is asked, and not what training made of it.
    """
    try:
        model: nn.Module = copy.deepcopy(scorer.model)
    except RuntimeError:  # it keeps a tensor of its last forward pass
        return True
    generator = torch.Generator().manual_seed(0)
    for weight in model.parameters():
        weight.copy_(0.1 * torch.randn(weight.shape, generator=generator))
    scores = Scorer(model.eval(), scorer.dataset).all_items(batch[:PROBED])  # type: ignore[arg-type]
    return bool((scores[:, 1:] != scores[:1, 1:]).any())


def counts(result: Mapping[str, Any], name: str) -> bool:
    """Whether a method's stability can be set against base's: no side of either has collapsed.

    Args:
        result: of a run, or a row of its replicates.
        name: the method.
    """
    return not {*compared(name), *compared(BASE)} & set(result.get("collapsed") or {})


def sentence(label: str, name: str, how: str) -> str:
    """What is said of a collapsed model.

    Args:
        label: what the reader knows it as.
        name: its name in the run.
        how: from :func:`collapse`.
    """
    setting = "finest_learning_rate" if _fine_tuned(name) else "learning_rate"
    return f"{label} has collapsed: {how}. Its stability does not count; lower {setting}."


def _fine_tuned(name: str) -> bool:
    """Whether fine-tuning made a model; of a method of the user's own, which is not imported, it did."""
    if name.startswith(BASE) or name in CONTROLS:
        return False
    method = METHODS.get(name.removesuffix(PERTURBED))
    return method is None or method.fine_tunes[is_perturbed(name)]
