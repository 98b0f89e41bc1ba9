"""All tables of a report."""

from __future__ import annotations

from recbole_finest.report.run import detail_tables, main_tables, replicates
from recbole_finest.report.run.contents import Report
from recbole_finest.report.run.run_table import run_table
from recbole_finest.report.table import Table

MAKERS = (
    run_table,
    main_tables.stability_table,
    replicates.replicate_table,
    replicates.difference_table,
    main_tables.filtered_table,
    main_tables.similarity_table,
    main_tables.accuracy_table,
    detail_tables.profile_table,
    main_tables.paired_table,
    detail_tables.slice_tables,
    detail_tables.near_tie_table,
    detail_tables.depth_table,
    detail_tables.movement_table,
    detail_tables.example_table,
)


def make_tables(report: Report) -> dict[str, Table]:
    """The tables that have rows, by name, in the order of the report."""
    made = [make(report) for make in MAKERS]
    tables = [table for one in made for table in ([one] if isinstance(one, Table) else one)]
    return {table.name: table for table in tables if len(table.frame)}
