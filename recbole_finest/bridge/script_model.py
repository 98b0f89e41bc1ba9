"""The model of a RecBole script as ours, with the same weights and the same scores."""

from __future__ import annotations

import numpy as np
import torch
from recbole.model.abstract_recommender import SequentialRecommender
from torch import nn

from recbole_finest.data.prepare import Data
from recbole_finest.errors import UserError
from recbole_finest.model.build import BROKEN, build_model, reason
from recbole_finest.scoring.modes import evaluating, shallow
from recbole_finest.scoring.packed_scoring import class_of
from recbole_finest.scoring.scorer import Scorer

PROBE_INSTANCES = 4
TOLERANCE = 1e-3  # of the spread of the scores; other operations round otherwise


def check_model(name: str, model: object) -> None:
    """Refuse what is no sequential model of RecBole's kind, by the name of the argument."""
    if not isinstance(model, SequentialRecommender):
        raise UserError(
            f"{name} is of type {type(model).__name__}; give an instance of a subclass of RecBole's "
            "SequentialRecommender"
        )


def script_model(model: SequentialRecommender, data: Data) -> nn.Module:
    """A model of ours with the weights of a script's, which stays as it is.

    It is made from its class by ``(config, dataset)``, as all of RecBole's are.

    Raises:
        UserError: it cannot be made so, or is then another model.
    """
    copy: nn.Module = build_model(data.config, data.train)
    name = class_of(model).__name__
    try:
        copy.load_state_dict(model.state_dict())
        same = not isinstance(copy, class_of(model)) or _same_scores(model, copy, data)
    except BROKEN as error:
        raise UserError(
            f"a second {name} of the same config and data set does not take the weights of model: "
            f"{reason(error)[:300]}; finetune needs a class that (config, dataset) make alike"
        ) from error
    if not same:
        raise UserError(
            f"a second {name} of the same config, data set and weights gives other scores than model: it "
            "holds something that is neither a setting nor a weight; make it a setting of config or a "
            "buffer of the model"
        )
    return copy


def _same_scores(model: SequentialRecommender, copy: nn.Module, data: Data) -> bool:
    rows = np.arange(min(len(data.measured), PROBE_INSTANCES))
    batch = data.measured_loader().collate_fn(rows)[0].to(data.config["device"])
    with torch.no_grad(), evaluating(model), evaluating(copy):
        one, other = (Scorer(m, data.train).all_items(shallow(batch)) for m in (model, copy))
    one, other = one[:, 1:], other[:, 1:]
    return bool((one - other).abs().max() <= TOLERANCE * one.std().clamp(min=1e-6))
