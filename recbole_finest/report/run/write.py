"""Write the report of a finished run into its folder."""

from __future__ import annotations

import os
from pathlib import Path

from recbole_finest.errors import kept
from recbole_finest.files import write_arrays, write_text
from recbole_finest.folders.own import own_folder
from recbole_finest.report.run.collect import collect
from recbole_finest.report.run.contents import Report
from recbole_finest.report.run.figures import make_figures
from recbole_finest.report.run.html import html_report
from recbole_finest.report.run.markdown import markdown_report
from recbole_finest.report.run.run_folder import RunFolder
from recbole_finest.report.run.tables import make_tables

TABLES = "tables"
PER_INSTANCE = "per_instance.npz"


def write_report(folder: str | os.PathLike[str]) -> Path:
    """Write ``report.html``, ``report.md``, ``tables/*`` and ``per_instance.npz`` from a run's own files.

    Args:
        folder: the output folder of a finished run.

    Returns:
        The path of ``report.html``.

    Raises:
        UserError: the folder holds no finished run, its files are damaged, or it cannot be written.
    """
    path = Path(folder)
    run = RunFolder(path)
    report = collect(run)
    tables = make_tables(report)
    page = html_report(report, tables, make_figures(report))
    with kept("RUN_DIR", path):
        for table in tables.values():
            table.save(own_folder(path, TABLES))
        _save_instances(path / PER_INSTANCE, run, report)
        write_text(path / "report.md", markdown_report(report, tables))
        write_text(path / "report.html", page)
    return path / "report.html"


def _save_instances(path: Path, run: RunFolder, report: Report) -> None:
    """The stability of every test instance: ``users``, ``targets``, ``base/jaccard@10`` …, ``[n]`` each."""
    values = {
        f"{name}/{measure}": row
        for name, pair in report.pairs.items()
        for measure, row in pair.values.items()
    }
    if not values:
        return
    about = {"users": run.first.users, "targets": run.first.targets}
    write_arrays(path, {**about, **values})
