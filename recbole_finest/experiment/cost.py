"""What a method costs beside base."""

from __future__ import annotations

from collections.abc import Mapping

from recbole_finest.method import Method


def base_names(method: Method, seed: int, side: str) -> list[str]:
    """Names of the bases that a method starts from: ``base``, ``base_perturbed``, ``base_seed2021``, …

    Args:
        method: the method.
        seed: the run's.
        side: empty for the clean side, ``_perturbed`` for the other.
    """
    side = "" if method.starts_from == "base" else side
    return [f"base{side}" if s == seed else f"base_seed{s}{side}" for s in method.seeds(seed)]


def cost(
    methods: Mapping[str, Method],
    seed: int,
    seconds: Mapping[str, float],
    inference_seconds: Mapping[str, float],
) -> dict[str, dict[str, float | None]]:
    """What every method takes on the clean side.

    Args:
        methods: by name.
        seed: the run's.
        seconds: of training by stage; without ``base`` when that was not trained in this run.
        inference_seconds: of scoring the test instances, by model.

    Returns:
        For each method ``seconds``, what it takes after base (reference lists, bases of other seeds,
        fine-tuning); ``training_ratio``, base and those over base, at least 1, or None without base;
        ``inference_ratio``, its seconds of scoring over base's.
    """
    base = seconds.get("base")
    found: dict[str, dict[str, float | None]] = {}
    for name, method in methods.items():
        parts = [name, *base_names(method, seed, "")]
        parts += ["reference"] if method.needs_lists else []
        extra = sum(seconds[part] for part in parts if part != "base")
        found[name] = {
            "seconds": extra,
            "training_ratio": (base + extra) / base if base else None,
            "inference_ratio": inference_seconds[name] / inference_seconds["base"],
        }
    return found
