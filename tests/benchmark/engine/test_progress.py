"""The estimate of the time that remains."""

import pytest

from recbole_finest.benchmark.cells.cell import Cell
from recbole_finest.benchmark.cells.rows import Plan
from recbole_finest.benchmark.cells.store import Store
from recbole_finest.benchmark.cells.work import Outcome
from recbole_finest.benchmark.engine.progress import Progress, duration


def test_cells_are_expected_to_take_as_long_as_those_like_them(tmp_path, capsys):
    names = [("base", "A"), ("base", "A"), ("base", "B"), ("control", "A"), ("measure", "A")]
    cells = [Cell(k, k, {"n": i}, given={"model": m}) for i, (k, m) in enumerate(names)]
    progress = Progress(Plan({c.hash: c for c in cells}), Store(tmp_path), jobs=2)
    assert progress.remaining() is None
    progress.tell(cells[0], Outcome("done", seconds=10))
    # A's base and control as A's base, B's base as any base, a measure as any cell: 10 each, two at once
    assert progress.remaining() == pytest.approx(20)
    progress.tell(cells[2], Outcome("done", seconds=30))
    # A's base and control 10 each, the measure (10 + 30) / 2
    assert progress.remaining() == pytest.approx(20)
    progress.tell(cells[1], Outcome("failed", "broken"))
    assert progress.remaining() == pytest.approx(15)
    progress.close()
    assert "failed: base: broken" in capsys.readouterr().out


def test_durations_in_words():
    assert [duration(s) for s in (42, 600, 9000)] == ["42 s", "10 min", "2.5 h"]
