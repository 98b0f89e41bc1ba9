"""Benchmarks that run: their records, failures, locks, and what survives a kill."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from recbole_finest import run_finest
from recbole_finest.benchmark.cells import kinds
from recbole_finest.benchmark.cells.store import Store
from recbole_finest.benchmark.cells.work import run_cell
from recbole_finest.benchmark.grid.grid import read_grid
from recbole_finest.benchmark.grid.resolve import absolute
from recbole_finest.benchmark.run import Options, prepare_benchmark
from recbole_finest.cli.benchmark import main
from recbole_finest.report.leaderboard.questions import with_keep
from recbole_finest.report.leaderboard.records import from_contents

ROOT = Path(__file__).parents[2]
TIMES = {"seconds", "seconds_perturbed", "cell_seconds"}
TIMES |= {"cost_seconds", "cost_ratio", "inference_seconds", "inference_ratio"}


def records(folder):
    return json.loads((Path(folder) / "records.json").read_text())


def without_times(value):
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if k not in TIMES}
    return [without_times(v) for v in value] if isinstance(value, list) else value


def finished(folder):
    return [path.parent.name for path in Path(folder).glob("cells/*/cell.json")]


def test_records_are_those_of_a_single_run(small_grid, write_grid, tmp_path, capsys):
    file = write_grid({**small_grid, "methods": ["none", "plain", "finest"]})
    assert main([f"--config={file}", "--jobs=1", "--seed_control=True"]) == 0
    found = records(tmp_path / "out")
    settings = {**small_grid["settings"], "seed": 0, "output_dir": str(tmp_path / "run")}
    settings |= {"show_progress": False, "state": "WARNING", "seed_control": True}
    alone = run_finest("GRU4Rec", "toy", config_dict=settings)
    names = {"none": "base", "plain": "plain", "finest": "finest"}
    assert [r["method"] for r in found["records"]] == ["control", "seed_control", *names]
    for record in found["records"]:
        name = names.get(record["method"], record["method"])
        assert record["stability"] == alone["stability"][name], name
        if name in names.values():
            assert record["accuracy"] == alone["accuracy"][name]
            assert record["accuracy_perturbed"] == alone["accuracy"][f"{name}_perturbed"]
            assert record["lists"] == alone["lists"][name]
            assert record["plasticity"] == alone["plasticity"][name]
            assert record["perturbation"] == alone["perturbation"]
        values = np.load(tmp_path / "out" / record["values"])
        for part in ("stability", "accuracy"):
            for key in set(record[part]) & set(values.files):
                assert values[key].mean() == pytest.approx(record[part][key], abs=1e-12)
    control, finest = found["records"][0], found["records"][-1]
    assert control["perturbation"] is control["plasticity"] is None
    assert all(abs(value - 1) <= 1e-12 for value in control["stability"].values())
    answered = {r["method"]: r["question"] for r in found["records"]}
    assert answered == dict.fromkeys(answered, "alone") | {"finest": "anchored"}
    check_costs({record["method"]: record for record in found["records"]})
    assert finest["epochs"] == {"base": 1, "method": 1}


def check_costs(records):
    """Of rows of one seed and perturbation: the faster side's seconds count."""
    rows = ("control", "seed_control", "none", "plain", "finest")
    sides = [(records[name]["seconds"], records[name]["seconds_perturbed"]) for name in rows]
    base = min(side["base"] for both in sides for side in both)
    scoring = min(side["evaluation"] for both in sides for side in both)
    for name, (clean, perturbed) in zip(rows, sides):
        spent = base + sum(min(clean[p], perturbed[p]) for p in ("reference", "method"))
        assert records[name]["cost_seconds"] == pytest.approx(spent), name
        assert records[name]["cost_ratio"] == pytest.approx(spent / base), name
        assert records[name]["inference_seconds"] == pytest.approx(scoring), name
        assert records[name]["inference_ratio"] == 1.0


def test_recipes_and_lists_of_an_ensemble_are_those_of_a_single_run(
    small_grid, write_grid, tmp_path
):
    names = ["recipe", "finest_ensemble"]
    recipe = {"learning_rate_schedule": "linear", "epochs": 2, "eval_step": 2}
    grid = {**small_grid, "methods": names}
    grid["settings"] |= {"ensemble_size": 2, "control": False, "recipe": recipe}
    assert main([f"--config={write_grid(grid)}", "--jobs=1"]) == 0
    found = {record["method"]: record for record in records(tmp_path / "out")["records"]}
    settings = {**grid["settings"], "seed": 0, "output_dir": str(tmp_path / "run")}
    settings |= {"show_progress": False, "state": "WARNING", "baselines": names}
    alone = run_finest("GRU4Rec", "toy", config_dict=settings)
    for name in names:
        for part in ("stability", "accuracy", "question"):
            assert found[name][part] == alone[part][name], (name, part)
        assert found[name]["question"] == "alone" and found[name]["inference_ratio"] == 1
    assert alone["stability"]["recipe"] != alone["stability"]["base"]
    assert found["recipe"]["epochs"] == {"base": 2, "method": 0}
    made = found["finest_ensemble"]
    one = made["cost_seconds"] / made["cost_ratio"]
    assert made["seconds_perturbed"]["base"] >= 2 * one  # both of its bases
    spent, tuned = (
        min(made[side][part] for side in ("seconds", "seconds_perturbed"))
        for part in ("reference", "method")
    )
    assert made["cost_seconds"] == pytest.approx(2 * one + spent + tuned)


