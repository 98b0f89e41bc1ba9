"""Which checkpoint a path means, and the settings that its model is made with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recbole_finest.config.config import Config
from recbole_finest.config.from_checkpoint import own_loss, settings_in, taken_from
from recbole_finest.errors import UserError
from recbole_finest.files import PathLike
from recbole_finest.model.find import find_model, model_names
from recbole_finest.names import BASE, FINEST

OF_A_RUN = ("model", FINEST, BASE)  # looked for in a run's folder, in this order


def checkpoint_file(path: PathLike) -> Path:
    """The ``.pth`` file: ``path`` itself, or the final model of the run in that folder.

    Raises:
        UserError: a folder without one.
    """
    path = Path(path)
    if not path.is_dir():
        return path
    for name in OF_A_RUN:
        if (path / f"{name}.pth").is_file():
            return path / f"{name}.pth"
    names = ", ".join(f"{name}.pth" for name in OF_A_RUN)
    raise UserError(
        f"model_file '{path}' is a folder without any of {names}; give the folder of a finished run, "
        "or a .pth file"
    )


def served_settings(
    checkpoint: Mapping[str, Any], file: Path, dataset: str | None, given: Mapping[str, Any]
) -> Config:
    """The settings of a checkpoint's model, on this machine.

    Args:
        checkpoint: from :func:`load_checkpoint`.
        file: where it comes from, for errors.
        dataset: name of the data set; None is the one that it was trained on.
        given: settings that win over the checkpoint's, such as ``data_path`` and ``eval_batch_size``.

    Raises:
        UserError: the checkpoint does not say its model or data set and neither is given, it is of
            another model, or its model is a class of somebody's own, which is not imported unasked.
    """
    known, given = settings_in(checkpoint) or {}, dict(given)
    model = _model(known, file, given.pop("model", None))
    dataset = dataset or known.get("dataset")
    if dataset is None:
        raise UserError(f"'{file}' does not say its data set; give --dataset=NAME")
    fresh = Config(model, dataset, None, own_loss(find_model(model), known))
    _check_model(fresh["model"], known, file)
    taken = {**taken_from(known, fresh), **_data_path(known, dataset)} if known else {}
    if "train_stage" in fresh:  # the checkpoint's own weights follow
        taken |= {"train_stage": "finetune", "pre_model_path": None}
    config = Config(model, dataset, config_dict={**taken, **given})
    return config.inheriting(frozenset(taken) - frozenset(given))


def _model(known: Mapping[str, Any], file: Path, given: Any) -> Any:
    if given is not None:
        return given
    name = known.get("model")
    if name is None:
        raise UserError(f"'{file}' does not say its model; give --model=NAME")
    if name not in model_names():
        own = known.get("model_class", name)
        raise UserError(
            f"'{file}' was trained with the class '{own}', which is imported only where you name it; "
            f"give --model={own}"
        )
    return name


def _check_model(name: str, known: Mapping[str, Any], file: Path) -> None:
    if known.get("model", name) != name:
        raise UserError(
            f"'{file}' was trained with model={known['model']}, not {name}; leave model out, or give "
            "another model_file"
        )


def _data_path(known: Mapping[str, Any], dataset: str) -> dict[str, str]:
    """Where the checkpoint's data set was, if this one is there too; else the default stays."""
    folder = Path(str(known.get("data_path", "."))).parent  # RecBole has added the data set
    return {"data_path": str(folder)} if (folder / dataset / f"{dataset}.inter").is_file() else {}
