"""What a benchmark is made of: the axes of the grid and the settings of its cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from recbole_finest.benchmark.grid import sweep
from recbole_finest.benchmark.grid.sweep import MAX_ACCURACY_LOSS
from recbole_finest.compat import parse_value
from recbole_finest.config.settings import read_yaml
from recbole_finest.errors import UserError, nearest
from recbole_finest.method import METHODS

# Keys of a perturbation in the grid; each stands for the setting perturbation_<key>.
PERTURBATION_KEYS = (
    "kind",
    "selection",
    "item",
    "ratio",
    "count",
    "per_user",
    "position",
    "users",
    "file",
)
# How the command runs; none of it changes a result but threads_per_cell, which is part of every cell.
RUN_KEYS = (
    "engine",
    "jobs",
    "threads_per_cell",
    "address",
    "cpus_per_cell",
    "gpus_per_cell",
    "output_dir",
)


@dataclass(frozen=True)
class Variant:
    """A method, perhaps with settings of its own.

    Attributes:
        label: what tables call it.
        method: name of the method.
        settings: settings that hold for it alone.
    """

    label: str
    method: str
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def own_class(self) -> bool:
        """Whether the method is ``package.module:Class``, which may read settings that nobody lists."""
        return ":" in self.method


@dataclass(frozen=True)
class Grid:
    """The axes of a benchmark and the settings of its cells.

    Attributes:
        models, datasets, seeds, shuffle_orders: as the settings of these names (in the singular).
        methods: methods, each with settings of its own where it has any.
        perturbations: test perturbations, ``{kind, selection, item, ratio, …}`` each.
        perturbation_seeds: every perturbation is drawn once with each of them.
        settings: settings of all cells; one that only some models have goes to these.
        dataset_settings, model_settings: settings by data set and by model, later ones first.
        command_line: settings that win over all others.
        max_accuracy_loss: share of accuracy that the recommended setting of a sweep may cost.
        file_models, file_datasets: those that the YAML file names, whatever the command line chose.
    """

    models: list[str]
    datasets: list[str]
    methods: list[Variant]
    perturbations: list[dict[str, Any]]
    perturbation_seeds: list[int]
    seeds: list[int]
    shuffle_orders: list[str]
    settings: dict[str, Any] = field(default_factory=dict)
    dataset_settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    model_settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    command_line: dict[str, Any] = field(default_factory=dict)
    max_accuracy_loss: float = MAX_ACCURACY_LOSS
    file_models: list[str] = field(default_factory=list)
    file_datasets: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """The grid as plain values, for ``records.json``; methods by label."""
        own = {v.label: {"method": v.method, **v.settings} for v in self.methods if v.settings}
        labels = [variant.label for variant in self.methods]
        found = {**asdict(self), "methods": labels, "method_settings": own}
        del found["file_models"], found["file_datasets"]
        return found

    def drawn(self) -> list[dict[str, Any]]:
        """Every test perturbation with every seed, as settings ``perturbation_…``."""
        found = []
        for perturbation in self.perturbations:
            settings = {f"perturbation_{key}": value for key, value in perturbation.items()}
            for seed in self.perturbation_seeds:
                found.append({**settings, "perturbation_seed": seed})
        return found


DEFAULTS: dict[str, list[Any]] = {
    "models": [],
    "datasets": [],
    "methods": ["none", "plain", "finest"],
    "perturbations": ["deletion"],
    "perturbation_seeds": [0, 1],
    "seeds": [0],
    "shuffle_orders": ["stable"],
}
SETTINGS_KEYS = ("settings", "dataset_settings", "model_settings", "method_settings")


def read_grid(
    file: str | None, axes: Mapping[str, str], command_line: Mapping[str, str]
) -> tuple[Grid, dict[str, Any], list[str]]:
    """The grid of a YAML file, with what the command line changes.

    Args:
        file: the YAML file, or None.
        axes: axes given on the command line, items separated by commas; also ``perturbation_kinds`` and
            the entries about a sweep.
        command_line: settings given on the command line, as text.

    Returns:
        The grid, the file's ``RUN_KEYS``, and the mistakes in its form, one sentence each; parts with a
        mistake are left out of the grid.

    Raises:
        UserError: the file cannot be read or is no mapping.
    """
    raw = read_yaml(file) if file else {}
    known = (*DEFAULTS, *SETTINGS_KEYS, *sweep.KEYS, *RUN_KEYS)
    mistakes = [
        f"the grid has the unknown entry '{name}'; it knows {', '.join(known)}"
        for name in raw
        if name not in known
    ]
    raw |= {name: parse_value(axes[name]) for name in sweep.KEYS if name in axes}
    swept, loss = sweep.read_sweep(raw, mistakes)
    lists = {}
    for name, default in DEFAULTS.items():
        given = split_list(axes[name]) if name in axes else raw.get(name, default)
        lists[name] = _list(name, given, mistakes)
    if "perturbation_kinds" in axes:
        kinds = split_list(axes["perturbation_kinds"])
        lists["perturbations"] = _of_kinds(lists["perturbations"], kinds)
    mappings = {name: _mapping(name, raw.get(name), mistakes) for name in SETTINGS_KEYS}
    for name in SETTINGS_KEYS[1:]:
        found = {k: _mapping(f"{name}: {k}", v, mistakes) for k, v in mappings[name].items()}
        mappings[name] = found
    own = mappings.pop("method_settings")
    mistakes += _without_method(own, [*lists["methods"], *_as_list(raw.get("methods", []))])
    grid = Grid(
        models=list(map(str, lists["models"])),
        datasets=list(map(str, lists["datasets"])),
        methods=_variants(lists["methods"], own, swept),
        perturbations=[_perturbation(p) for p in lists["perturbations"]],
        perturbation_seeds=lists["perturbation_seeds"],
        seeds=lists["seeds"],
        shuffle_orders=lists["shuffle_orders"],
        command_line={name: parse_value(text) for name, text in command_line.items()},
        max_accuracy_loss=loss,
        file_models=list(map(str, _as_list(raw.get("models", [])))),
        file_datasets=list(map(str, _as_list(raw.get("datasets", [])))),
        **mappings,
    )
    return grid, {name: raw[name] for name in RUN_KEYS if name in raw}, mistakes


def split_list(text: str) -> list[Any]:
    """``a,b`` or ``[a, b]`` as a list of YAML scalars.

    >>> split_list("0,1"), split_list("[SASRec, my.module:Model]")
    ([0, 1], ['SASRec', 'my.module:Model'])
    """
    words = text.strip().removeprefix("[").removesuffix("]").split(",")
    return [parse_value(word.strip()) for word in words if word.strip()]


def _list(name: str, given: object, mistakes: list[str]) -> list[Any]:
    values = _as_list(given)
    if not values:
        mistakes.append(f"{name} is empty; name at least one, as in --{name}=…")
    repeated = sorted({str(v) for v in values if values.count(v) > 1})
    if repeated:
        mistakes.append(f"{name} holds {', '.join(repeated)} more than once; name each once")
    return values


def _as_list(given: object) -> list[Any]:
    return given if isinstance(given, list) else [given]


def _mapping(name: str, given: object, mistakes: list[str]) -> dict[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        mistakes.append(f"{name} is {given!r}, but must hold 'name: value' lines")
        return {}
    return {str(key): value for key, value in given.items()}


def _perturbation(given: object) -> dict[str, Any]:
    return dict(given) if isinstance(given, dict) else {"kind": given}


def _of_kinds(perturbations: Sequence[Any], kinds: Sequence[Any]) -> list[Any]:
    """The grid's perturbations of these kinds; the bare kind where the grid has none of it."""
    found: list[Any] = []
    for kind in kinds:
        found += [p for p in perturbations if _perturbation(p).get("kind") == kind] or [kind]
    return found


