"""Cells that are not as they were made: named, set aside, made again; never read, never followed."""

import json
import os
import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from recbole_finest.benchmark.cells.store import Store
from recbole_finest.cli.benchmark import main
from recbole_finest.errors import UserError
from recbole_finest.report.leaderboard import write_leaderboard
from tests.benchmark.test_run import records, without_times


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with a data set, a grid and its finished benchmark, to be copied."""
    import yaml

    from tests.conftest import write_toy

    place = tmp_path_factory.mktemp("finished")
    settings = {"epochs": 1, "MAX_ITEM_LIST_LENGTH": 8, "hidden_size": 8, "embedding_size": 8}
    settings |= {"perturbation_ratio": 0.02, "control": False, "list_depth": 10}
    grid = {"models": ["GRU4Rec"], "datasets": ["toy"], "methods": ["none"], "seeds": [0]}
    grid |= {"perturbations": ["deletion"], "perturbation_seeds": [0], "output_dir": "out"}
    write_toy(place / "data")
    grid["settings"] = {**settings, "data_path": "data"}
    (place / "grid.yaml").write_text(yaml.safe_dump(grid))
    before = os.getcwd()
    os.chdir(place)
    try:
        assert main(["--config=grid.yaml", "--jobs=1"]) == 0
    finally:
        os.chdir(before)
    return place


@pytest.fixture
def out(finished, tmp_path, monkeypatch):
    """A copy of the finished benchmark."""
    shutil.copytree(finished, tmp_path / "there")
    monkeypatch.chdir(tmp_path / "there")
    return Path("out")


def cells(out, kind):
    found = [json.loads(p.read_text()) for p in sorted(out.glob("cells/*/cell.json"))]
    return [out / "cells" / one["cell"] for one in found if one["kind"] == kind]


def again():
    return main(["--config=grid.yaml", "--jobs=1"])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def test_a_finished_cell_lists_its_files_and_what_it_is(out):
    for cell in out.glob("cells/*"):
        found = json.loads((cell / "manifest.json").read_text())
        assert found["about"]["cell"] == cell.name
        assert found["about"]["stage"] == json.loads((cell / "cell.json").read_text())["kind"]
        there = {p.relative_to(cell).as_posix() for p in cell.rglob("*") if p.is_file()}
        assert set(found["files"]) == there - {"manifest.json"}


def test_damaged_and_foreign_cells_are_named_set_aside_and_made_again(out, capsys, tmp_path):
    before = records(out)
    (base, other), (one, two, *_) = cells(out, "base"), cells(out, "evaluation")
    (measure,) = cells(out, "measure")
    flip(base / "model.pth")
    (other / "cell.json").write_text("{")
    shutil.copyfile(two / "lists.npz", one / "lists.npz")
    shutil.rmtree(two)
    shutil.copytree(measure, two)  # another cell, whole
    shutil.move(measure, tmp_path / "elsewhere")
    measure.symlink_to(tmp_path / "elsewhere")
    assert again() == 0
    said = capsys.readouterr().err
    assert said.count("is made again") == 5 and said.count("warning: ") == 5
    assert f"'{base.absolute()}' is damaged: 'model.pth' has another SHA-256" in said
    assert f"'{other.absolute()}' is damaged: 'cell.json' has 1 bytes" in said
    assert f"'{two.absolute()}' holds another cell ('{measure.name}')" in said
    assert f"'{measure.absolute()}' is a link" in said
    assert without_times(records(out)) == without_times(before)
    for cell in (base, other, one, two, measure):
        assert os.path.lexists(f"{cell}.damaged") and not cell.is_symlink()
    assert (tmp_path / "elsewhere" / "values.npz").is_file()
    assert again() == 0 and "warning" not in capsys.readouterr().err


def test_a_cell_whose_lock_another_process_holds_is_left_to_it(out):
    (base, _), store = cells(out, "base"), Store(out)
    flip(base / "model.pth")
    with FileLock(out / "locks" / base.name, timeout=0):
        (said,) = store.set_wrong_aside([base.name])
        assert "another process" in said and base.is_dir()
    with pytest.raises(UserError, match=r"'model.pth' has another SHA-256; give the same command"):
        store.input(base.name)


def test_cells_of_earlier_versions_are_taken_with_one_warning(out, capsys):
    before = records(out)
    for manifest in out.glob("cells/*/manifest.json"):
        manifest.unlink()
    (measure,) = cells(out, "measure")
    (base, _) = cells(out, "base")
    for cell, change in ((measure, {"stability": []}), (base, {"epochs": "1"})):
        about = json.loads((cell / "cell.json").read_text())
        about["result"] |= change
        (cell / "cell.json").write_text(json.dumps(about))
    assert again() == 0
    said = capsys.readouterr().err
    assert said.count("of a version that wrote no manifest") == 1 and said.count("warning: ") == 3
    assert without_times(records(out)) == without_times(before)


def test_what_stands_beside_the_cells_does_no_harm(out, capsys, tmp_path):
    before = records(out)
    (base, other) = cells(out, "base")
    shutil.rmtree(base)
    (out / f"cells/{base.name}.error.json").write_text("{")
    (out / f"cells/{other.name}.error.json").mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis").write_text("mine")
    (out / f"cells/{base.name}.part").symlink_to(tmp_path / "mine")
    for name in ("records.json", "records.json.sha256"):
        (out / name).unlink()
        (out / name).mkdir()
    assert main(["--config=grid.yaml", "--dry-run"]) == 0
    assert again() == 0
    assert without_times(records(out)) == without_times(before)
    assert (tmp_path / "mine" / "thesis").read_text() == "mine"
    assert not (out / f"cells/{base.name}.error.json").exists()


@pytest.mark.parametrize("what", ["records", "values", "another cell's", "elsewhere", "linked"])
def test_the_leaderboard_reads_only_what_the_benchmark_wrote(out, what, tmp_path):
    (measure,), values = cells(out, "measure"), None
    if what == "records":
        flip(out / "records.json")
    elif what == "elsewhere":
        found = records(out)
        found["records"][0]["values"] = values = "../elsewhere/values.npz"
        (out / "records.json").write_text(json.dumps(found))
        (out / "records.json.sha256").unlink()
    elif what == "linked":
        shutil.move(measure, tmp_path / "elsewhere")
        measure.symlink_to(tmp_path / "elsewhere")
    elif what == "values":
        flip(measure / "values.npz")
    else:
        shutil.copyfile(cells(out, "base")[0] / "manifest.json", measure / "manifest.json")
    before = (out / "leaderboard.md").read_bytes()
    with pytest.raises(UserError) as error:
        write_leaderboard(out)
    file = {"records": "records.json", "elsewhere": "records.json"}.get(what, measure.name)
    assert file in str(error.value) and (values or "") in str(error.value)
    assert (out / "leaderboard.md").read_bytes() == before
