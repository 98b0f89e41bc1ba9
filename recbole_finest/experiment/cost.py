"""What a method costs beside base."""

from __future__ import annotations

from collections.abc import Mapping

from recbole_finest.experiment.protocol import Side, lists_name
from recbole_finest.names import BASE


def cost(
    sides: Mapping[str, Side],
    seed: int,
    seconds: Mapping[str, float],
    inference_seconds: Mapping[str, float],
) -> dict[str, dict[str, float | None]]:
    """What every method takes on the clean side.

    Args:
        sides: what each method's model of the clean log is made of, by its name.
        seed: the run's.
        seconds: of training by stage; without ``base`` when that was not trained in this run.
        inference_seconds: of scoring the test instances, by model.

    Returns:
        For each method ``seconds``, what it takes beside base (reference lists, other bases, fine-tuning);
        ``training_ratio``, those, and base where the method is made from it, over base, or None without
        base; ``inference_ratio``, its seconds of scoring over base's.
    """
    base = seconds.get(BASE)
    found: dict[str, dict[str, float | None]] = {}
    for name, side in sides.items():
        parts = [name, *(member.name(seed) for member in side.known())]
        parts += [lists_name(side.lists, seed)] if side.lists else []
        extra = sum(seconds[part] for part in parts if part != BASE)
        first = base if base and BASE in parts else 0.0
        found[name] = {
            "seconds": extra,
            "training_ratio": (first + extra) / base if base else None,
            "inference_ratio": inference_seconds[name] / inference_seconds[BASE],
        }
    return found
