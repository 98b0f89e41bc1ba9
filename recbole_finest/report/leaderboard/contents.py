"""What a leaderboard holds, made from a benchmark's records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from recbole_finest.report.leaderboard.blocks import Block, make_blocks
from recbole_finest.report.leaderboard.figures import trade_off
from recbole_finest.report.leaderboard.headline import headline
from recbole_finest.report.leaderboard.measures import Keys, shown_keys
from recbole_finest.report.leaderboard.rank_table import rank_table
from recbole_finest.report.leaderboard.recommend import swept_methods
from recbole_finest.report.leaderboard.records import Benchmark
from recbole_finest.report.leaderboard.sweeps import (
    max_loss,
    recommendations,
    sweep_figures,
    sweep_table,
)
from recbole_finest.report.leaderboard.tables import by_kind, every_measure, main_board
from recbole_finest.report.style import Figure
from recbole_finest.report.table import Table
from recbole_finest.seeding import generator


@dataclass(frozen=True)
class Board:
    """The sentences, tables and figures of one benchmark.

    Attributes:
        sentences: the first lines.
        blocks: all rows, as they are compared.
        sections: ``{heading: (section name, names of tables)}`` in the order of the page.
        tables: tables by name.
        figures: figures, each naming its section.
    """

    sentences: list[str]
    blocks: list[Block]
    sections: dict[str, tuple[str, list[str]]]
    tables: dict[str, Table]
    figures: list[Figure]


def make_board(bench: Benchmark) -> Board:
    """All that is shown; the same records give the same board, bootstrap included."""
    rows, keys = bench.trainings, shown_keys(bench.trainings)
    loss = max_loss(bench.grid)
    settings = bench.grid.get("method_settings") or {}
    places = {name: i for i, name in enumerate(dict.fromkeys(rows["method"]))}
    blocks = list(make_blocks(rows, keys, settings, generator(0, "leaderboard")))
    sections: dict[str, tuple[str, list[str]]] = {}
    tables: dict[str, Table] = {}
    figures: list[Figure] = []
    said: list[str] = []
    for same in _by_place(blocks):
        made = list(_tables(same, rows, keys))
        name = made[0].name
        sections[made[0].title] = (name, [table.name for table in made])
        tables |= {table.name: table for table in made}
        families = swept_methods(same[0].rows, bench.variants)
        left_out = {
            r.method for rows in families.values() for r in rows if r.method not in families
        }
        drawn = trade_off(same[0], keys, places, left_out)
        figures += [drawn] if drawn else []
        if families and keys.stability and keys.accuracy:
            swept = sweep_table(same, bench.variants, keys, loss)
            _add(sections, tables, swept.title, swept.name, [swept])
            figures += sweep_figures(same[0], bench.variants, keys, loss)
            said += recommendations(same[0], bench.variants, keys, loss)
    ranks = [rank_table(rows, order, keys) for order in dict.fromkeys(rows["shuffle_order"])]
    _add(sections, tables, "Average ranks", "ranks", [table for table in ranks if table])
    _add(sections, tables, "Failed cells", "failed", _failed(bench))
    return Board(headline(bench, blocks, keys, said), blocks, sections, tables, figures)


def _by_place(blocks: list[Block]) -> list[list[Block]]:
    found: dict[tuple[str, str], list[Block]] = {}
    for block in blocks:
        found.setdefault((block.dataset, block.shuffle_order), []).append(block)
    return list(found.values())


def _tables(blocks: list[Block], trainings: pd.DataFrame, keys: Keys) -> Iterator[Table]:
    yield main_board(blocks, keys)
    if len(keys.every) > len(keys.stability):
        yield every_measure(blocks, keys)
    first = blocks[0]
    here = (trainings["dataset"] == first.dataset) & (
        trainings["shuffle_order"] == first.shuffle_order
    )
    if keys.stability and trainings.loc[here & (trainings["kind"] != "none"), "kind"].nunique() > 1:
        yield by_kind(blocks, trainings[here], keys)


def _failed(bench: Benchmark) -> list[Table]:
    if not bench.failed:
        return []
    frame = pd.DataFrame(
        [
            {
                "cell": " ".join(str(f[k]) for k in ("label", "cell") if k in f),
                "error": str(f["error"]),
            }
            for f in bench.failed
        ]
    )
    note = "These cells ended with an error, or need one that did, and are in no figure above."
    return [Table("failed", "Failed cells", note, frame, frame)]


def _add(
    sections: dict[str, tuple[str, list[str]]],
    tables: dict[str, Table],
    heading: str,
    name: str,
    made: list[Table],
) -> None:
    if made:
        sections[heading] = (name, [table.name for table in made])
        tables |= {table.name: table for table in made}
