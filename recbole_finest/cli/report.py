"""The command ``report``: a finished run's report, written again."""

from __future__ import annotations

from collections.abc import Sequence

from recbole_finest.cli.parser import CommandParser


def main(argv: Sequence[str]) -> int:
    """Run ``report RUN_DIR``: write the run's report again; returns 0.

    Raises:
        UserError: the folder holds no finished run, or cannot be read or written.
    """
    parser = CommandParser(
        prog="run_finest.py report",
        description="Write report.html, report.md and tables/ of a finished run again, from the files "
        "in its folder; the data set is read for the names of items only, where it is still there.",
    )
    parser.add_argument("folder", metavar="RUN_DIR", help="output folder of a finished run")
    arguments = parser.parse_args(argv)
    from recbole_finest.report.run.write import write_report

    print(f"report: {write_report(arguments.folder)}")
    return 0
