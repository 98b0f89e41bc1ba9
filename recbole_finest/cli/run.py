"""``run_finest.py`` without a command: train, stabilise, measure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from recbole_finest.cli.parser import parse_settings


def main(argv: Sequence[str]) -> int:
    """Run the experiment that these settings name and print its table; returns 0.

    Raises:
        UserError: as :func:`recbole_finest.quick_start.run_finest`, or as :func:`parse_settings`.
    """
    settings, files = parse_settings(argv)
    from recbole_finest.parallel.distributed import place
    from recbole_finest.quick_start import run_finest

    model, dataset = settings.pop("model", None), settings.pop("dataset", None)
    result = run_finest(model=model, dataset=dataset, config_file_list=files, command_line=settings)
    if place().rank == 0:
        from recbole_finest.report.run.summary_table import summary_table

        print(summary_table(result))
        print(f"report: {Path(result['output_dir']) / 'report.html'}")
    return 0
