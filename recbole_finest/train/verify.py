"""Whether a checkpoint that carries no tokens was trained with the ids that its data set has now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import nn

from recbole_finest.config.config import Config
from recbole_finest.config.from_checkpoint import settings_in
from recbole_finest.data.prepare import Data
from recbole_finest.errors import UserError
from recbole_finest.evaluator.evaluation import evaluate
from recbole_finest.files import PathLike
from recbole_finest.scoring.scorer import Scorer

# RecBole sorts by times in 32 bits, which moves interactions and so the score a little; ids in another
# order leave about a tenth of it.
TOLERANCE = 0.1
ROUNDING = 1e-4  # RecBole keeps four decimals
TRUST = "if you know that they are, give --check_ids=False"


def verify_ids(
    config: Config,
    checkpoint: Mapping[str, Any],
    data: Data,
    model: nn.Module,
    file: PathLike,
    advice: str = TRUST,
) -> None:
    """Refuse ids that are not those of the training, as far as the checkpoint can tell.

    The same interactions in a file of another order have other ids: every list would be nonsense, and
    nothing would say so. A checkpoint of ours before it carried tokens has the log's fingerprint;
    RecBole's has the best validation score, which the model must reach again.

    Args:
        config, data: of the data set as it is now.
        checkpoint: what the model was loaded from.
        model: with the checkpoint's weights.
        file: the checkpoint's, for errors.
        advice: what to do where there is nothing to compare; "" only warns.

    Raises:
        UserError: the score is another one, or there is nothing to compare.
    """
    if checkpoint.get("fingerprint") == data.log.fingerprint():
        return
    kept = _kept_score(checkpoint)
    if kept is None or data.valid_loader() is None:
        unknown = (
            f"'{file}' carries neither tokens nor a validation score over all items, so that nothing "
            f"says whether the ids of data set '{config['dataset']}' are those it was trained with"
        )
        if advice:
            raise UserError(f"{unknown}; {advice}")
        data.dataset.logger.warning(unknown)
        return
    metric, score = kept
    found = _score(config, data, model, metric)
    if abs(found - score) > ROUNDING + TOLERANCE * abs(score):
        raise UserError(
            f"'{file}' had {metric} {score:.4f} in validation, but has {found:.4f} on data set "
            f"'{config['dataset']}' as it is now: its users or items have other ids, as from rows in "
            "another order, or other interactions; give the files that it was trained on"
        )


def _kept_score(checkpoint: Mapping[str, Any]) -> tuple[str, float] | None:
    """Metric and value, where RecBole measured one over all items."""
    settings, score = settings_in(checkpoint) or {}, checkpoint.get("best_valid_score")
    mode = dict(settings.get("eval_args") or {}).get("mode")
    mode = mode.get("valid") if isinstance(mode, Mapping) else mode
    metric, _, depth = str(settings.get("valid_metric")).partition("@")
    if mode != "full" or not depth.isdecimal() or not isinstance(score, (int, float)):
        return None
    return (f"{metric}@{depth}".lower(), float(score)) if np.isfinite(score) else None


def _score(config: Config, data: Data, model: nn.Module, metric: str) -> float:
    name, _, depth = metric.partition("@")
    measured = config.but(metrics=[name], topk=[int(depth)], filter_seen=False)
    loader = data.but(metrics=[name], topk=[int(depth)]).valid_loader()
    train = data.train_loader("evaluation")
    return evaluate(measured, Scorer(model, data.train), loader, train, "ids").accuracy[metric]