def _without_method(own: Mapping[str, Any], methods: Sequence[Any]) -> list[str]:
    """Methods that ``method_settings`` names and that there are not."""
    known = [*map(str, methods), *METHODS]
    found = []
    for name in own:
        if name not in known:
            hint = nearest(name, known, "name it in methods too")
            found.append(f"method_settings names '{name}', which is none of the methods; {hint}")
    return found


def _variants(
    labels: Sequence[Any],
    own: Mapping[str, Any],
    swept: Sequence[tuple[str, str, dict[str, Any]]],
) -> list[Variant]:
    """The methods, with their ``method_settings``, and what a sweep adds to them."""
    found = []
    for label in map(str, labels):
        settings = dict(own.get(label, {}))
        found.append(Variant(label, str(settings.pop("method", label)), settings))
    found += [Variant(*variant) for variant in swept]
    return list({variant.label: variant for variant in found}.values())


def all_at_once(mistakes: Sequence[str]) -> None:
    """Raise all mistakes as one :class:`UserError`; nothing where there are none."""
    mistakes = list(dict.fromkeys(mistakes))
    if len(mistakes) == 1:
        raise UserError(mistakes[0])
    if mistakes:
        listed = "\n".join(f"  - {mistake}" for mistake in mistakes)
        raise UserError(f"the grid has {len(mistakes)} mistakes:\n{listed}")
