"""The command line: ``run_benchmark.py`` and the console script ``recbole-finest-benchmark``."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recbole_finest.benchmark.grid import sweep
from recbole_finest.cli.parser import SettingsParser, parse_settings
from recbole_finest.cli.stdout import checked_stdout, say_error
from recbole_finest.errors import Unwritten, UserError, how_to_install
from recbole_finest.parallel.signals import Interrupted, handled

USAGE = "run_benchmark.py --config=GRID.yaml [--models=A,B …] [--setting=value …]"
DESCRIPTION = """\
Run a grid of models, data sets, methods and test perturbations, and write its leaderboard. Finished
work is never done twice: the same command continues after an interruption, and a larger grid adds to a
smaller one in the same output_dir.
"""
EPILOG = """\
Any other setting of run_finest.py can be given as --setting=value; it goes to all models that have it.
"""
AXES = {
    "models": "models, separated by commas",
    "datasets": "data sets",
    "methods": "methods: none, plain, finest, … or package.module:Class",
    "seeds": "seeds of training",
    "shuffle_orders": "stable, recbole",
    "perturbation_kinds": "kinds of perturbation: deletion, insertion, …",
    "perturbation_seeds": "seeds that each test perturbation is drawn with",
}
OPTIONS = {
    "output_dir": "(str) The benchmark's folder [runs/benchmark].",
    "engine": "(str) local: processes of this machine; ray: a Ray cluster [local].",
    "jobs": "(int) Worker processes of the local engine [cores / threads_per_cell].",
    "threads_per_cell": "(int) Threads of each cell; part of its identity [1].",
    "address": "(str) Of the Ray cluster: auto, local or host:port [auto].",
    "cpus_per_cell": "(float) CPUs that a cell takes of the cluster [threads_per_cell].",
    "gpus_per_cell": "(float) GPUs that a cell takes of the cluster [0].",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code.

    0; 1, cells failed, or the disk; 2, the user can put it right; 130 and 143, ended by Ctrl-C or SIGTERM.
    """
    try:
        with checked_stdout(), handled():
            return _run(list(sys.argv[1:] if argv is None else argv))
    except UserError as error:
        say_error(error)
        return 2
    except ModuleNotFoundError as error:
        say_error(UserError(how_to_install(error)))
        return 2
    except Interrupted as interrupted:
        print("interrupted; the same command continues", file=sys.stderr)
        return interrupted.exit_code


def _run(argv: list[str]) -> int:
    axes, own, settings = parse(argv)
    from recbole_finest.benchmark.grid.grid import read_grid
    from recbole_finest.benchmark.run import Options, overview, prepare_benchmark, run_benchmark
    from recbole_finest.compat import parse_value

    grid, from_file, mistakes = read_grid(own.pop("config", None), axes, settings)
    dry = own.pop("dry_run")
    given = {name: parse_value(value) for name, value in own.items()}
    for name in ("output_dir", "address"):
        given |= {name: own[name]} if name in own else {}
    options = Options(**{**from_file, **given})
    plan, store = prepare_benchmark(grid, options, mistakes, fetch=not dry)
    if dry:
        print(overview(plan, store))
        return 0
    try:
        return say(run_benchmark(grid, options, plan, store), store.root)
    except Unwritten as error:
        if not store.opened:
            raise
        say_error(error)
        return 1


def parse(argv: Sequence[str]) -> tuple[dict[str, str], dict[str, Any], dict[str, str]]:
    """Split a command line into axes, options of the command, and settings.

    Raises:
        UserError: as :func:`recbole_finest.cli.parser.parse_settings`.
    """
    parser = SettingsParser("run_benchmark.py", USAGE, DESCRIPTION, EPILOG)
    parser.add_argument("--config", help="(str) YAML file of the grid.", metavar="FILE")
    parser.add_argument(
        "--dry-run",
        "--dry_run",
        action="store_true",
        help="show what would run and what is there, and end",
    )
    for name, text in {**AXES, **sweep.KEYS, **OPTIONS}.items():
        parser.add_argument(f"--{name}", help=text, metavar="VALUE", default=None)
    known, rest = parser.parse_known_args(list(argv))
    settings, files = parse_settings(rest)
    if files:
        raise UserError("config_files is for run_finest.py; name the grid's file with --config")
    given = {name: value for name, value in vars(known).items() if value is not None}
    axes = {name: given.pop(name) for name in (*AXES, *sweep.KEYS) if name in given}
    return axes, given, settings


def say(found: Mapping[str, Any], root: Path) -> int:
    """Write and print the leaderboard of ``records.json``, and say how it went; returns the exit code."""
    from recbole_finest.report.leaderboard import main_table, write_leaderboard

    if found["records"]:
        print(main_table(found))
    print(f"leaderboard: {write_leaderboard(root)}")
    for failure in found["failed"]:
        print(f"failed: {failure['label']}: {failure['error']}", file=sys.stderr)
    if found["failed"]:
        print(
            f"{len(found['failed'])} cells failed and {len(found['blocked'])} that need them were not "
            f"made; '{root}/cells/<cell>.error.json' says where, and the same command tries again",
            file=sys.stderr,
        )
    print(f"records: {root / 'records.json'} ({len(found['records'])} records)")
    return 1 if found["failed"] else 0
