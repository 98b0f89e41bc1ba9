"""What is asked of a replay, beside settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from recbole_finest.compat import parse_value
from recbole_finest.config.values import is_number
from recbole_finest.errors import UserError, nearest
from recbole_finest.parallel.cluster import check_address

KEEP, RETRAIN, AS_RECBOLE = "keep", "retrain", "retrain_recbole"
# by name: what update is asked for every night, and the settings of the whole replay
METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    AS_RECBOLE: (RETRAIN, {"shuffle_order": "recbole"}),
    RETRAIN: (RETRAIN, {}),
    KEEP: (KEEP, {}),
    **{name: (name, {}) for name in ("warm_start", "distillation", "finest")},
}


@dataclass(frozen=True)
class Request:
    """The arguments of :func:`recbole_finest.rolling.replay.rolling`.

    Attributes:
        models: names of models.
        dataset: name of the data set.
        periods: number of nights.
        methods: names in ``METHODS``, each with settings of its own where it has some:
            ``finest:rank_weight=10:finest_epochs=1``.
        seeds: of training, each a replay of its own.
        start: share of the interactions, oldest first, that the first model is trained on.
        topk: length of the lists.
        output_dir: where everything is kept.
        address: of a Ray cluster that makes several models and seeds at once: ``auto``, ``local`` or
            ``host:port``; None is this process.
    """

    models: Sequence[str]
    dataset: str
    periods: int = 6
    methods: Sequence[str] = tuple(METHODS)
    seeds: Sequence[int] = (2020,)
    start: float = 0.5
    topk: int = 10
    output_dir: str = "runs/rolling"
    address: str | None = None

    def check(self) -> None:
        """Refuse a value that is none of those.

        Raises:
            UserError: the first one.
        """
        if not self.dataset:
            raise UserError("dataset is not set; give --dataset=NAME")
        for name in ("models", "methods", "seeds"):
            values = getattr(self, name)
            if isinstance(values, str) or not values or len(set(values)) < len(values):
                raise UserError(f"{name} is {values!r}, but must be a list of different values")
        for method in self.methods:
            method_of(method)
        if self.address is not None:
            check_address(str(self.address))
        for name in ("periods", "topk"):
            _whole(name, getattr(self, name), 1)
        for seed in self.seeds:
            _whole("seeds", seed, 0)
        if not is_number(self.start) or not 0 < self.start < 1:
            raise UserError(f"start is {self.start!r}, but must be a share between 0 and 1")


def method_of(text: str) -> tuple[str, dict[str, Any]]:
    """What update is asked for by a method, and the method's settings.

    Raises:
        UserError: no such method, or something after it that is no setting.

    >>> method_of("finest:rank_weight=10")
    ('finest', {'rank_weight': 10})
    """
    name, *words = str(text).split(":")
    if name not in METHODS:
        raise UserError(
            f"methods holds {name!r}, which does not exist; {nearest(name, list(METHODS))}"
        )
    way, settings = METHODS[name][0], dict(METHODS[name][1])
    for word in words:
        key, equals, value = word.partition("=")
        if not (key and equals and value):
            raise UserError(f"methods holds {text!r}, whose {word!r} is not SETTING=VALUE")
        settings[key] = parse_value(value)
    return way, settings


def _whole(name: str, value: object, low: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        raise UserError(f"{name} is {value!r}, but must be a whole number of at least {low}")
