"""Several seeds of training and of the test perturbation: which pairs of them there are."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from recbole_finest.errors import UserError

if TYPE_CHECKING:
    from recbole_finest.config.config import Config

SEED_LISTS = {"seed": "seeds", "perturbation_seed": "perturbation_seeds"}


def seed_list(value: object) -> Any:
    """A list of seeds from ``3`` or ``0,1,2``, as a command line gives them; anything else as it is."""
    if isinstance(value, str) and re.fullmatch(r"\d+(,\d+)*", value):
        return [int(word) for word in value.split(",")]
    return [value] if isinstance(value, int) and not isinstance(value, bool) else value


def first_seeds(final: Mapping[str, Any], explicit: Any) -> dict[str, Any]:
    """``seed`` and ``perturbation_seed`` of the run itself: the lists' first, unless given.

    Raises:
        UserError: a seed is given beside a list that does not hold it.
    """
    found = {}
    for one, several in SEED_LISTS.items():
        values = final.get(several)
        if not isinstance(values, list) or not values:
            continue  # null, or refused by its check
        if one in explicit and final[one] not in values:
            raise UserError(
                f"{one} is {final[one]}, which is not among {several} {values}; leave {one} out or add "
                "it to the list"
            )
        found[one] = final[one] if one in explicit else values[0]
    return found


def pairs(config: Config) -> list[tuple[int, int]]:
    """All pairs of ``seed`` and ``perturbation_seed``, the run's own first."""
    own = (config["seed"], config["perturbation_seed"])
    product = itertools.product(
        config["seeds"] or [own[0]], config["perturbation_seeds"] or [own[1]]
    )
    return [own, *(pair for pair in product if pair != own)]
