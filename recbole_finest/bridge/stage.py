"""FINEST's fine-tuning as one call in a RecBole script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from recbole.model.abstract_recommender import SequentialRecommender

from recbole_finest.bridge.script_data import script_data
from recbole_finest.bridge.script_model import check_model, script_model
from recbole_finest.compat import quiet_recbole
from recbole_finest.config.from_recbole import own_config
from recbole_finest.data.prepare import Data
from recbole_finest.errors import UserError
from recbole_finest.evaluator.evaluation import valid_reference
from recbole_finest.experiment.output import Output
from recbole_finest.experiment.stages import check_methods, check_simulation, fine_tune
from recbole_finest.folders.own import temporary
from recbole_finest.method import Finest
from recbole_finest.names import FINEST, REFERENCE
from recbole_finest.reference.build import reference_lists
from recbole_finest.scoring.packed_scoring import class_of
from recbole_finest.seeding import global_streams, replayed


def finetune(
    model: SequentialRecommender,
    config: Any,
    train_data: Any,
    valid_data: Any = None,
    **settings: Any,
) -> SequentialRecommender:
    """Fine-tune the trained model of a RecBole script with FINEST, towards its own lists.

    The same stage as in :func:`recbole_finest.run_finest`, with the same result from the same weights and
    settings. Settings of ours (``finest_epochs``, ``rank_weight``, ``training_mode``, …) are read from
    ``config``, to which RecBole lets anybody add any name, and from ``settings``, which win.

    Args:
        model: of RecBole, or any subclass of its ``SequentialRecommender``; stays as it is.
        config: the script's ``recbole.config.Config``.
        train_data, valid_data: loaders of RecBole's ``data_preparation``; without ``valid_data`` the
            stage is not validated.
        settings: by name, for this call.

    Returns:
        The fine-tuned model, on the device of ``model``, in evaluation mode; an instance of its class, or
        of the repaired class of the same name, whose ``state_dict()`` the first one takes.

    Raises:
        UserError: an argument that is none of these, a setting that is wrong, a data set that is no longer
            what its files are, a model that cannot be made a second time from its class.
    """
    quiet_recbole()
    check_model("model", model)
    device = next(model.parameters()).device
    ours = own_config(config, class_of(model), settings).but(device=device)
    if ours["finest_early_stopping"] and valid_data is None:
        raise UserError(
            "finest_early_stopping is True, which needs valid_data; give it to finetune"
        )
    with replayed(global_streams()):  # what the script draws afterwards is what it would have drawn
        data = script_data(ours, train_data, valid_data)
        base = script_model(model, data)
        with temporary() as folder:
            finest = _stage(data.but(checkpoint_dir=folder), base, Path(folder), valid_data)
    return finest.eval()


def _stage(data: Data, base: torch.nn.Module, folder: Path, valid_data: object) -> torch.nn.Module:
    """The references of ``base`` and the fine-tuning of a copy; ``folder`` takes what they write."""
    config = data.config
    method = Finest(config)
    check_simulation(config, data.log)
    check_methods(config, data, [method])
    references = reference_lists(config, data, base, folder / REFERENCE)
    known = None if valid_data is None else valid_reference(config, data, base)
    output = Output(folder, data.dataset.logger, resume=False)
    model, _, _ = fine_tune(config, data, output, FINEST, base, method, references, None, known)
    return model
