"""Names of settings in a grid: which are the grid's own, and which nobody reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from recbole_finest.benchmark.grid.grid import Grid
from recbole_finest.benchmark.grid.resolve import Resolver
from recbole_finest.config.config import Config
from recbole_finest.config.roles import Role, having
from recbole_finest.config.settings import check_known
from recbole_finest.errors import UserError
from recbole_finest.method import find_method
from recbole_finest.model.find import find_model

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


def said(act: Callable[..., Any], *args: Any) -> str | None:
    """The message of the :class:`UserError` that a call ends with, or None."""
    try:
        act(*args)
    except UserError as error:
        return str(error)
    return None


def sentences(act: Callable[..., Any], *args: Any) -> list[str]:
    """:func:`said` as a list of none or one."""
    why = said(act, *args)
    return [] if why is None else [why]


def reserved(grid: Grid) -> Iterator[str]:
    """Settings of cells that something else in the grid decides."""
    places = [grid.settings, grid.command_line, *(v.settings for v in grid.methods)]
    places += [*grid.dataset_settings.values(), *grid.model_settings.values()]
    for name in {name: None for place in places for name in place}:
        if name in RESERVED:
            yield f"{name} cannot be a setting of a benchmark's cells; what decides it is {RESERVED[name]}"


def unknown_settings(grid: Grid, resolver: Resolver, models: list[str]) -> Iterator[str]:
    """Shared settings that no model of the grid's file knows, and a model's own that it does not know."""
    known = _known(resolver, [*models, *grid.file_models])
    if not known or None in known.values():
        return
    shared = [grid.settings, grid.command_line, *grid.dataset_settings.values()]
    shared += [variant.settings for variant in grid.methods if not variant.own_class]
    anyone = set().union(*filter(None, known.values()))
    for name in {name: None for place in shared for name in place if name not in RESERVED}:
        yield from sentences(check_known, [name], anyone)
    for model, settings in grid.model_settings.items():
        if model not in known:
            yield from sentences(find_model, model)
        for name in settings if model in known else ():
            found = sentences(check_known, [name], known[model] or ())
            yield from (f"{model}: {sentence}" for sentence in found)


def _known(resolver: Resolver, models: list[str]) -> dict[str, set[str] | None]:
    """Settings that each model knows; None for one that may read any. Unknown models are left out."""
    found: dict[str, set[str] | None] = {}
    for model in models:
        config = _quietly(resolver, model)
        if config is not None:
            free = config.takes_any_setting()
            found[model] = (
                None if free else config.known_settings() | having(Role.PLACE | Role.WHAT)
            )
    return found


def _quietly(resolver: Resolver, model: str) -> Config | None:
    try:
        return resolver.bare(model)
    except UserError:
        return None


def with_good_names(grid: Grid, resolver: Resolver, models: list[str]) -> Grid:
    """The grid without the settings and methods whose names are wrong."""
    known = _known(resolver, [*models, *grid.file_models])
    free = None in known.values()
    anyone = set().union(*filter(None, known.values()))

    def shared(settings: Mapping[str, Any], every: bool = free) -> dict[str, Any]:
        return {n: v for n, v in settings.items() if n not in RESERVED and (every or n in anyone)}

    def own(model: str, settings: Mapping[str, Any]) -> dict[str, Any]:
        names = known.get(model) or settings
        return {n: v for n, v in settings.items() if n in names and n not in RESERVED}

    return replace(
        grid,
        methods=[
            replace(variant, settings=shared(variant.settings, variant.own_class))
            for variant in grid.methods
            if said(find_method, variant.method) is None
        ],
        settings=shared(grid.settings),
        command_line=shared(grid.command_line),
        dataset_settings={n: shared(s) for n, s in grid.dataset_settings.items()},
        model_settings={n: own(n, s) for n, s in grid.model_settings.items()},
    )
