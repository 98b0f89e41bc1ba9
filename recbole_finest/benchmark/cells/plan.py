"""From a grid to cells: what has to be done, and what depends on what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from recbole_finest.benchmark.cells.cell import Cell, data_fingerprint, file_hash, own_code
from recbole_finest.benchmark.cells.rows import NONE, Plan, Row, Where
from recbole_finest.benchmark.grid.draws import identity
from recbole_finest.benchmark.grid.grid import Grid
from recbole_finest.benchmark.grid.resolve import Resolver, absolute
from recbole_finest.config.config import Config
from recbole_finest.config.roles import Role, of_base, of_role
from recbole_finest.experiment.protocol import Base, question, settings_of, side_of
from recbole_finest.method import Method, make_method
from recbole_finest.names import ALONE

CONTROL, SEED_CONTROL = "control", "seed_control"
_WORDS = {
    "base": "{}",
    "control": "control",
    "reference": "reference lists",
    "method": "{}",
    "evaluation": "lists of {}",
    "measure": "comparison of {}",
}


class Planner:
    """Makes the plan of a grid; equal work has equal hashes and is planned once.

    Args:
        grid: a grid without mistakes.
        resolver: its settings.
        threads: threads of each cell.
        device: ``cpu`` or ``cuda``; None for what this machine has.
    """

    def __init__(self, grid: Grid, resolver: Resolver, threads: int = 1, device: str | None = None):
        self.grid, self.resolver = grid, resolver
        self.threads, self.device = threads, device
        self.result = Plan()
        self._sides: dict[tuple[str, ...], dict[str, list[str]]] = {}
        self._plain: dict[tuple[str, str, str], tuple[Config, dict[str, Any], str]] = {}

    def plan(self) -> Plan:
        """The cells and rows of the whole grid."""
        for where in self._points():
            self._controls(where)
            for variant in self.grid.methods:
                point = replace(where, variant=variant)
                for perturbation in self._drawn(point):
                    self._row(point, perturbation)
        return self.result

    def _drawn(self, where: Where) -> list[dict[str, Any]]:
        """The test perturbations of a point, of those that are the same the first one."""
        found: dict[str, dict[str, Any]] = {}
        for settings in self.grid.drawn():
            found.setdefault(identity(self._perturbation(where, settings)), settings)
        return list(found.values())

    def _points(self) -> Iterator[Where]:
        grid = self.grid
        for model in grid.models:
            for dataset in grid.datasets:
                for order in grid.shuffle_orders:
                    for seed in grid.seeds:
                        yield Where(model, dataset, seed, order)

    # Rows ----------------------------------------------------------------------------------------

    def _row(self, where: Where, perturbation: dict[str, Any]) -> None:
        clean, perturbed = (self._side(where, p) for p in (None, perturbation))
        retrained: list[str] = []
        if any(variant.method == NONE.method for variant in self.grid.methods):
            retrained = self._side(where, perturbation, NONE.method)["evaluation"]
        method = make_method(where.variant.method, self._resolved(where)[0])
        asked = question(method, self._settings(where))
        self._measured(where, where.variant.label, clean, perturbed, retrained, asked)

    def _controls(self, where: Where) -> None:
        config = self._resolved(where)[0]
        clean = self._side(where, None)
        if config["control"]:
            again = self._base(where, None, "control")
            self._measured(where, CONTROL, clean, self._evaluated(where, None, {"base": [again]}))
        if config["seed_control"]:
            there = replace(where, seed=where.seed + 1)
            self._measured(where, SEED_CONTROL, clean, self._side(there, None))

    def _measured(
        self,
        where: Where,
        label: str,
        clean: dict[str, list[str]],
        perturbed: dict[str, list[str]],
        retrained: list[str] | None = None,
        asked: str = ALONE,
    ) -> None:
        base = self._side(where, None, "none")["evaluation"]
        clean = {**clean, "base_evaluation": base}
        inputs = {
            "clean": clean["evaluation"],
            "perturbed": perturbed["evaluation"],
            "base": base,
            **({"retrained": retrained} if retrained else {}),
        }
        settings = of_role(self._settings(where), Role.COMPARISON)
        hash = self._add(where, "measure", label, None, settings, inputs)
        self.result.rows.append(Row(where, label, hash, clean, perturbed, asked))

    # Sides ---------------------------------------------------------------------------------------

    def _side(
        self, where: Where, perturbation: dict[str, Any] | None, name: str | None = None
    ) -> dict[str, list[str]]:
        """Cells of a method's model on one side, down to its lists; of the point's where none is named."""
        name = name or where.variant.method
        key = (str(where), where.variant.label, name, str(perturbation))
        if key not in self._sides:
            self._sides[key] = self._new_side(where, perturbation, name)
        return self._sides[key]

    def _new_side(
        self, where: Where, perturbation: dict[str, Any] | None, name: str
    ) -> dict[str, list[str]]:
        method = make_method(name, self._resolved(where)[0])
        side = side_of(method, perturbation is not None, self._settings(where))

        def base(made: Base) -> str:
            log = perturbation if made.perturbed else None
            return self._base(replace(where, seed=made.seed), log, recipe=made.by_recipe)

        cells = {"base": [base(made) for made in side.bases]}
        if side.lists:
            own = perturbation if side.lists[0].perturbed else None
            cells["reference"] = [self._reference(where, [base(b) for b in side.lists], own)]
        if side.trains:
            cells["method"] = [self._method(where, perturbation, name, method, cells)]
        if method.by_recipe:
            cells["plain"] = [self._base(where, perturbation)]
        if len(side.lists) > 1:
            cells["listed"] = [base(made) for made in side.lists]
        return self._evaluated(where, perturbation, cells)

    def _base(
        self,
        where: Where,
        perturbation: dict[str, Any] | None,
        kind: str = "base",
        recipe: bool = False,
    ) -> str:
        known = self._settings(where)
        changed = known["recipe"] if recipe else {}
        what = "base by its recipe" if recipe else "base"
        settings = of_base({**known, **changed})
        return self._add(where, kind, what, perturbation, settings, changed=changed)

    def _reference(
        self, where: Where, bases: list[str], perturbation: dict[str, Any] | None
    ) -> str:
        inputs = {"base": bases}
        settings = of_base(self._settings(where), Role.REFERENCE)
        return self._add(where, "reference", "base", perturbation, settings, inputs)

    def _method(
        self,
        where: Where,
        perturbation: dict[str, Any] | None,
        name: str,
        method: Method,
        cells: dict[str, list[str]],
    ) -> str:
        inputs = {**cells, "clean_base": [self._base(where, None)]}
        own = self.resolver.own(where.model, where.variant)
        settings = {**settings_of(self._settings(where), name, method), **own}
        return self._add(where, "method", name, perturbation, settings, inputs, type(method))

    def _evaluated(
        self, where: Where, perturbation: dict[str, Any] | None, cells: dict[str, list[str]]
    ) -> dict[str, list[str]]:
        models = {"model": cells.get("method", cells["base"])}
        settings = of_base(self._settings(where), Role.EVALUATION)
        label = self.result.cells[models["model"][0]].method or "base"
        label = label if len(models["model"]) == 1 else "average"
        hash = self._add(where, "evaluation", label, perturbation, settings, models)
        return {**cells, "evaluation": [hash]}

    # Cells ---------------------------------------------------------------------------------------

    def _add(
        self,
        where: Where,
        kind: str,
        what: str,
        perturbation: dict[str, Any] | None,
        settings: dict[str, Any],
        inputs: dict[str, list[str]] | None = None,
        method: type | None = None,
        changed: dict[str, Any] | None = None,
    ) -> str:
        config, _, fingerprint = self._resolved(where)
        fixed = {"seed": where.seed, "shuffle_order": where.shuffle_order}
        given = self.resolver.given(where.model, where.dataset, where.variant)
        data_path = {"data_path": config.internal_config_dict["data_path"]}
        side = "" if perturbation is None else f" on {_words(perturbation)}"
        code = {"model": config.model_class} | ({} if method is None else {"method": method})
        if kind == "measure":
            code = {}
        cell = Cell(
            kind=kind,
            label=f"{where}: {_WORDS[kind].format(what)}{side}",
            settings=settings,
            inputs=inputs or {},
            perturbation=None if perturbation is None else self._perturbation(where, perturbation),
            method=what if kind == "method" else None,
            data=fingerprint,
            code=own_code(code),
            threads=self.threads,
            given={
                "model": where.model,
                "dataset": where.dataset,
                **absolute(
                    {**data_path, **given, **(changed or {}), **fixed, **(perturbation or {})}
                ),
            },
            own=self.resolver.own(where.model, where.variant) if kind == "method" else {},
        )
        self.result.cells.setdefault(cell.hash, cell)
        return cell.hash

    def _perturbation(self, where: Where, perturbation: dict[str, Any]) -> dict[str, Any]:
        full = of_role({**self._resolved(where)[1], **perturbation}, Role.PERTURBATION)
        if full["perturbation_file"] is not None:
            full["perturbation_file"] = file_hash(full["perturbation_file"])
        return full

    def _settings(self, where: Where) -> dict[str, Any]:
        """All resolved settings of a point, as plain values."""
        place = {"seed": where.seed, "shuffle_order": where.shuffle_order}
        return {**self._resolved(where)[1], **place}

    def _resolved(self, where: Where) -> tuple[Config, dict[str, Any], str]:
        key = (where.model, where.dataset, where.variant.label)
        if key not in self._plain:
            config = self.resolver.config(where.model, where.dataset, where.variant)
            own = self.resolver.own(where.model, where.variant)
            plain = {name: value for name, value in config.plain().items() if name not in own}
            if self.device is not None:
                plain["device"] = self.device
            if plain.get("pre_model_path"):
                plain["pre_model_path"] = file_hash(plain["pre_model_path"])
            self._plain[key] = config, plain, data_fingerprint(config)
        return self._plain[key]


def _words(perturbation: dict[str, Any]) -> str:
    seed = perturbation["perturbation_seed"]
    return f"{perturbation.get('perturbation_kind', 'deletion')} {seed}"
