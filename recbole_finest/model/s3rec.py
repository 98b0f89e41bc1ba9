"""S3Rec as RecBole has it, its pre-trained weights read safely, or left to be loaded later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recbole.model.loss import BPRLoss
from recbole.model.sequential_recommender.s3rec import S3Rec as RecBoleS3Rec
from torch import nn

from recbole_finest.compat import load_checkpoint
from recbole_finest.errors import UserError

if TYPE_CHECKING:
    from recbole.data.dataset import SequentialDataset

    from recbole_finest.config.config import Config


class S3Rec(RecBoleS3Rec):
    """RecBole's S3Rec in either stage.

    RecBole's constructor reads ``pre_model_path`` with a bare ``torch.load`` in the stage ``finetune``.
    Here the file may also be one that RecBole pickled, it may come from another device, and without a
    path the model has fresh weights: those of a checkpoint follow.
    """

    def __init__(self, config: Config, dataset: SequentialDataset):
        super().__init__(_Pretraining(config), dataset)
        self.train_stage = config["train_stage"]
        if self.train_stage == "pretrain":
            return
        losses = {"CE": nn.CrossEntropyLoss, "BPR": BPRLoss}
        if self.loss_type not in losses:
            raise UserError(f"loss_type is {self.loss_type!r}: set it to 'CE' or 'BPR'")
        self.loss_fct = losses[self.loss_type]()
        if config["pre_model_path"]:
            self._load_pretrained(config["pre_model_path"])

    def _load_pretrained(self, path: str) -> None:
        try:
            self.load_state_dict(load_checkpoint(path)["state_dict"])
        except (KeyError, TypeError, RuntimeError) as error:
            raise UserError(
                f"pre_model_path '{path}' does not hold S3Rec's weights for these settings and this "
                f"data set: {error}"
            ) from error


class _Pretraining:
    """The settings in the stage ``pretrain``, in which the constructor loads no file."""

    def __init__(self, config: Config):
        self._config = config

    def __getitem__(self, name: str) -> Any:
        return "pretrain" if name == "train_stage" else self._config[name]
