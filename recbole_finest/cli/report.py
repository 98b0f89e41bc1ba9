"""The command ``report``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

from recbole_finest.errors import UserError


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; see {self.prog} --help")


def report_main(argv: Sequence[str]) -> int:
    """Run ``report RUN_DIR``: write the run's report again; returns 0.

    Raises:
        UserError: the folder holds no finished run, or cannot be read or written.
    """
    parser = _Parser(
        prog="run_finest.py report",
        description="Write report.html, report.md and tables/ of a finished run again, from the files "
        "in its folder; the data set is read for the names of items only, where it is still there.",
    )
    parser.add_argument("folder", metavar="RUN_DIR", help="output folder of a finished run")
    arguments = parser.parse_args(argv)
    from recbole_finest.report.run.write import write_report

    print(f"report: {write_report(arguments.folder)}")
    return 0
