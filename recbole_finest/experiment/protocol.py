"""What a side of a method is made of: said once, executed by a run, planned into cells by a grid.

A method declares what it starts from, which lists it reads, on which side it trains and which seeds it
averages (:class:`recbole_finest.method.Method`). Nothing else reads that declaration.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recbole_finest.config.checks import check_validation
from recbole_finest.config.config import Config
from recbole_finest.config.roles import Role, of_base, of_role
from recbole_finest.config.settings import properties_dir, read_yaml
from recbole_finest.data.from_settings import is_perturbed
from recbole_finest.method import METHODS, Method
from recbole_finest.names import (
    ALONE,
    ANCHORED,
    BASE,
    CONTROLS,
    RECIPE_BASE,
    REFERENCE,
    UNKNOWN,
    perturbed,
)

CONTROL_FAILED = (
    "Control failed: base trained once more, without a perturbation, gives other lists, so that a part "
    "of the differences is noise of this machine, or base was trained by another version or on another "
    "device (base_checkpoint, resume)."
)


@dataclass(frozen=True)
class Base:
    """A trained base.

    Attributes:
        seed: of its training.
        perturbed: whether it is trained on the perturbed log.
        by_recipe: whether the settings of ``recipe`` stand in the place of the run's.
    """

    seed: int
    perturbed: bool
    by_recipe: bool = False

    def name(self, seed: int) -> str:
        """Its name in a run of this seed: ``base``, ``base_recipe``, ``base_seed2021_perturbed``, …"""
        stem = RECIPE_BASE if self.by_recipe else BASE
        stem += "" if self.seed == seed else f"_seed{self.seed}"
        return perturbed(stem) if self.perturbed else stem


@dataclass(frozen=True)
class Side:
    """What a method's model is made of, on the clean or on the perturbed log.

    Attributes:
        bases: what it starts from; the scores of several are averaged.
        trains: whether it is fine-tuned; where not, it is its base or the average of several.
        lists: the bases whose reference lists it reads; of several, those of their averaged scores.
        list_scores: whether it reads the scores of them, too.
    """

    bases: tuple[Base, ...]
    trains: bool
    lists: tuple[Base, ...]
    list_scores: bool

    def known(self) -> Iterable[Base]:
        """All trained bases that it takes something from, each once."""
        return dict.fromkeys((*self.bases, *self.lists))


def side_of(method: Method, on_perturbed: bool, settings: Mapping[str, Any] | Any) -> Side:
    """What a method's model of one side is made of.

    Args:
        method: the method.
        on_perturbed: the side: the perturbed log, or the clean one.
        settings: of the run; reads ``seed`` and ``reference_model``.
    """
    seed = settings["seed"]
    starts_perturbed = on_perturbed and method.starts_from == "own"
    bases = tuple(Base(s, starts_perturbed, method.by_recipe) for s in method.seeds(seed))
    trains = len(bases) == 1 and method.fine_tunes[on_perturbed]
    lists: tuple[Base, ...] = ()
    if trains and method.needs_lists:
        own = "own" in (method.lists_of, settings["reference_model"])
        lists = tuple(Base(s, on_perturbed and own) for s in method.list_seeds(seed))
    return Side(bases, trains, lists, bool(lists) and method.needs_reference_scores)


def check_bases(config: Config, methods: Iterable[Method], given: bool) -> None:
    """Refuse a ``valid_metric`` that no base can be trained by, where a run trains one.

    Args:
        config: the run's settings.
        methods: its methods.
        given: whether the clean base of the run's seed is a checkpoint; those of the perturbed log, of
            other seeds and by ``recipe`` are trained all the same.
    """
    there = {Base(config["seed"], False)} if given else set()
    known = {base for method in methods for base in side_of(method, False, config).known()}
    known |= {Base(seed, False) for seed in config["seeds"] or [config["seed"]]}
    if known - there or is_perturbed(config):
        check_validation(config)


def lists_name(bases: Sequence[Base], seed: int) -> str:
    """What reference lists are called in a run of this seed.

    ``reference``, ``reference_perturbed``; of other bases their seeds follow: ``reference_seeds2020-2021``.
    """
    seeds = [base.seed for base in bases]
    stem = REFERENCE if seeds == [seed] else f"{REFERENCE}_seeds{'-'.join(map(str, seeds))}"
    return perturbed(stem) if bases[0].perturbed else stem


def question(method: Method, settings: Mapping[str, Any] | Any) -> str:
    """Which question a method answers: ``anchored`` or ``alone``.

    ``anchored`` where the perturbed side takes anything from a model of the clean log: what can be done
    *knowing the deployed model*. ``alone`` is what a recipe gives that sees its own log only.
    """
    alone = all(base.perturbed for base in side_of(method, True, settings).known())
    return ALONE if alone else ANCHORED


def declared_question(name: str, settings: Mapping[str, Any]) -> str:
    """The question of a method by its name alone, for results that do not say it.

    Args:
        name: base, a control or a method; one of the user's own is not imported for it.
        settings: those that are known; of them ``reference_model`` alone decides, the others have their
            defaults.

    Returns:
        ``alone``, ``anchored``, or ``unknown`` for a method that is not ours.
    """
    if name in (BASE, *CONTROLS):
        return ALONE
    if name not in METHODS:
        return UNKNOWN
    known: Any = {"seed": 0, **read_yaml(properties_dir() / "finest.yaml")}
    known["reference_model"] = settings.get("reference_model", known["reference_model"])
    return question(METHODS[name](known), known)


def settings_of(settings: Mapping[str, Any], name: str, method: Method) -> dict[str, Any]:
    """The settings that fine-tuning with a method depends on, beside the models and lists it is given.

    Args:
        settings: all of them, by name.
        name: of the method; one that is not in ``METHODS`` may read any setting of fine-tuning.
        method: the method.
    """
    found = of_base(settings, Role.FINE_TUNING)
    own = of_role(settings, Role.METHOD)
    if name in METHODS:
        own = {setting: own[setting] for setting in method.reads if setting in own}
    return {**found, **own}
