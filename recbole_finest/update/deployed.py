"""The deployed model as its checkpoint describes it: weights, settings, and what it was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from recbole_finest.compat import load_checkpoint, load_given_checkpoint
from recbole_finest.config.from_checkpoint import settings_in
from recbole_finest.errors import UserError
from recbole_finest.files import PathLike
from recbole_finest.names import BASE
from recbole_finest.seeding import Keys, token_keys
from recbole_finest.serve.load import load_served
from recbole_finest.serve.settings import checkpoint_file
from recbole_finest.serve.vocabulary import Vocabulary
from recbole_finest.train.checkpoint import training_rows

NIGHTS = "base_epochs"  # which checkpoints of an update have, and no others
Times = tuple[float, float, float]


@dataclass(frozen=True)
class Deployed:
    """A trained model and what is known of its training.

    Attributes:
        file: its checkpoint.
        state: its weights by name.
        settings: that it was trained with.
        by_recbole: whether RecBole wrote the checkpoint.
        vocabulary: its user and item tokens by id.
        rows: keys of the interactions it was trained on, ``[n]``, int64, ascending; None where unknown.
        times: oldest, median and newest time of these; None where unknown.
        base_epochs: epochs of its training from scratch.
        by_update: whether an update made it, whose settings are those of a night.
    """

    file: Path
    state: Mapping[str, Tensor]
    settings: Mapping[str, Any]
    by_recbole: bool
    vocabulary: Vocabulary
    rows: np.ndarray | None
    times: Times | None
    base_epochs: int
    by_update: bool = False

    @cached_property
    def keys(self) -> dict[str, Keys]:
        """Keys of its ``users`` and ``items``, by id."""
        found = {"users": self.vocabulary.users, "items": self.vocabulary.items}
        return {name: token_keys(tokens) for name, tokens in found.items()}


def load_deployed(
    path: PathLike, check_ids: bool = True, model: str | type | None = None
) -> Deployed:
    """Read a run's folder, a checkpoint of ours, or one of RecBole's.

    The ids of a checkpoint without tokens are those of the data set that it names, loaded as RecBole
    loads it; the checkpoint has to reach its own validation score there, or to have that log's fingerprint.

    Args:
        path: the folder or file.
        check_ids: False accepts a checkpoint without tokens whose ids nothing vouches for.
        model: what the user calls its model; a class that is neither RecBole's nor ours has to be named.

    Raises:
        UserError: no such file, no settings in it, an average of several models, or ids that nothing
            vouches for.
    """
    file = checkpoint_file(path)
    checkpoint = load_given_checkpoint(file, model=model)
    settings = settings_in(checkpoint)
    if settings is None:
        raise UserError(
            f"deployed '{file}' holds weights alone and does not say how it was trained; give a run's "
            "folder, or a checkpoint of ours or of RecBole"
        )
    if checkpoint.get("stage") == "average":
        raise UserError(
            f"deployed '{file}' is an average of several models, which cannot be trained further; give one "
            "of its members"
        )
    known = {"rows": checkpoint.get("rows"), "times": checkpoint.get("times")}
    vocabulary = Vocabulary.of_checkpoint(checkpoint)
    if vocabulary is None:
        vocabulary, known = _of_its_data(file, settings, check_ids, model)
    return Deployed(
        file,
        checkpoint["state_dict"],
        settings,
        not isinstance(checkpoint["config"], Mapping),
        vocabulary,
        None if known["rows"] is None else known["rows"].numpy(),
        None if known["times"] is None else tuple(known["times"]),
        _base_epochs(file, checkpoint, settings),
        NIGHTS in checkpoint,
    )


def _of_its_data(
    file: Path, settings: Mapping[str, Any], check_ids: bool, model: str | type | None
) -> tuple[Vocabulary, dict[str, Any]]:
    """Tokens and rows of the data set that a checkpoint was trained on."""
    name, folder = settings["dataset"], Path(str(settings.get("data_path", ".")))
    inter = folder / f"{name}.inter"
    if not inter.is_file():
        raise UserError(
            f"deployed '{file}' carries no tokens, so that its ids are those of the data set it was "
            f"trained on, which is not at '{inter}'; put the files of then there"
        )
    given = {"data_path": str(folder.parent), **({} if model is None else {"model": model})}
    served = load_served(file, name, check_ids, given)
    return Vocabulary.of_dataset(served.home), training_rows(served.home.log)


def _base_epochs(file: Path, checkpoint: Mapping[str, Any], settings: Mapping[str, Any]) -> int:
    """Epochs of the training from scratch that this model goes back to, as far as anything says."""
    if NIGHTS in checkpoint:
        return checkpoint[NIGHTS]
    if "epoch" in checkpoint and "epochs" not in checkpoint:  # RecBole's: the best one
        return int(checkpoint["epoch"]) + 1
    base = file.with_name(f"{BASE}.pth")
    if checkpoint.get("stage") != "base" and base.is_file():
        checkpoint = load_checkpoint(base)
    if checkpoint.get("stage") == "base":
        return int(checkpoint["epochs"])
    return int(settings["epochs"])
