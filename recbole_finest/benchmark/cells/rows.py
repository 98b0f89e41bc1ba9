"""What a plan is made of: points of a grid, rows of its records, and all cells."""

from __future__ import annotations

from dataclasses import dataclass, field

from recbole_finest.benchmark.cells.cell import Cell
from recbole_finest.benchmark.grid.grid import Variant
from recbole_finest.names import ALONE

NONE = Variant("none", "none")


@dataclass(frozen=True)
class Where:
    """A point of the grid without method and perturbation."""

    model: str
    dataset: str
    seed: int
    shuffle_order: str
    variant: Variant = NONE

    def __str__(self) -> str:
        return f"{self.model} {self.dataset} seed {self.seed} {self.shuffle_order}"


@dataclass(frozen=True)
class Row:
    """One record to be: its place in the grid, and the cells that it is made of.

    Attributes:
        method: label of the method, or ``control``, or ``seed_control``.
        measure: hash of the cell that compares the two sides.
        models: hashes of the cells behind the clean side, by what they are: ``base`` (several of an
            ensemble), ``plain`` (the run's own base, of a recipe), ``listed`` (the bases of an
            ensemble whose lists are read), ``reference``, ``method``, ``evaluation``, ``base_evaluation``.
        perturbed: the same of the perturbed side.
        question: the question that the method answers; a control is base, alone.
    """

    where: Where
    method: str
    measure: str
    models: dict[str, list[str]]
    perturbed: dict[str, list[str]]
    question: str = ALONE


@dataclass
class Plan:
    """All cells by hash, in the order in which they are best done, and the records' rows."""

    cells: dict[str, Cell] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
