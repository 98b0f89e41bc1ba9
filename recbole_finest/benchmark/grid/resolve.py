"""The settings of every point of the grid."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recbole_finest.benchmark.grid.grid import Grid, Variant
from recbole_finest.config.config import Config
from recbole_finest.config.roles import Role, having


class Resolver:
    """Settings by model, data set and method; every combination is made once.

    Args:
        grid: the grid.
    """

    def __init__(self, grid: Grid):
        self.grid = grid
        self._configs: dict[tuple[str, str, str], Config] = {}
        self._known: dict[str, Config] = {}

    def given(self, model: str, dataset: str, variant: Variant) -> dict[str, Any]:
        """What the grid sets for this combination, as :class:`Config` takes it."""
        grid, bare = self.grid, self.bare(model)
        own = self.own(model, variant)
        known = bare.known_settings() | having(Role.PLACE | Role.WHAT)

        def shared(settings: Mapping[str, Any]) -> dict[str, Any]:
            free = bare.takes_any_setting()
            return {name: value for name, value in settings.items() if free or name in known}

        return {
            **shared(grid.settings),
            **shared(grid.dataset_settings.get(dataset, {})),
            **grid.model_settings.get(model, {}),
            **{name: value for name, value in variant.settings.items() if name not in own},
            **shared(grid.command_line),
        }

    def own(self, model: str, variant: Variant) -> dict[str, Any]:
        """Settings that only a method of the user's own reads, and that :class:`Config` does not know."""
        if not variant.own_class:
            return {}
        known = self.bare(model).known_settings() | having(Role.PLACE | Role.WHAT)
        return {name: value for name, value in variant.settings.items() if name not in known}

    def bare(self, model: str) -> Config:
        """A model's shipped settings."""
        if model not in self._known:
            self._known[model] = Config(model, next(iter(self.grid.datasets), "ml-100k"))
        return self._known[model]

    def config(self, model: str, dataset: str, variant: Variant) -> Config:
        """The settings of a combination.

        Raises:
            UserError: the first thing that is wrong with them.
        """
        key = (model, dataset, variant.label)
        if key not in self._configs:
            given = self.given(model, dataset, variant)
            config = Config(model, dataset, None, given)
            self._configs[key] = config.but(**self.own(model, variant))
        return self._configs[key]


def absolute(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings whose paths hold in any working directory, as workers may have another one."""
    paths = {
        name: str(Path(settings[name]).absolute())
        for name in sorted(having(Role.PATH))
        if settings.get(name)
    }
    return {**settings, **paths}
