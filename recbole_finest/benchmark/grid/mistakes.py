"""All that is wrong with a grid, found before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from recbole_finest.benchmark.grid.conflicts import conflicts
from recbole_finest.benchmark.grid.draws import unclear
from recbole_finest.benchmark.grid.grid import PERTURBATION_KEYS, Grid, Variant
from recbole_finest.benchmark.grid.resolve import Resolver
from recbole_finest.benchmark.grid.setting_names import (
    reserved,
    said,
    sentences,
    unknown_settings,
    with_good_names,
)
from recbole_finest.config.checks import check_validation
from recbole_finest.config.config import Config
from recbole_finest.config.settings import check_values
from recbole_finest.data.perturbation import ITEM_CHOICES, KINDS, SELECTIONS
from recbole_finest.data.requirements import check_files
from recbole_finest.data.where import downloads, inter_files, near_names
from recbole_finest.errors import UserError
from recbole_finest.method import find_method
from recbole_finest.model.find import find_model

_TABLES: dict[str, Mapping[str, Any]] = {
    "kind": KINDS,
    "selection": SELECTIONS,
    "item": ITEM_CHOICES,
}


def mistakes_in(grid: Grid, resolver: Resolver) -> list[str]:
    """Everything that is wrong with a grid, one sentence each; nothing is trained for it."""
    models = {model: _wrong_model(resolver, model) for model in grid.models}
    found = [why for why in models.values() if why]
    found += [m for name in grid.datasets for m in sentences(_dataset, grid, name)]
    found += [*_methods(grid), *_axes(grid), *_unused(grid)]
    found += [*reserved(grid), *conflicts(grid)]
    good = [model for model, why in models.items() if why is None]
    found += unknown_settings(grid, resolver, good)
    if found:
        grid = _sound(grid, resolver, good)
        resolver = Resolver(grid)
    for model in good:
        found += _combinations(grid, resolver, model)
    return found


def _wrong_model(resolver: Resolver, model: str) -> str | None:
    """Why a model cannot be used, with its name."""
    why = said(find_model, model)
    if why is None and (why := said(resolver.bare, model)) is not None:
        return f"{model}: {why}"
    return why


def _sound(grid: Grid, resolver: Resolver, models: list[str]) -> Grid:
    """The grid without the parts whose names are wrong, so that the values of the rest can be checked."""
    return replace(
        with_good_names(grid, resolver, models),
        models=models,
        datasets=[name for name in grid.datasets if said(_dataset, grid, name) is None],
    )


def _axes(grid: Grid) -> Iterator[str]:
    """Wrong seeds, orders and perturbations."""
    for seed in grid.seeds:
        yield from sentences(check_values, {"seed": seed})
    for seed in grid.perturbation_seeds:
        yield from sentences(check_values, {"perturbation_seed": seed})
    for order in grid.shuffle_orders:
        yield from sentences(check_values, {"shuffle_order": order})
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
            yield from sentences(check_values, {f"perturbation_{key}": value})
        if key == "file" and value is not None and not Path(str(value)).is_file():
            yield f"perturbation file '{value}' does not exist"


def _combinations(grid: Grid, resolver: Resolver, model: str) -> Iterator[str]:
    """Wrong values: of each setting alone where the combination is refused, else of the combination."""
    for dataset in grid.datasets:
        for variant in grid.methods:
            why = said(resolver.config, model, dataset, variant)
            if why is not None:
                yield from _single(resolver, model, dataset, variant) or [f"{model}: {why}"]
                continue
            config = resolver.config(model, dataset, variant)
            yield from sentences(check_validation, config)
            drawn = [unclear({**config.final_config_dict, **p}) for p in grid.drawn()]
            yield from (sentence for sentence in drawn if sentence is not None)
            if inter_files(config, dataset)[0].is_file():
                folder = config["data_path"]
                yield from sentences(check_files, config, folder, dataset)


def _single(resolver: Resolver, model: str, dataset: str, variant: Variant) -> list[str]:
    given = resolver.given(model, dataset, variant)
    found = (said(Config, model, dataset, None, {n: v}) for n, v in given.items())
    return [why for why in found if why is not None]


def _unused(grid: Grid) -> Iterator[str]:
    """Settings of data sets that there are not."""
    for name in grid.dataset_settings:
        if name not in [*grid.datasets, *grid.file_datasets]:
            yield from (f"dataset_settings: {why}" for why in sentences(_dataset, grid, name))


def _methods(grid: Grid) -> Iterator[str]:
    for name in dict.fromkeys(variant.method for variant in grid.methods):
        yield from sentences(find_method, name)


def _dataset(grid: Grid, dataset: str) -> None:
    """Refuse a data set that is neither here nor one that RecBole downloads."""
    settings = {**grid.settings, **grid.dataset_settings.get(dataset, {}), **grid.command_line}
    path = {k: v for k, v in settings.items() if k in ("data_path", "benchmark_filename")}
    config = Config("SASRec", dataset, None, path)
    wanted = inter_files(config, dataset)[0]
    if not wanted.is_file() and dataset not in downloads():
        raise UserError(
            f"data set '{dataset}' is not at '{wanted}', and RecBole knows no download of that name; "
            f"{near_names(config, dataset)}"
        )
