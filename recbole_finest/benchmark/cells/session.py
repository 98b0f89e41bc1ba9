"""Prepared data sets, kept by a worker for its next cells."""

from __future__ import annotations

import json
import logging
from collections import OrderedDict
from dataclasses import dataclass, replace

from recbole_finest.benchmark.cells.cell import Cell
from recbole_finest.compat import quiet_recbole
from recbole_finest.config.config import Config
from recbole_finest.config.roles import of_base
from recbole_finest.data.from_settings import draw_test_perturbation
from recbole_finest.data.log import InteractionLog
from recbole_finest.data.perturbation import Changes
from recbole_finest.data.prepare import Data, prepare
from recbole_finest.errors import UserError
from recbole_finest.train.mode import choose_training_mode

KEPT = 4  # data sets


@dataclass
class Opened:
    """A cell's settings and data.

    Attributes:
        config: its settings.
        data: the data set.
        log: the perturbed log; None on the clean side.
        changes: what was perturbed.
    """

    config: Config
    data: Data
    log: InteractionLog | None = None
    changes: Changes | None = None


class Session:
    """The data sets that one process has prepared."""

    def __init__(self) -> None:
        self._data: OrderedDict[str, Data] = OrderedDict()

    def open(self, cell: Cell) -> Opened:
        """Settings and data of a cell."""
        config = _config(cell).but(**cell.own)
        data = replace(self._prepared(config), config=config)
        opened = Opened(config, data)
        if cell.perturbation is not None:
            drawn = draw_test_perturbation(opened.config, data, logging.getLogger())
            if drawn is None:
                raise UserError(
                    "perturbation_ratio is 0, so there is nothing to measure; give a ratio or a count"
                )
            opened.log, opened.changes = drawn
        return opened

    def _prepared(self, config: Config) -> Data:
        """A data set with these settings, prepared now or for an earlier cell."""
        key = json.dumps(of_base(config.plain()), sort_keys=True, default=str)
        if key not in self._data:
            data = prepare(config)
            choose_training_mode(data)
            self._data[key] = data
            while len(self._data) > KEPT:
                self._data.popitem(last=False)
        self._data.move_to_end(key)
        return self._data[key]


def _config(cell: Cell) -> Config:
    quiet_recbole()
    given = dict(cell.given)
    model, dataset = given.pop("model"), given.pop("dataset")
    config = Config(model, dataset, None, {**given, "show_progress": False})
    wanted = cell.settings.get("device")
    if wanted is not None and config["device"].type != wanted:
        raise UserError(
            f"the cell is to run on {wanted}, but this worker has {config['device'].type} only"
        )
    return config
