"""Several seeds and several test perturbations in one run: what is trained anew, and what is shared.

The run itself is the first pair of ``seed`` and ``perturbation_seed``. Each further pair goes into
``replicates/<seed>-<perturbation_seed>/``, a folder with the files of a run of its own but the
report. Pairs of one seed share the data, base, the methods on the clean log and the reference
lists; everything on the perturbed log is trained anew, and with another seed everything is.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from recbole_finest.config.config import Config
from recbole_finest.config.roles import Role, having
from recbole_finest.config.seeds import SEED_LISTS, pairs
from recbole_finest.data.from_settings import draw_test_perturbation
from recbole_finest.data.perturbation import Changes
from recbole_finest.errors import UserError
from recbole_finest.evaluator.plasticity import ambiguity, hits
from recbole_finest.experiment.output import Output
from recbole_finest.experiment.progress import duration
from recbole_finest.names import BASE, REPLICATES, methods_of, perturbed

if TYPE_CHECKING:
    from recbole_finest.experiment.run import Run

KEPT = (
    "accuracy",
    "stability",
    "stability_filtered",
    "similarity_to_base",
    "plasticity",
    "collapsed",
    "lists",
)


def check_replicates(run: Run) -> None:
    """Refuse, before anything is trained, what would not be replicates.

    Raises:
        UserError: the same changes would be replayed or drawn for two perturbation seeds, or another
            seed is wanted of a base whose training is not known.
    """
    config, changes = run.config, run.changes
    seeds = config["perturbation_seeds"] or []
    if len(seeds) > 1:
        if changes is None or config["perturbation_file"]:
            why = (
                "perturbation_file replays one perturbation"
                if config["perturbation_file"]
                else "perturbation_ratio is 0"
            )
            raise UserError(f"perturbation_seeds is {seeds}, but {why}; leave one of the two out")
        _check_distinct(run, changes, seeds)
    if len(config["seeds"] or []) > 1 and run.checkpoint and "config" not in run.checkpoint:
        raise UserError(
            f"seeds is {config['seeds']}, but base_checkpoint '{config['base_checkpoint']}' does not say "
            "how it was trained, so base cannot be trained alike with another seed; leave seeds out"
        )


def _check_distinct(run: Run, own: Changes, seeds: list[int]) -> None:
    drawn = {run.config["perturbation_seed"]: own}
    for seed in seeds:
        if seed in drawn:
            continue
        found = draw_test_perturbation(run.config.but(perturbation_seed=seed), run.data, run.logger)
        assert found is not None  # the run's own was drawn from the same settings
        for other, changes in drawn.items():
            if _same(found[1], changes):
                raise UserError(
                    f"perturbation_seeds {other} and {seed} draw the same changes with "
                    f"perturbation_selection {run.config['perturbation_selection']}, so they would count "
                    "one measurement twice; leave perturbation_seeds out, or choose another selection"
                )
        drawn[seed] = found[1]


def _same(one: Changes, other: Changes) -> bool:
    return np.array_equal(one.row, other.row) and np.array_equal(one.item_after, other.item_after)


def run_replicates(
    first: Run, result: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], dict[str, dict[str, float]]]:
    """Run all pairs of seeds but the first.

    Args:
        first: the finished run.
        result: its result.

    Returns:
        One row a pair, the run's own first: ``seed, perturbation_seed, folder`` (within the run's)
        and accuracy, stability and what the lists are made of, as in ``result.json``; and for base and
        each method its ambiguity, see :class:`Decisions`.
    """
    rows, decisions = [_row(result, ".")], Decisions()
    decisions.add(first)
    runs = {first.config["seed"]: first}
    every, took = pairs(first.config), [sum(first.seconds.values())]
    for place, (seed, perturbation_seed) in enumerate(every[1:], 2):
        folder = f"{REPLICATES}/{seed}-{perturbation_seed}"
        left = duration(sum(took) / len(took) * (len(every) - place + 1))
        first.logger.info(
            f"pair {place} of {len(every)}: seed {seed}, perturbation seed {perturbation_seed} …, "
            f"{left} left"
        )
        begin = time.perf_counter()
        path = str(first.output.path / folder)
        shared = first.config if seed in runs else first.config.but(base_checkpoint=None)
        settings = shared.but(
            seed=seed,
            perturbation_seed=perturbation_seed,
            output_dir=path,
            checkpoint_dir=path,
            **dict.fromkeys(SEED_LISTS.values()),
            **dict.fromkeys(having(Role.CONTROL), False),
        )
        output = first.output.part(folder, settings.repeatable())
        if seed in runs:
            run = _on_the_clean_side_of(runs[seed], settings, output)
            found = run.measure_perturbed()
        else:
            run = runs[seed] = type(first)(settings, output)
            found = run.measure()
        decisions.add(run)
        rows.append(_row(found, folder))
        took.append(time.perf_counter() - begin)
    return rows, decisions.ambiguity()


class Decisions:
    """Who has the next item among the first k, by every model of a training seed.

    A method's ambiguity is the share of instances on which its models of the clean log and of every
    perturbed one do not agree; the mean over training seeds. See
    :func:`recbole_finest.evaluator.plasticity.ambiguity`.
    """

    def __init__(self) -> None:
        self._hits: dict[tuple[str, str], dict[int, list[np.ndarray]]] = {}

    def add(self, run: Run) -> None:
        """Take in a run's models: those of its perturbed log, of a seed's first run the clean ones too."""
        view, seed = run.data.measured.inter_feat, run.config["seed"]
        targets = view.log.item[view.positions]
        for name in (BASE, *run.methods):
            for k in run.config["topk"]:
                known = self._hits.setdefault((name, f"ambiguity@{k}"), {})
                sides = [perturbed(name)] if seed in known else [name, perturbed(name)]
                found = [run.evaluations[side] for side in sides if side in run.evaluations]
                known.setdefault(seed, []).extend(hits(one.items, targets, k) for one in found)

    def ambiguity(self) -> dict[str, dict[str, float]]:
        """``{method: {"ambiguity@10": …}}``."""
        found: dict[str, dict[str, float]] = {}
        for (name, measure), seeds in self._hits.items():
            values = [ambiguity(np.stack(made)) for made in seeds.values()]
            found.setdefault(name, {})[measure] = float(np.mean(values))
        return found


def _on_the_clean_side_of(run: Run, settings: Config, output: Output) -> Run:
    """A run on another perturbed log that goes on from the clean side of ``run``."""
    other = copy.copy(run)
    other.config, other.output, other.seconds = settings, output, {}
    for part in ("models", "evaluations", "epochs", "curves"):
        known = getattr(run, part)
        setattr(other, part, {name: known[name] for name in methods_of(known)})
    other.lists = {bases: lists for bases, lists in run.lists.items() if not bases[0].perturbed}
    return other


def _row(result: Mapping[str, Any], folder: str) -> dict[str, Any]:
    perturbation = result["perturbation"]
    return {
        "seed": result["seed"],
        "perturbation_seed": None if perturbation is None else perturbation["seed"],
        "folder": folder,
        **{name: result[name] for name in KEPT if name in result},
    }
