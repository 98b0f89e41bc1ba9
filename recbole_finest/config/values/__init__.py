"""What the value of each setting must be: one table, in which every setting has a rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recbole_finest.compat import parse_value
from recbole_finest.config.values.models import COMMON, EVERY, OF_MODEL
from recbole_finest.config.values.ours import OURS
from recbole_finest.config.values.recbole import RECBOLE
from recbole_finest.config.values.rule import Rule, is_number, parts

RECIPE = (  # of training alone: neither the model's shape nor what stands in an instance
    *("epochs", "eval_step", "stopping_step", "learning_rate", "learning_rate_schedule"),
    *("warmup_ratio", "weight_average", "weight_average_decay", "weight_decay", "train_batch_size"),
)
GENERAL: dict[str, Rule] = {**OURS, **RECBOLE, **EVERY}
GENERAL["recipe"] = parts(
    "a mapping of settings of base's training, such as {learning_rate_schedule: linear}",
    "",
    **{name: GENERAL[name] for name in RECIPE},
)

__all__ = ["GENERAL", "Rule", "is_number", "read_text", "rules_of"]


def read_text(name: str, text: str) -> Any:
    """The value of a setting that is given as text: what YAML reads, but for plain texts.

    >>> read_text("topk", "[5, 10]"), read_text("data_path", "2024"), read_text("data_path", "'2024'")
    ([5, 10], '2024', '2024')
    """
    value, rule = parse_value(text), GENERAL.get(name)
    kept = rule is not None and rule.plain and rule.allows(text) and not rule.allows(value)
    return text if kept else value


def rules_of(model: str | None) -> Mapping[str, Rule]:
    """The rule of each setting of a model of RecBole's or ours, by its name.

    Args:
        model: its name; None is a model of the user's own, whose settings are its author's.
    """
    return GENERAL if model is None else {**GENERAL, **COMMON, **OF_MODEL.get(model, {})}
