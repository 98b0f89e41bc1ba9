"""The nights of one method: each model from the one before, and everybody's lists from each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from recbole_finest.files import write_json
from recbole_finest.folders.own import own_folder
from recbole_finest.names import MARK
from recbole_finest.rolling.measure import read_lists
from recbole_finest.rolling.periods import Periods
from recbole_finest.rolling.request import KEEP, method_of
from recbole_finest.serve.output import write_lists
from recbole_finest.serve.recommender import Recommender
from recbole_finest.update.first import first_model
from recbole_finest.update.night import update_model

Train = Callable[[dict[str, Any]], float]  # from the place of a run to the seconds that it took
LISTS, SECONDS = "lists.npz", "seconds.json"
QUIET = {"show_progress": False, "state": "WARNING"}


@dataclass(frozen=True)
class Lists:
    """What one method shows after one night.

    Attributes:
        items: as in :meth:`Night.values`.
        seconds: that training took, reference lists included.
    """

    items: np.ndarray
    seconds: float


@dataclass(frozen=True)
class Chain:
    """One method, model and seed over all nights; each night is made once and kept.

    Attributes:
        periods: the log.
        root: folder of the replay; data sets are in its ``data``.
        model: as the user names it, ``name`` without its module.
        method, seed: of the chain.
        k: length of the lists.
        files, settings: of the user, for the first model; updates go on with them.
    """

    periods: Periods
    root: Path
    model: str
    name: str
    method: str
    seed: int
    k: int
    files: tuple[str, ...]
    settings: Mapping[str, Any]

    def nights(self) -> Iterator[Lists]:
        """Lists of night 0, before any update, 1, 2, …"""
        way, changed = method_of(self.method)
        order = changed.get("shuffle_order", self.settings.get("shuffle_order", "stable"))
        place = self.root / self.name / str(self.seed)
        first = place / f"first-{order}"
        settings = {**self.settings, "seed": self.seed, "shuffle_order": order}
        yield self._night(first, 0, first, partial(self._first, settings))
        before = first
        for night in range(1, self.periods.n + 1):
            folder = place / self.method.replace(":", "-") / str(night)
            if way == KEEP:
                yield self._night(folder, night, first, lambda given: 0.0)
                continue
            update = partial(self._update, before, night, way, changed)
            yield self._night(folder, night, folder, update)
            before = folder

    def _night(self, folder: Path, night: int, model: Path, train: Train) -> Lists:
        """Train where that is not done, then the lists of the model on everything known that night."""
        if not (folder / SECONDS).is_file():
            *above, last = folder.relative_to(self.root).parts
            own_folder(self.root, *above)
            made = folder / MARK  # an interrupted run, which goes on
            given = {**QUIET, "output_dir": str(folder), "resume": made.is_file()}
            seconds = train({**given, "data_path": str(self.root / "data")})
            own_folder(self.root, *above, last)
            self._recommend(model, night, folder / LISTS)
            write_json(folder / SECONDS, seconds)
        seconds = json.loads((folder / SECONDS).read_text(encoding="utf-8"))
        return Lists(read_lists(folder / LISTS, self.periods, self.k), seconds)

    def _first(self, settings: Mapping[str, Any], place: Mapping[str, Any]) -> float:
        given = {**settings, **place}
        return first_model(self.model, self.periods.dataset(0), self.files, given)

    def _update(
        self,
        before: Path,
        night: int,
        way: str,
        settings: Mapping[str, Any],
        place: Mapping[str, Any],
    ) -> float:
        name, given = self.periods.dataset(night), {**settings, **place, "model": self.model}
        result = update_model(before, name, way, test="none", config_dict=given)
        return result["update"]["cost"]["seconds"]

    def _recommend(self, model: Path, night: int, path: Path) -> None:
        given: dict[str, Any] = {"model": self.model, **QUIET}
        given["data_path"] = str(self.root / "data")
        recommender = Recommender.load(model, self.periods.dataset(night), **given)
        found = recommender.stream(recommender.whole_histories(), self.k)
        write_lists(path, found, recommender.vocabulary.items)