def test_the_deployed_model_kept_is_what_the_leaderboard_works_out_from_base(
    small_grid, write_grid, tmp_path
):
    file = write_grid({**small_grid, "methods": ["none", "keep", "warm_start"]})
    assert main([f"--config={file}", "--jobs=1"]) == 0
    whole = records(tmp_path / "out")
    measured = from_contents(whole).trainings.set_index("method").loc["keep"]
    others = [record for record in whole["records"] if record["method"] != "keep"]
    worked_out = with_keep(from_contents({**whole, "records": others}).trainings)
    made = worked_out.set_index("method").loc["keep"]
    shown = ("stability/", "accuracy/", "perturbed/", "similarity/", "cost_", "inference_ratio")
    for name in ("question", *(n for n in measured.index if n.startswith(shown))):
        assert made[name] == (pytest.approx(measured[name]) if name != "question" else "anchored")


def test_killed_and_continued_equals_uninterrupted(small_grid, write_grid, tmp_path):
    small_grid["settings"] |= {"epochs": 6, "finest_epochs": 3}
    file = write_grid(small_grid)
    command = [sys.executable, str(ROOT / "run_benchmark.py"), f"--config={file}", "--jobs=2"]
    command.append("--output_dir=killed")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    while len(finished("killed")) < 4 and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    half = len(finished("killed"))
    assert 4 <= half < 14
    assert main([f"--config={file}", "--jobs=1", "--output_dir=killed"]) == 0
    assert main([f"--config={file}", "--jobs=1", "--output_dir=whole"]) == 0
    assert without_times(records("killed")) == without_times(records("whole"))
    for record in records("whole")["records"]:
        one, other = (np.load(Path(f) / record["values"]) for f in ("killed", "whole"))
        assert all(np.array_equal(one[name], other[name]) for name in one.files)


def test_a_failed_cell_is_recorded_and_the_rest_is_done(small_grid, write_grid, tmp_path, capsys):
    small_grid |= {"methods": ["none", "plain", "finest"]}
    file = write_grid(small_grid)
    words = [f"--config={file}", "--jobs=1", "--reference_k=30"]  # 60 of 40 items
    assert main(words) == 1
    said = capsys.readouterr()
    assert "largest that fits is 20" in said.err and "that need them" in said.err
    found = records("out")
    assert [r["method"] for r in found["records"]] == ["control", "none", "plain"]
    (failed,) = found["failed"]
    assert "largest that fits is 20" in failed["error"]
    # finest, finest', their lists and their comparison
    assert len(found["blocked"]) == 5 and {b["by"] for b in found["blocked"]} == {failed["cell"]}
    error = json.loads((tmp_path / "out/cells" / f"{failed['cell']}.error.json").read_text())
    assert "UserError" in error["traceback"]
    assert main([*words[:2]]) == 0  # other settings, other cells; what is there stays
    assert [r["method"] for r in records("out")["records"]][-1] == "finest"


OWN = """
from recbole_finest.method import Method

class Weighted(Method):
    def loss(self, step):
        return step.next_item_loss * self.config["my_weight"]
"""


def test_a_method_of_ones_own_reads_settings_of_its_own(small_grid, write_grid, capsys):
    Path("weighted.py").write_text(OWN)
    small_grid |= {"methods": ["none", "plain", "once", "never"]}
    small_grid["method_settings"] = {
        "once": {"method": "weighted:Weighted", "my_weight": 1},
        "never": {"method": "weighted:Weighted", "my_weight": 0},
    }
    file = write_grid(small_grid)
    assert main([f"--config={file}", "--jobs=1"]) == 0
    found = {r["method"]: r["similarity_to_base"]["rbo@10"] for r in records("out")["records"]}
    assert found["never"] == pytest.approx(1) and found["once"] == found["plain"] < 1
    trained = [Store("out").read(cell) for cell in finished("out")]
    assert sum(cell["kind"] == "base" for cell in trained) == 2  # no base depends on it
    small_grid["method_settings"]["plain"] = {"my_weight": 2}  # one of ours reads no such thing
    assert main([f"--config={write_grid(small_grid)}", "--dry-run"]) == 2
    assert "unknown setting 'my_weight'" in capsys.readouterr().err


