"""A checkpoint's model, made from its data set, with the ids that it was trained with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from recbole_finest.compat import load_given_checkpoint, quiet_recbole
from recbole_finest.config.config import Config
from recbole_finest.data.dataset import LogDataset
from recbole_finest.data.prepare import prepare
from recbole_finest.errors import UserError
from recbole_finest.files import PathLike
from recbole_finest.model.average import AverageModel
from recbole_finest.model.build import BROKEN, build_model, reason
from recbole_finest.seeding import global_streams, replayed
from recbole_finest.serve.settings import checkpoint_file, served_settings
from recbole_finest.serve.vocabulary import Vocabulary, under
from recbole_finest.train.verify import verify_ids


@dataclass(frozen=True)
class Served:
    """A model and what it is asked with.

    Attributes:
        config: its settings, on this machine.
        dataset: whole, with ids of its own: people and their histories.
        home: a part of it with the model's ids; the same ids where nothing has changed.
        model: trained.
    """

    config: Config
    dataset: LogDataset
    home: LogDataset
    model: nn.Module


def load_served(
    path: PathLike, dataset: str | None, check_ids: bool, settings: Mapping[str, Any]
) -> Served:
    """Load what :meth:`Recommender.load` describes; the global generators stay where they are."""
    quiet_recbole()
    file = checkpoint_file(path)
    checkpoint = load_given_checkpoint(file, model=settings.get("model"))
    tokens = Vocabulary.of_checkpoint(checkpoint)
    with replayed(global_streams()):  # RecBole draws on loading, models on being made
        config = served_settings(checkpoint, file, dataset, settings)
        data = prepare(config)
        home = data.train if tokens is None else under(data.train, tokens, file)
        model = _model(config, checkpoint, home, file)
        if tokens is None and check_ids:
            verify_ids(config, checkpoint, data, model, file)
    return Served(config, data.dataset, home, model)


def _model(config: Config, checkpoint: Any, home: LogDataset, file: Path) -> nn.Module:
    """The checkpoint's model, on the configured device."""
    try:
        if checkpoint.get("stage") == "average":
            return AverageModel.from_checkpoint(config, home, checkpoint).to(config["device"])
        model = build_model(config, home)
        model.load_state_dict(checkpoint["state_dict"])
        return model
    except BROKEN as error:
        raise UserError(
            f"'{file}' does not fit model '{config['model']}' on data set '{config['dataset']}': "
            f"{reason(error)[:300]}"
        ) from error
