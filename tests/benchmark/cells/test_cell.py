"""What a cell's hash depends on, and what not."""

import pytest

from recbole_finest.benchmark.cells.plan import Planner
from recbole_finest.benchmark.grid.grid import read_grid
from recbole_finest.benchmark.grid.resolve import Resolver
from tests.conftest import write_toy


def hashes(file, threads=1, device=None, **settings):
    """Hashes by kind (and method) on both sides, of a grid with one row a method."""
    grid, _, mistakes = read_grid(file, {}, {k: str(v) for k, v in settings.items()})
    assert mistakes == []
    plan = Planner(grid, Resolver(grid), threads, device).plan()
    found = {}
    for hash, cell in plan.cells.items():
        side = "" if cell.perturbation is None else "'"
        found.setdefault(f"{cell.method or cell.kind}{side}", set()).add(hash)
    return found


def changed(file, **settings):
    before, after = hashes(file), hashes(file, **settings)
    return {name for name in before if before[name] != after[name]}


ALL = {"base", "base'", "control", "reference", "plain", "plain'", "finest", "finest'"}
MEASURED = {"evaluation", "evaluation'", "measure"}
FINEST = {"finest", "finest'"}
TUNED = FINEST | {"plain", "plain'"}
CASES = [
    ({"epochs": 2}, ALL | MEASURED),
    ({"hidden_size": 16}, ALL | MEASURED),
    ({"train_batch_size": 64}, ALL | MEASURED),
    ({"training_mode": "instance"}, ALL | MEASURED),
    ({"learning_rate": 0.01}, ALL | MEASURED),
    ({"weight_average": "ema"}, ALL | MEASURED),
    ({"weight_decay": 0.1}, ALL | MEASURED),
    ({"perturbation_ratio": 0.05}, {"base'", "plain'", "finest'", "evaluation'", "measure"}),
    ({"perturbation_item": "popular"}, {"base'", "plain'", "finest'", "evaluation'", "measure"}),
    ({"finest_epochs": 2}, TUNED | MEASURED),
    ({"finest_learning_rate": 0.1}, TUNED | MEASURED),
    ({"reference_k": 4}, {"reference"} | FINEST | MEASURED),
    ({"rank_weight": 3}, FINEST | MEASURED),
    ({"simulation_ratio": 0.1}, FINEST | MEASURED),
    ({"finest_dropout": "both"}, FINEST | MEASURED),
    ({"metrics": "[NDCG, MRR]"}, MEASURED),
    ({"list_depth": 15}, MEASURED),
    ({"rbo_p": 0.5}, {"measure"}),
    ({"distillation_weight": 3}, set()),
    ({"ensemble_size": 5}, set()),
    ({"show_progress": False}, set()),
    ({"state": "WARNING"}, set()),
    ({"worker": 1}, set()),
    ({"checkpoint_dir": "elsewhere"}, set()),
    ({"loss_decimal_place": 7}, set()),
    ({"filter_seen": False}, set()),
]


@pytest.fixture
def grid_file(small_grid, write_grid):
    return write_grid({**small_grid, "methods": ["none", "plain", "finest"]})


@pytest.mark.parametrize(("settings", "names"), CASES, ids=str)
def test_a_setting_changes_the_hashes_of_what_depends_on_it(grid_file, settings, names):
    assert changed(grid_file, **settings) == names


def test_dropout_counts_for_the_methods_that_follow_it(small_grid, write_grid):
    following = {"finest", "finest_no_regularizer", "listmle"}
    methods = ["none", "plain", "warm_start", *sorted(following)]
    file = write_grid({**small_grid, "methods": methods})
    names = {name.removesuffix("'") for name in changed(file, finest_dropout="both")}
    assert names == following | {"evaluation", "measure"}


def test_ten_and_ten_point_zero_are_one_setting(grid_file):
    same = hashes(grid_file, rank_weight=10), hashes(grid_file, rank_weight="10.0")
    assert same[0] == same[1] != hashes(grid_file, rank_weight=10.5)


def test_threads_and_device_belong_to_every_cell(grid_file):
    before = hashes(grid_file, device="cpu")
    assert before == hashes(grid_file)
    for other in (hashes(grid_file, threads=2), hashes(grid_file, device="cuda")):
        assert not any(before[name] & other[name] for name in before)


def test_the_data_count_and_not_their_place(small_grid, write_grid, tmp_path):
    before = hashes(write_grid(small_grid))
    small_grid["settings"]["data_path"] = str(write_toy(tmp_path / "moved"))
    assert hashes(write_grid(small_grid)) == before
    small_grid["settings"]["data_path"] = str(write_toy(tmp_path / "other", users=31))
    other = hashes(write_grid(small_grid))
    assert not any(before[name] & other[name] for name in before)


def test_a_users_own_method_depends_on_its_file(small_grid, write_grid, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    text = "from recbole_finest.method import Method\nclass Mine(Method):\n    '''{}'''\n"
    for name in ("one", "same", "two"):
        (tmp_path / f"mine_{name}.py").write_text(text.format("2" if name == "two" else "1"))
    methods = {}
    for name in ("one", "same", "two"):
        grid = {**small_grid, "methods": ["own"]}
        grid["method_settings"] = {"own": {"method": f"mine_{name}:Mine"}}
        file = write_grid(grid)
        cells = Planner(g := read_grid(file, {}, {})[0], Resolver(g)).plan().cells.values()
        methods[name] = {str(cell.code) for cell in cells if cell.kind == "method"}
    assert methods["one"] == methods["same"] != methods["two"]