def test_every_training_has_a_tensorboard_folder_of_its_own(small_grid, write_grid):
    assert main([f"--config={write_grid(small_grid)}", "--jobs=1"]) == 0
    folders = [folder.name for folder in Path("out/tensorboard").iterdir()]
    assert not Path("log_tensorboard").exists()
    trained = [Store("out").read(cell) for cell in finished("out")]
    trained = [cell for cell in trained if cell["kind"] in ("base", "control", "method")]
    assert len(folders) == len(trained) == 5
    for cell in trained:
        assert sum(name.endswith(cell["cell"]) for name in folders) == 1
    assert any("finest-on-deletion-0" in name for name in folders)


def test_a_failed_cell_is_tried_again(small_grid, write_grid, monkeypatch):
    file = write_grid({**small_grid, "methods": ["none"]})

    def broken(job):
        raise MemoryError("no room")

    with monkeypatch.context() as patch:
        patch.setitem(kinds.WORK, "measure", broken)
        assert main([f"--config={file}", "--jobs=1"]) == 1
    assert [f["error"] for f in records("out")["failed"]] == ["MemoryError: no room"] * 2
    assert len(list(Path("out/cells").glob("*.error.json"))) == 2
    assert "2 cells FAILED" in Path("out/leaderboard.md").read_text()
    assert main([f"--config={file}", "--jobs=1"]) == 0
    assert records("out")["failed"] == [] and not list(Path("out/cells").glob("*.error.json"))


def test_the_leaderboard_shows_the_grid_that_was_asked_for(small_grid, write_grid, monkeypatch):
    file = write_grid({**small_grid, "methods": ["none", "plain"]})
    assert main([f"--config={file}", "--jobs=1"]) == 0
    whole, made = records("out"), finished("out")
    assert main([f"--config={file}", "--jobs=1", "--methods=none"]) == 0
    assert [r["method"] for r in records("out")["records"]] == ["control", "none"]
    with monkeypatch.context() as patch:
        for name in list(kinds.WORK):
            patch.delitem(kinds.WORK, name)  # nothing can be made
        assert main([f"--config={file}", "--jobs=1"]) == 0
        assert without_times(records("out")) == without_times(whole) and finished("out") == made
        assert main([f"--config={file}", "--jobs=1", "--epochs=2"]) == 1
    assert records("out")["records"] == []
    for suffix in ("md", "html"):
        assert "0 trainings measured" in Path(f"out/leaderboard.{suffix}").read_text(), suffix
    assert "GRU4Rec" not in Path("out/leaderboard.csv").read_text()
    assert "Jaccard" not in Path("out/leaderboard.tex").read_text()


def opened(file):
    """The plan of a grid, and its folder, ready for cells."""
    grid, _, _ = read_grid(file, {}, {})
    plan, store = prepare_benchmark(grid, Options(output_dir="out"), [])
    store.open()
    return plan, store


def test_a_cell_is_made_in_any_working_directory(small_grid, write_grid, tmp_path, monkeypatch):
    small_grid["methods"] = ["none"]
    here = list(opened(write_grid(small_grid))[0].cells)  # by an absolute path
    small_grid["settings"]["data_path"] = "data"
    plan, store = opened(write_grid(small_grid))
    assert list(plan.cells) == here
    monkeypatch.chdir("/")
    drawn = next(cell for cell in plan.cells.values() if cell.perturbation is not None)
    assert run_cell(str(store.root), drawn).error == ""
    monkeypatch.chdir(tmp_path)
    Path("replay.json").write_bytes((store.path(drawn.hash) / "perturbation.json").read_bytes())
    plan, _ = opened(write_grid({**small_grid, "perturbations": [{"file": "replay.json"}]}))
    monkeypatch.chdir("/")
    replayed = next(cell for cell in plan.cells.values() if cell.perturbation is not None)
    assert run_cell(str(store.root), replayed).error == ""
    one, other = (store.read(cell.hash)["result"]["curve"] for cell in (drawn, replayed))
    assert one == other


def test_paths_are_made_absolute_and_names_are_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = {"pre_model_path": "pre.pth", "perturbation_file": None, "dataset": "toy"}
    assert absolute(given) == {**given, "pre_model_path": str(tmp_path / "pre.pth")}


def test_a_locked_cell_is_left_to_the_process_that_makes_it(small_grid, write_grid):
    plan, store = opened(write_grid({**small_grid, "methods": ["none"]}))
    cell = next(iter(plan.cells.values()))
    with FileLock(store.locks / cell.hash):
        assert run_cell(str(store.root), cell).status == "locked"
        assert not store.finished(cell.hash)
    assert run_cell(str(store.root), cell).status == "done"
    assert Store("out").read(cell.hash)["cell"] == cell.hash
