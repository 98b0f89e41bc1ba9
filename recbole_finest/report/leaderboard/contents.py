"""What a leaderboard holds, made from a benchmark's records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from recbole_finest.report.leaderboard.blocks import Block, board_name, make_blocks
from recbole_finest.report.leaderboard.figures import trade_off
from recbole_finest.report.leaderboard.headline import headline
from recbole_finest.report.leaderboard.measures import Keys, shown_keys
from recbole_finest.report.leaderboard.questions import with_keep
from recbole_finest.report.leaderboard.rank_table import rank_tables
from recbole_finest.report.leaderboard.recommend import swept_methods
from recbole_finest.report.leaderboard.records import Benchmark
from recbole_finest.report.leaderboard.rows import Row
from recbole_finest.report.leaderboard.sweeps import (
    max_loss,
    recommendations,
    sweep_figures,
    sweep_table,
)
from recbole_finest.report.leaderboard.tables import by_kind, every_measure, main_board
from recbole_finest.report.questions import TITLES
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
    rows, keys = with_keep(bench.trainings), shown_keys(bench.trainings)
    loss = max_loss(bench.grid)
    settings = bench.grid.get("method_settings") or {}
    places = {name: i for i, name in enumerate(dict.fromkeys(rows["method"]))}
    blocks = list(make_blocks(rows, keys, settings, generator(0, "leaderboard")))
    sections: dict[str, tuple[str, list[str]]] = {}
    tables: dict[str, Table] = {}
    figures: list[Figure] = []
    said: list[str] = []
    for same in _by_place(blocks):
        asked = [[b for b in same if b.question == q] for q in TITLES]
        by_question = [members for members in asked if members]
        made = [table for members in by_question for table in _tables(members, rows, keys)]
        place = same[0].dataset, same[0].shuffle_order
        heading = f"{place[0]}, shuffle order {place[1]}"
        _add(sections, tables, heading, f"board-{board_name(*place)}", made)
        firsts = [members[0] for members in by_question]
        swept = [swept_methods(block.rows, bench.variants) for block in firsts]
        figures += _trade_offs(zip(firsts, swept), keys, places)
        if any(swept) and keys.stability and keys.accuracy:
            table = sweep_table(same, bench.variants, keys, loss)
            _add(sections, tables, table.title, table.name, [table])
            for block in firsts:
                figures += sweep_figures(block, bench.variants, keys, loss)
                said += recommendations(block, bench.variants, keys, loss)
    said += _collapsed(bench.trainings)
    orders = dict.fromkeys(rows["shuffle_order"])
    ranks = [table for order in orders for table in rank_tables(rows, order, keys)]
    _add(sections, tables, "Average ranks", "ranks", ranks)
    _add(sections, tables, "Failed cells", "failed", _failed(bench))
    return Board(headline(bench, blocks, keys, said), blocks, sections, tables, figures)


def _trade_offs(
    blocks: Iterable[tuple[Block, dict[str, list[Row]]]], keys: Keys, places: Mapping[str, int]
) -> Iterator[Figure]:
    """A figure for each block that has points; a sweep's settings, given beside it, have their own."""
    for block, families in blocks:
        members = (row.method for rows in families.values() for row in rows)
        drawn = trade_off(block, keys, places, {m for m in members if m not in families})
        if drawn is not None:
            yield drawn


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
    here &= trainings["question"] == first.question
    if keys.stability and trainings.loc[here & (trainings["kind"] != "none"), "kind"].nunique() > 1:
        yield by_kind(blocks, trainings[here], keys)


def _collapsed(trainings: pd.DataFrame) -> list[str]:
    """A sentence for each model and method with collapsed lists."""
    if "collapsed" not in trainings or not any(trainings["collapsed"]):
        return []
    gone = trainings[trainings["collapsed"] != ""]
    return [
        f"{method} of {model} on {dataset} has collapsed in {len(rows)} of its trainings, whose stability "
        f"does not count ({rows['collapsed'].iloc[0]}); lower its learning rate."
        for (dataset, model, method), rows in gone.groupby(["dataset", "model", "method"])
    ]


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
