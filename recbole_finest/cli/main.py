"""``run_finest.py`` and the console script ``recbole-finest``: which command, and its exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from recbole_finest.cli import COMMANDS, run
from recbole_finest.cli.stdout import checked_stdout, say_error
from recbole_finest.errors import UserError, how_to_install, nearest
from recbole_finest.parallel.signals import Interrupted, handled


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code.

    0; 1, a gate failed; 2, the user can put it right; 130 and 143, ended by Ctrl-C or SIGTERM.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    try:
        with checked_stdout(), handled():
            if argv and not argv[0].startswith("-"):
                return _command(argv[0])(argv[1:])
            return run.main(argv)
    except UserError as error:
        if _reports_errors():
            say_error(error)
        return 2
    except ModuleNotFoundError as error:
        say_error(UserError(how_to_install(error)))
        return 2
    except Interrupted as interrupted:
        if _is_first():
            print(interrupted, file=sys.stderr)
        return interrupted.exit_code


def _command(name: str) -> Callable[[Sequence[str]], int]:
    """The function of a command; what another one needs is not imported."""
    if name not in COMMANDS:
        hint = nearest(name, COMMANDS.keys())
        raise UserError(f"unknown command '{name}'; {hint} Settings start with --")
    module, _, function = COMMANDS[name][0].partition(":")
    found: Callable[[Sequence[str]], int] = getattr(import_module(module), function)
    return found


def _is_first() -> bool:
    """Of several processes that torchrun started, whether this one speaks."""
    return os.environ.get("RANK", "0") == "0"


def _reports_errors() -> bool:
    """Of several processes that torchrun started, one prints an error."""
    if "recbole_finest.parallel.distributed" not in sys.modules:
        return True
    from recbole_finest.parallel.distributed import reports_errors

    return reports_errors()
