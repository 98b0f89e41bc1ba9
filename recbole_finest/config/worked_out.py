"""Settings that follow from others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from recbole.data.transform import construct_transform

from recbole_finest.data.requirements import item_features
from recbole_finest.data.split import FULL, modes
from recbole_finest.errors import UserError

if TYPE_CHECKING:
    from recbole_finest.config.config import Config


WITHOUT_DEPTH = ("gauc",)  # metrics of a whole ranking


def valid_metric(final: Mapping[str, Any], given: bool) -> str:
    """``valid_metric``; the default follows ``topk``.

    Args:
        final: all settings.
        given: whether the user gave it.

    Raises:
        UserError: one that is never measured.
    """
    metric, at, depth = str(final["valid_metric"]).partition("@")
    depths = final["topk"] if isinstance(final["topk"], list) else [final["topk"]]
    measured = metric.lower() in {str(m).lower() for m in final["metrics"]}
    if measured and (depth in map(str, depths) if at else metric.lower() in WITHOUT_DEPTH):
        return final["valid_metric"]
    if measured and not at:
        raise UserError(
            f"valid_metric is {final['valid_metric']!r}, which is measured at a depth; give one of topk "
            f"{depths} with it, such as {metric}@{depths[0]}"
        )
    if measured and not given:
        return f"{metric}@{depths[0]}"
    raise UserError(
        f"valid_metric is {final['valid_metric']!r}, which metrics {final['metrics']} and topk "
        f"{depths} do not measure; add it to them or choose another"
    )


def eval_args(given: Mapping[str, Any], default: Mapping[str, Any]) -> dict[str, Any]:
    """``eval_args``, what is not given of it from the default: RecBole would fill in a random split.

    Test always ranks all items, since lists are made of them; validation ranks as it is asked to.
    """
    found = {**default, **given}
    valid, test = modes(found.get("mode"))
    return {**found, "mode": {"valid": valid, "test": FULL}} if test != FULL else found


def columns(final: Mapping[str, Any]) -> dict[str, list[str]] | None:
    """``load_col``, with user, item, time and the model's item features always among them."""
    given = final.get("load_col")
    if given is None:
        return None
    found = dict(given)
    features = item_features(final)
    if features and "item" not in found:
        found["item"] = [final["ITEM_ID_FIELD"], *features]
    fields = [final["USER_ID_FIELD"], final["ITEM_ID_FIELD"], final["TIME_FIELD"]]
    names = found.get("inter", [])
    if names != "*" and names is not None:
        found["inter"] = list(names) + [f for f in fields if f not in names]
    return found


def field_names(config: Config) -> dict[str, Any]:
    """What RecBole's transform writes into its settings when it is made: names of its fields.

    The one place where RecBole writes; it writes the same again whenever a loader is made.
    """
    written = _Written(config)
    construct_transform(written)
    return written.settings


class _Written:
    """Settings that keep what is written to them apart."""

    def __init__(self, config: Config):
        self._config = config
        self.settings: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        return self._config[name]

    def __setitem__(self, name: str, value: object) -> None:
        self.settings[name] = value
