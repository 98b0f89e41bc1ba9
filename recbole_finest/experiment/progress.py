"""Which stage a run is in, of how many, and about how long the rest will take."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence

from recbole_finest.config.config import Config
from recbole_finest.data.prepare import Data
from recbole_finest.experiment.protocol import lists_name, side_of
from recbole_finest.method import Method
from recbole_finest.names import (
    BASE,
    CONTROL,
    CONTROLS,
    PERTURBED,
    RECBOLE_ORDER,
    RECIPE_BASE,
    REFERENCE,
    SEED_CONTROL,
    mode_words,
    perturbed,
)

DATA, COMPARISON = "data", "comparison"  # the first stage, and the last


def planned(
    config: Config,
    methods: Mapping[str, Method],
    sides: Sequence[bool],
    there: Collection[str] = (),
) -> list[str]:
    """The stages of a run by name, in their order.

    Args:
        config: the run's settings.
        methods: its methods by name.
        sides: the sides to be made, False the clean one and True the perturbed one, which controls go with.
        there: models and lists of the clean side that are made already.
    """
    found: list[str] = []
    for side in sides:
        own = {name: side_of(method, side, config) for name, method in methods.items()}
        found.append(perturbed(BASE) if side else BASE)
        for lists in [one.lists for one in own.values() if one.lists]:
            found += [base.name(config["seed"]) for base in lists]
            found.append(lists_name(lists, config["seed"]))
        for name, one in own.items():
            found += [base.name(config["seed"]) for base in one.bases]
            found.append(perturbed(name) if side else name)
    if True in sides:
        found += [name for name in (CONTROL, SEED_CONTROL) if config[name]]
        if config["recbole_order_baseline"] and config["shuffle_order"] != "recbole":
            found += [RECBOLE_ORDER, perturbed(RECBOLE_ORDER)]
    return [DATA, *(name for name in dict.fromkeys(found) if name not in there), COMPARISON]


class Progress:
    """The place of each stage among all, and what the stages so far say of the time that is left.

    A model of the perturbed side takes as long as that of the clean side, a control as base does, a
    method that was never made as its epochs at base's pace.

    Args:
        stages: from :func:`planned`.
        finest_epochs: epochs of a method.
        finished: stages that are there already, from a run that is resumed.
        clock: seconds that pass.
    """

    def __init__(
        self,
        stages: list[str],
        finest_epochs: int,
        finished: Collection[str] = (),
        clock: Callable[[], float] = time.perf_counter,
    ):
        self.stages = stages
        self._finest_epochs, self._finished, self._clock = finest_epochs, finished, clock
        self._spent: dict[str, float] = {}
        self._now: tuple[str, float] | None = None

    def begin(self, name: str, seconds: Mapping[str, float], epochs: Mapping[str, int]) -> str:
        """What to say as a stage begins: ``3 of 9: finest …, about 4 min left``.

        A part of a stage, which is not among the stages, is only named.

        Args:
            name: of the stage.
            seconds: of the stages so far; of a resumed one they are those of the earlier run.
            epochs: that the models so far were trained.
        """
        if name not in self.stages:
            return f"{name} …"
        now = self._clock()
        if self._now is not None:
            last, begun = self._now
            self._spent[last] = max(now - begun, seconds.get(last, 0.0))
        self._now = name, now
        place = self.stages.index(name)
        rest = [self._estimate(stage, epochs) for stage in self.stages[place:]]
        known = [part for part in rest if part is not None]
        left = f", {duration(sum(known))} left" if len(known) == len(rest) else ""
        return f"{place + 1} of {len(self.stages)}: {name} …{left}"

    def _estimate(self, stage: str, epochs: Mapping[str, int]) -> float | None:
        """Seconds that a stage will take; None where nothing tells."""
        if stage in self._finished or stage in (DATA, COMPARISON):
            return 0.0
        clean = stage.removesuffix(PERTURBED)
        if clean.startswith(REFERENCE):
            return self._spent.get(clean, 0.0)
        trained = {n: s for n, s in self._spent.items() if epochs.get(n, 0) > 0}
        if clean in self._spent and (clean in trained or clean != BASE):
            return self._spent[clean]
        bases = [s for n, s in trained.items() if _is_base(n)]
        if _is_base(clean):
            return max(bases, default=None)
        methods = [s for n, s in trained.items() if not _is_base(n)]
        pace = [s / epochs[n] for n, s in trained.items() if _is_base(n)]
        return max(methods, default=max(pace) * self._finest_epochs if pace else None)


def _is_base(name: str) -> bool:
    """Whether a model is base, another seed's, or one of the controls."""
    clean = name.removesuffix(PERTURBED)
    return clean in (BASE, *CONTROLS) or clean.startswith((f"{BASE}_seed", RECIPE_BASE))


def duration(seconds: float) -> str:
    """Seconds in the words of an estimate.

    >>> duration(4), duration(47), duration(130), duration(5000), duration(9000)
    ('a few seconds', 'about 50 s', 'about 2 min', 'about 83 min', 'about 2.5 h')
    """
    if seconds < 10:
        return "a few seconds"
    if seconds < 90:
        return f"about {round(seconds, -1):.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"


def described(data: Data, why_not_packed: str | None) -> str:
    """A data set's sizes and how it is trained on, in a line of the log."""
    config, log, mode = data.config, data.log, mode_words(why_not_packed)
    part = "test" if data.measured is data.test else "validation"
    return (
        f"{config['dataset']}: {log.n_users - 1} users, {log.n_items - 1} items, "
        f"{len(log)} interactions ({len(log.train_positions)} for training), "
        f"{len(data.measured)} {part} instances; training mode {mode}; "
        f"shuffle order {config['shuffle_order']}"
    )
