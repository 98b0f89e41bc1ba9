"""All that is wrong with a grid, found before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from recbole_finest.benchmark.conflicts import conflicts
from recbole_finest.benchmark.grid import PERTURBATION_KEYS, Grid, Variant
from recbole_finest.benchmark.resolve import Resolver
from recbole_finest.config import RUN_SETTINGS, Config
from recbole_finest.data.perturbation import ITEM_CHOICES, KINDS, SELECTIONS
from recbole_finest.errors import UserError
from recbole_finest.method import find_method
from recbole_finest.model.find import find_model
from recbole_finest.model.requirements import check_files
from recbole_finest.settings import check_known, check_values

# Settings that the grid decides, and what decides them.
RESERVED = {
    "model": "models",
    "dataset": "datasets",
    "seed": "seeds",
    "seeds": "seeds beside the axes",
    "shuffle_order": "shuffle_orders",
    "recbole_order_baseline": "shuffle_orders",
    "baselines": "methods",
    "perturbation_kind": "perturbations (or --perturbation_kinds)",
    "perturbation_seed": "perturbation_seeds",
    "perturbation_seeds": "perturbation_seeds beside the axes",
    "perturbation_file": "perturbations ({file: …})",
    "base_checkpoint": "nothing: the benchmark trains every base itself",
    "overwrite": "nothing: finished cells are never replaced",
    "resume": "nothing: every run continues where the last one stopped",
    "output_dir": "output_dir beside the axes",
    "nproc": "jobs",
}
_TABLES: dict[str, Mapping[str, Any]] = {
    "kind": KINDS,
    "selection": SELECTIONS,
    "item": ITEM_CHOICES,
}


def mistakes_in(grid: Grid, resolver: Resolver) -> list[str]:
    """Everything that is wrong with a grid, one sentence each; nothing is trained for it."""
    models = {model: _said(find_model, model) for model in grid.models}
    found = [said for said in models.values() if said]
    found += [m for name in grid.datasets for m in _said_list(_dataset, grid, name)]
    found += [*_methods(grid), *_axes(grid)]
    found += [*_reserved(grid), *conflicts(grid)]
    good = [model for model, said in models.items() if said is None]
    found += _unknown_settings(grid, resolver, good)
    if good and not found:
        for model in good:
            found += _combinations(grid, resolver, model)
    return found


def _said(act: Callable[..., Any], *args: Any) -> str | None:
    """The message of the :class:`UserError` that a call ends with, or None."""
    try:
        act(*args)
    except UserError as error:
        return str(error)
    return None


def _said_list(act: Callable[..., Any], *args: Any) -> list[str]:
    said = _said(act, *args)
    return [] if said is None else [said]


def _axes(grid: Grid) -> Iterator[str]:
    """Wrong seeds, orders and perturbations."""
    for seed in grid.seeds:
        yield from _said_list(check_values, {"seed": seed})
    for seed in grid.perturbation_seeds:
        yield from _said_list(check_values, {"perturbation_seed": seed})
    for order in grid.shuffle_orders:
        yield from _said_list(check_values, {"shuffle_order": order})
    for perturbation in grid.perturbations:
        yield from _perturbation(perturbation)


def _perturbation(perturbation: Mapping[str, Any]) -> Iterator[str]:
    for key, value in perturbation.items():
        if key not in PERTURBATION_KEYS:
            yield (
                f"a perturbation has the unknown entry '{key}'; it knows "
                f"{', '.join(PERTURBATION_KEYS)} (and perturbation_seeds beside the axes)"
            )
        elif key in _TABLES and str(value) not in _TABLES[key]:
            known = ", ".join(_TABLES[key])
            yield f"perturbation {key} is {value!r}, which does not exist; use one of {known}"
        elif key not in _TABLES:
            yield from _said_list(check_values, {f"perturbation_{key}": value})
        if key == "file" and value is not None and not Path(str(value)).is_file():
            yield f"perturbation file '{value}' does not exist"


def _reserved(grid: Grid) -> Iterator[str]:
    places = [grid.settings, grid.command_line, *(v.settings for v in grid.methods)]
    places += [*grid.dataset_settings.values(), *grid.model_settings.values()]
    for name in {name: None for place in places for name in place}:
        if name in RESERVED:
            yield f"{name} cannot be a setting of a benchmark's cells; what decides it is {RESERVED[name]}"


def _unknown_settings(grid: Grid, resolver: Resolver, models: list[str]) -> Iterator[str]:
    """Shared settings that no model of the grid's file knows, and a model's own that it does not know."""
    known = _known(resolver, [*models, *grid.file_models])
    if not known or None in known.values():
        return
    shared = [grid.settings, grid.command_line, *grid.dataset_settings.values()]
    shared += [variant.settings for variant in grid.methods]
    anyone = set().union(*filter(None, known.values()))
    for name in {name: None for place in shared for name in place if name not in RESERVED}:
        yield from _said_list(check_known, [name], anyone)
    for model, settings in grid.model_settings.items():
        if model not in known:
            yield from _said_list(find_model, model)
        for name in settings if model in known else ():
            said = _said_list(check_known, [name], known[model] or ())
            yield from (f"{model}: {sentence}" for sentence in said)


def _known(resolver: Resolver, models: list[str]) -> dict[str, set[str] | None]:
    """Settings that each model knows; None for one that may read any. Unknown models are left out."""
    found: dict[str, set[str] | None] = {}
    for model in models:
        config = _quietly(resolver, model)
        if config is not None:
            free = config.takes_any_setting()
            found[model] = None if free else config.known_settings() | RUN_SETTINGS
    return found


def _quietly(resolver: Resolver, model: str) -> Config | None:
    try:
        return resolver.bare(model)
    except UserError:
        return None


def _combinations(grid: Grid, resolver: Resolver, model: str) -> Iterator[str]:
    """Wrong values: of each setting alone where the combination is refused, else of the combination."""
    for dataset in grid.datasets:
        for variant in grid.methods:
            said = _said(resolver.config, model, dataset, variant)
            if said is not None:
                yield from _single(resolver, model, dataset, variant) or [f"{model}: {said}"]
                continue
            config = resolver.config(model, dataset, variant)
            if (Path(config["data_path"]) / f"{dataset}.inter").is_file():
                folder = config["data_path"]
                yield from _said_list(check_files, config, folder, dataset)


def _single(resolver: Resolver, model: str, dataset: str, variant: Variant) -> list[str]:
    given = resolver.given(model, dataset, variant)
    found = (_said(Config, model, dataset, None, {n: v}) for n, v in given.items())
    return [said for said in found if said is not None]


def _methods(grid: Grid) -> Iterator[str]:
    for name in dict.fromkeys(variant.method for variant in grid.methods):
        yield from _said_list(find_method, name)


def _dataset(grid: Grid, dataset: str) -> None:
    """Refuse a data set that is neither here nor one that RecBole downloads."""
    settings = {**grid.settings, **grid.dataset_settings.get(dataset, {}), **grid.command_line}
    path = {k: v for k, v in settings.items() if k == "data_path"}
    wanted = Path(Config("SASRec", dataset, None, path)["data_path"]) / f"{dataset}.inter"
    if not wanted.is_file() and dataset not in _downloads():
        raise UserError(
            f"data set '{dataset}' is not at '{wanted}', and RecBole knows no download of that name; put "
            "its atomic file there, or set data_path"
        )


@lru_cache(maxsize=None)
def _downloads() -> frozenset[str]:
    import recbole

    path = Path(recbole.__file__).parent / "properties/dataset/url.yaml"
    return frozenset(yaml.safe_load(path.read_text(encoding="utf-8")))
