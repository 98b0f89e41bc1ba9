"""What RecBole's stability metrics have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from recbole.evaluator.base_metric import AbstractMetric
from recbole.utils import EvaluatorType

from recbole_finest.compat import is_own
from recbole_finest.errors import UserError
from recbole_finest.evaluator.measures import measure_lists

if TYPE_CHECKING:
    from recbole.config import Config
    from recbole.evaluator.collector import DataStruct
    from torch import Tensor

REFERENCE = "finest.reference"  # the reference lists' name in RecBole's DataStruct


class StabilityMetric(AbstractMetric):
    """Mean agreement of the recommended lists with reference lists of the same instances.

    Needs ``rec.items`` and ``finest.reference``, both ``[n, any]`` item ids best first; ids below 1
    (RecBole's padding id included) fill short lists. Reads ``topk``, ``rbo_p`` (0.9 when absent)
    and ``metric_decimal_place``.
    """

    metric_type = EvaluatorType.RANKING
    metric_need = ["rec.items", REFERENCE]
    measure: str  # its name in measures.MEASURES

    def __init__(self, config: Config):
        super().__init__(config)
        self._check_collected(config)
        self.topk = config["topk"]
        persistence = config["rbo_p"]
        self.p = 0.9 if persistence is None else persistence

    def _check_collected(self, config: Config) -> None:
        """Refuse RecBole's own trainer, when it is made: it collects no reference lists."""
        from recbole.config import Config as RecBoleConfig  # which imports the registry

        if isinstance(config, RecBoleConfig) and not is_own(config):
            name = type(self).__name__
            raise UserError(
                f"metrics names {name}, which needs reference lists, and RecBole's trainer collects none; "
                f"leave {name} out of metrics and measure it with recbole_finest.stability("
                "model_a, model_b, test_data)"
            )

    def calculate_metric(self, dataobject: DataStruct) -> dict[str, float]:
        """Return for example ``{"rbo@10": 0.8312}``.

        Raises:
            UserError: no reference lists, or lists of another number of instances.
        """
        if REFERENCE not in dataobject:
            raise UserError(
                f"The stability metric {type(self).__name__} needs reference lists, which plain "
                "RecBole does not collect: run with run_finest.py or FinestTrainer, or leave "
                f"{type(self).__name__} out of metrics."
            )
        values = measure_lists(
            _item_ids(dataobject.get(REFERENCE)),
            _item_ids(dataobject.get("rec.items")),
            [self.measure],
            self.topk,
            self.p,
        )
        return {
            key: round(float(value.mean()), self.decimal_place) for key, value in values.items()
        }


def _item_ids(lists: np.ndarray | Tensor) -> np.ndarray:
    ids = np.asarray(lists)
    return np.where(ids < 1, -1, ids)
