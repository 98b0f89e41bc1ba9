"""Settings that would make rows other than what they are called."""

from __future__ import annotations

from collections.abc import Iterator

from recbole_finest.benchmark.grid.draws import AMOUNTS
from recbole_finest.benchmark.grid.grid import Grid

DECIDED = {"kind", "file", "seed", "seeds"}  # by the axes, never by a setting


def conflicts(grid: Grid) -> Iterator[str]:
    """Settings given for all rows that a method or a perturbation has of its own."""
    for name, value in grid.command_line.items():
        labels = [variant.label for variant in grid.methods if name in variant.settings]
        if labels:
            yield (
                f"--{name}={value} would override the {name} that {', '.join(labels)} "
                f"{_have(labels, 'has', 'have')}; leave it out, or change sweep or method_settings"
            )
        key = name.removeprefix("perturbation_")
        if key != name and key not in DECIDED:
            yield from _of_perturbations(grid, name, key)
    yield from _other_amounts(grid)


def _other_amounts(grid: Grid) -> Iterator[str]:
    """Amounts in ``settings`` that a run prefers to the ratio that a perturbation has of its own."""
    own = [str(p) for p in grid.perturbations if p.get("ratio") is not None]
    for key in AMOUNTS:
        value = grid.settings.get(f"perturbation_{key}")
        if key != "ratio" and value is not None and own:
            yield (
                f"settings: perturbation_{key}: {value} would override the ratio of {', '.join(own)} of "
                f"perturbations; leave it out, or give the perturbation a {key}"
            )


def _of_perturbations(grid: Grid, name: str, key: str) -> Iterator[str]:
    same = AMOUNTS if key in AMOUNTS else (key,)
    own = [str(p) for p in grid.perturbations if any(p.get(k) is not None for k in same)]
    if own:
        yield (
            f"--{name}={grid.command_line[name]} would override what {', '.join(own)} of "
            f"perturbations {_have(own, 'says', 'say')}; leave it out, or change perturbations"
        )


def _have(names: list[str], one: str, several: str) -> str:
    return one if len(names) == 1 else several
