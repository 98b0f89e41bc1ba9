"""S3Rec's first stage: RecBole's own pre-training, whose weights the base stage starts from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from recbole_finest.compat import load_checkpoint
from recbole_finest.config.config import Config
from recbole_finest.data.log import InteractionLog
from recbole_finest.data.prepare import Data
from recbole_finest.model.build import build_model
from recbole_finest.parallel import distributed
from recbole_finest.train.base import base_trainer

if TYPE_CHECKING:
    from recbole_finest.experiment.output import Output


def pretrained_settings(
    config: Config, data: Data, output: Output, name: str, log: InteractionLog | None
) -> Config:
    """The settings that base is made with: pre-trained first, where the model asks for it.

    A model has two stages when it has the setting ``train_stage``. The first is trained by the model's
    own RecBole trainer for ``pretrain_epochs`` epochs on the same log as the second, and leaves
    ``<name>.pretrained.pth``. A ``pre_model_path`` that the user gives takes its place.
    """
    if "train_stage" not in config or config["pre_model_path"]:
        return config
    path = _path(output, name)
    done = output.finished(path.stem)
    if done is None:
        _pretrain(config, data, output, name, log)
    else:  # by a run that was interrupted in the second stage
        output.drop_states(path.stem)
        output.carry(
            name, distributed.from_main(lambda: load_checkpoint(done).get("seconds", (0, 0)))
        )
    return config.but(pre_model_path=str(path))


def _path(output: Output, name: str) -> Path:
    return output.path / f"{name}.pretrained.pth"


def _pretrain(
    config: Config, data: Data, output: Output, name: str, log: InteractionLog | None
) -> None:
    path = _path(output, name)
    # RecBole's trainer would pickle the settings into a file every save_step epochs
    epochs = config["pretrain_epochs"]
    changed = {"train_stage": "pretrain", "save_step": epochs + 1}
    config, data = config.but(**changed), data.but(**changed)
    data.packed = False  # its loss masks single histories
    loader = data.train_loader("pretrain", log)
    trainer = base_trainer(config, build_model(config, loader.dataset))
    trainer.states = output.states_of(path.stem, config["checkpoint_interval"])
    trainer.fit(loader, verbose=True, show_progress=config["show_progress"])
    output.carry(name, trainer.earlier_seconds)
    found = {"epochs": epochs, "curve": trainer.curves, "seconds": trainer.seconds()}
    output.save_checkpoint(path.stem, trainer.model, config, **found)
    output.drop_states(path.stem)
