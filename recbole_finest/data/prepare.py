"""From settings to loaders: the counterpart of RecBole's ``create_dataset`` and ``data_preparation``."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from recbole.data.utils import create_samplers, get_dataloader

from recbole_finest.data.dataset import LogDataset, create_dataset
from recbole_finest.data.loader import EvalLoader, InstanceLoader, PackedLoader
from recbole_finest.data.log import InteractionLog
from recbole_finest.data.requirements import check_depths, fitting_candidates, suspects
from recbole_finest.data.split import FULL, modes
from recbole_finest.errors import UserError
from recbole_finest.seeding import derive_seed, seed_globals

if TYPE_CHECKING:
    from recbole_finest.config.config import Config


@dataclass
class Data:
    """A data set, split, and what is needed to load its parts.

    Attributes:
        dataset: the whole data set.
        train, valid, test: its parts; all share ``log`` with roles.
        samplers: RecBole's samplers of the three parts.
        packed: whether training is packed; set by :func:`choose_training_mode`.
    """

    config: Config
    dataset: LogDataset
    train: LogDataset
    valid: LogDataset
    test: LogDataset
    samplers: tuple
    packed: bool = False

    def but(self, **settings: Any) -> Data:
        """The same data under settings that neither its rows nor its split depend on."""
        return replace(self, config=self.config.but(**settings))

    @property
    def log(self) -> InteractionLog:
        return self.train.log

    def train_loader(self, stage: str, log: InteractionLog | None = None) -> InstanceLoader:
        """The training loader of a stage, over the clean log or a perturbed one."""
        kind = PackedLoader if self.packed else InstanceLoader
        dataset = self.train if log is None else self.train.with_log(log)
        return kind(self.config, dataset, self.samplers[0], stage)

    def valid_loader(self) -> Any:
        """The validation loader; None where the split leaves no validation instance."""
        return self._eval_loader("valid", self.valid, self.samplers[1])

    def _eval_loader(self, phase: str, part: LogDataset, sampler: Any) -> Any:
        if len(part) == 0:
            return None
        kind = get_dataloader(self.config, phase)
        if self.config["eval_args"]["mode"][phase] == "full":
            return EvalLoader(self.config, part, sampler)
        return kind(self.config, part, sampler, shuffle=False)

    @property
    def measured(self) -> LogDataset:
        """The part whose instances' lists and accuracy are measured: ``measured_on``, test or valid."""
        return self.valid if self.config["measured_on"] == "valid" else self.test

    def measured_loader(self) -> EvalLoader:
        """Full sorting of the measured instances, in the order of the log."""
        if self.measured is self.test:
            return self.test_loader()
        return EvalLoader(self.config, self.valid, self.samplers[1])

    def test_loader(self) -> EvalLoader:
        """Full sorting of the test instances, in the order of the log."""
        return EvalLoader(self.config, self.test, self.samplers[2])


def _say_how_test_ranks(config: Config) -> None:
    """Say that test ranks all items, where something else was asked for."""
    asked = config.external_config_dict.get("eval_args")
    valid, test = modes(asked.get("mode") if isinstance(asked, Mapping) else None)
    if test != FULL:
        logging.getLogger().warning(
            f"eval_args asks for mode {test} in test, but stability compares lists of all items: test "
            f"ranks all of them (full), validation {valid}; its figures are not those of {test}"
        )


def prepare(config: Config) -> Data:
    """Load, filter and split ``config['dataset']``.

    Raises:
        UserError: the data set cannot be used.
    """
    _say_how_test_ranks(config)
    seed_globals(derive_seed(config["seed"], "data"))  # DIEN draws negative histories on loading
    dataset = create_dataset(config)
    check_depths(config, dataset.item_num)
    for name, value in fitting_candidates(config, dataset.item_num).items():
        dataset.logger.warning(
            f"{name} reduced to {value}: the data set has {dataset.item_num - 1} items"
        )
    try:
        train, valid, test = dataset.build()
        samplers = create_samplers(config, dataset, [train, valid, test])
    except (ValueError, KeyError, IndexError, NotImplementedError, AssertionError) as error:
        raise UserError(
            f"data set '{config['dataset']}' cannot be split: {error}{suspects(config, error)}"
        ) from error
    if len(test) == 0:
        raise UserError(
            "the split leaves no test instance"
            f"{suspects(config) or '; check eval_args and the filters'}"
        )
    found = Data(config, dataset, train, valid, test, samplers)
    if len(found.measured) == 0:
        raise UserError(
            "measured_on is valid, but the split leaves no validation instance; change eval_args, or leave "
            "it out"
        )
    return found
