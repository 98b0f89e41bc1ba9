"""S3Rec's first stage: RecBole's own pre-training, whose weights the base stage starts from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from recbole_finest.config.config import Config
from recbole_finest.data.log import InteractionLog
from recbole_finest.data.prepare import Data
from recbole_finest.model.build import build_model
from recbole_finest.train.base import base_trainer
from recbole_finest.train.checkpoint import save_checkpoint

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
    path = output.path / f"{name}.pretrained.pth"
    if output.finished(path.stem) is None:
        _pretrain(config, data, path, log)
    return config.but(pre_model_path=str(path))


def _pretrain(config: Config, data: Data, path: Path, log: InteractionLog | None) -> None:
    # RecBole's trainer would pickle the settings into a file every save_step epochs
    epochs = config["pretrain_epochs"]
    changed = {"train_stage": "pretrain", "save_step": epochs + 1}
    config, data = config.but(**changed), data.but(**changed)
    data.packed = False  # its loss masks single histories
    loader = data.train_loader("pretrain", log)
    trainer = base_trainer(config, build_model(config, loader.dataset))
    trainer.fit(loader, verbose=True, show_progress=config["show_progress"])
    save_checkpoint(path, trainer.model, config, epochs=epochs, curve=trainer.curves)
