"""``run_finest.py`` and the console script ``recbole-finest``: which command, and its exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from recbole_finest.cli import COMMANDS, run
from recbole_finest.cli.stdout import checked_stdout, say_error
from recbole_finest.errors import UserError, nearest


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code: 0, 1 (a gate failed) or 2 (the user can put it right)."""
    argv = list(sys.argv[1:] if argv is None else argv)
    try:
        with checked_stdout():
            if argv and not argv[0].startswith("-"):
                return _command(argv[0])(argv[1:])
            return run.main(argv)
    except UserError as error:
        if _reports_errors():
            say_error(error)
        return 2
    except KeyboardInterrupt:
        print("interrupted; continue with --resume=True and the same output_dir", file=sys.stderr)
        return 130


def _command(name: str) -> Callable[[Sequence[str]], int]:
    """The function of a command; what another one needs is not imported."""
    if name not in COMMANDS:
        hint = nearest(name, COMMANDS.keys())
        raise UserError(f"unknown command '{name}'; {hint} Settings start with --")
    module, _, function = COMMANDS[name][0].partition(":")
    found: Callable[[Sequence[str]], int] = getattr(import_module(module), function)
    return found


def _reports_errors() -> bool:
    """Of several processes that torchrun started, one prints an error."""
    if "recbole_finest.parallel.distributed" not in sys.modules:
        return True
    from recbole_finest.parallel.distributed import reports_errors

    return reports_errors()
