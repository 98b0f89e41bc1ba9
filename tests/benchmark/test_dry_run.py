"""A dry run counts what is there and what is to do, and does none of it."""

import pytest

from recbole_finest.cli.benchmark import main
from tests.benchmark.test_run import finished


def test_dry_run_says_what_is_there_and_writes_nothing(small_grid, write_grid, tmp_path, capsys):
    file = write_grid(small_grid)
    assert main([f"--config={file}", "--dry-run"]) == 0
    table = [line.split("|")[1:-1] for line in capsys.readouterr().out.splitlines()]
    cells = dict(zip((c.strip() for c in table[0]), (c.strip() for c in table[2])))
    assert cells["model"] == "GRU4Rec" and cells["to do"] == "14"
    assert cells["base"] == "0 of 2" and cells["evaluation"] == "0 of 5"
    assert not (tmp_path / "out").exists()
    assert main([f"--config={file}", "--jobs=1", "--methods=none"]) == 0
    capsys.readouterr()
    assert main([f"--config={file}", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "2 of 2" in out and "0 of 2" in out and "3 of 5" in out
    stamps = {cell: (tmp_path / "out/cells" / cell).stat().st_mtime_ns for cell in finished("out")}
    assert main([f"--config={file}", "--jobs=1"]) == 0
    assert len(finished("out")) == 14
    for cell, stamp in stamps.items():
        assert (tmp_path / "out/cells" / cell).stat().st_mtime_ns == stamp


def test_dry_run_downloads_nothing(small_grid, write_grid, tmp_path, capsys, monkeypatch):
    def fetched(*_):
        raise AssertionError("asked for the data set")

    monkeypatch.setattr("recbole_finest.data.dataset.create_dataset", fetched)
    file = write_grid({**small_grid, "datasets": ["toy", "ml-1m"]})
    assert main([f"--config={file}", "--dry-run"]) == 0
    out = capsys.readouterr().out
    place = tmp_path / "data/ml-1m/ml-1m.inter"
    assert f"data set 'ml-1m' is not at '{place}' yet" in out and "'toy' is not" not in out
    assert [cell.strip() for cell in out.splitlines()[-1].split("|")][-3] == "28"
    assert not place.parent.exists()
    with pytest.raises(AssertionError, match="asked for"):
        main([f"--config={file}"])
