"""The model of the first night: trained on everything that is known, for a later update."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from recbole_finest.compat import quiet_recbole
from recbole_finest.config.config import Config
from recbole_finest.data.prepare import prepare
from recbole_finest.experiment.folder import open_output
from recbole_finest.experiment.stages import train_base
from recbole_finest.names import MODEL
from recbole_finest.parallel.allocator import keep_freed_memory
from recbole_finest.train.mode import choose_training_mode
from recbole_finest.update.everything import on_everything


def first_model(
    model: Any, dataset: str, files: tuple[str, ...], settings: Mapping[str, Any]
) -> float:
    """Train base on every interaction, in a folder whose ``model.pth`` an update takes.

    Args:
        model: its name or class.
        dataset: name of the data set.
        files, settings: as ``config_file_list`` and ``config_dict`` of :class:`Config`.

    Returns:
        Seconds that training took.

    Raises:
        UserError: anything that the user can put right; nothing is written then.
    """
    quiet_recbole()
    keep_freed_memory()
    config = Config(model, dataset, files, dict(settings))
    with open_output(config) as output:
        config = config.but(checkpoint_dir=str(output.path))
        data = on_everything(prepare(config))
        choose_training_mode(data)
        output.take_over()
        begin = time.perf_counter()
        train_base(config, data, output, MODEL)
        return time.perf_counter() - begin + output.carried[MODEL][0]
