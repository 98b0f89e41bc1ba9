"""S3Rec's first stage: RecBole's own pre-training, whose weights the base stage starts from."""

from __future__ import annotations

import copy
from typing import Any

from recbole_finest.config.config import Config
from recbole_finest.data.log import InteractionLog
from recbole_finest.data.prepare import Data
from recbole_finest.model.build import build_model
from recbole_finest.train.base import base_trainer, save_checkpoint


def pretrained_settings(
    config: Config, data: Data, output: Any, name: str, log: InteractionLog | None
) -> Any:
    """The settings that base is made with: pre-trained first, where the model asks for it.

    A model has two stages when it has the setting ``train_stage``. The first is trained by the model's
    own RecBole trainer for ``pretrain_epochs`` epochs on the same log as the second, and leaves
    ``<name>.pretrained.pth``. A ``pre_model_path`` that the user gives takes its place.
    """
    if "train_stage" not in config or config["pre_model_path"]:
        return config
    path = output.path / f"{name}.pretrained.pth"
    if output.finished(path.stem) is None:
        _pretrain(config, data, path, log)
    return _changed(config, pre_model_path=str(path))


def _pretrain(config: Config, data: Data, path: Any, log: InteractionLog | None) -> None:
    # RecBole's trainer would pickle the settings into a file every save_step epochs
    epochs = config["pretrain_epochs"]
    config = _changed(config, train_stage="pretrain", save_step=epochs + 1)
    data = copy.copy(data)
    data.config, data.packed = config, False  # its loss masks single histories
    loader = data.train_loader("pretrain", log)
    trainer = base_trainer(config, build_model(config, loader.dataset))
    trainer.fit(loader, verbose=True, show_progress=config["show_progress"])
    save_checkpoint(path, trainer.model, config, epochs=epochs, curve=trainer.curves)


def _changed(config: Config, **settings: Any) -> Any:
    other = copy.copy(config)
    other.final_config_dict = {**config.final_config_dict, **settings}
    return other
