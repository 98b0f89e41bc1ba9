"""Reading a grid, and counting what it makes."""

import logging
from collections import Counter

import pytest

from recbole_finest.benchmark.cells.plan import Planner
from recbole_finest.benchmark.grid.grid import read_grid, split_list
from recbole_finest.benchmark.grid.mistakes import mistakes_in
from recbole_finest.benchmark.grid.resolve import Resolver


def planned(file, axes=None, settings=None):
    grid, _, mistakes = read_grid(file, axes or {}, settings or {})
    resolver = Resolver(grid)
    assert mistakes + mistakes_in(grid, resolver) == []
    return Planner(grid, resolver).plan()


def counts(plan):
    return Counter(cell.kind for cell in plan.cells.values())


def test_axes_of_the_command_line_win(small_grid, write_grid):
    small_grid["perturbations"] = [{"kind": "insertion", "ratio": 0.03}, "deletion"]
    axes = {
        "models": "SASRec, NARM",
        "seeds": "[3,4]",
        "perturbation_kinds": "insertion,replacement",
        "perturbation_seeds": "7",
    }
    grid, run, mistakes = read_grid(write_grid(small_grid), axes, {"epochs": "3", "rbo_p": "0.8"})
    assert mistakes == []
    assert grid.models == ["SASRec", "NARM"] and grid.seeds == [3, 4]
    assert grid.datasets == ["toy"]
    assert grid.perturbations == [{"kind": "insertion", "ratio": 0.03}, {"kind": "replacement"}]
    assert grid.drawn()[0] == {
        "perturbation_kind": "insertion",
        "perturbation_ratio": 0.03,
        "perturbation_seed": 7,
    }
    assert grid.command_line == {"epochs": 3, "rbo_p": 0.8}
    assert run == {"output_dir": small_grid["output_dir"]}


def test_defaults_of_a_grid_without_a_file():
    grid, _, mistakes = read_grid(None, {"models": "SASRec", "datasets": "ml-100k"}, {})
    assert mistakes == []
    assert [v.method for v in grid.methods] == ["none", "plain", "finest"]
    assert grid.perturbation_seeds == [0, 1] and grid.shuffle_orders == ["stable"]


def test_settings_of_a_cell_by_precedence(small_grid, write_grid):
    small_grid["models"] = ["GRU4Rec", "SASRec"]
    small_grid["settings"]["n_heads"] = 4  # of SASRec, not of GRU4Rec
    small_grid["dataset_settings"] = {"toy": {"epochs": 4, "eval_step": 2}}
    small_grid["model_settings"] = {"SASRec": {"eval_step": 3, "list_depth": 10}}
    grid, _, _ = read_grid(write_grid(small_grid), {}, {"list_depth": "12"})
    resolver = Resolver(grid)
    gru, sas = (resolver.config(m, "toy", grid.methods[0]) for m in small_grid["models"])
    assert (gru["epochs"], gru["eval_step"], gru["list_depth"]) == (4, 2, 12)
    assert (sas["epochs"], sas["eval_step"], sas["list_depth"]) == (4, 3, 12)
    assert sas["n_heads"] == 4 and "n_heads" not in gru


def test_a_part_of_the_models_takes_the_settings_of_all(small_grid, write_grid):
    small_grid |= {"models": ["GRU4Rec", "SASRec"]}
    small_grid["settings"]["n_heads"] = 1  # of SASRec alone
    plan = planned(write_grid(small_grid), {"models": "GRU4Rec"})
    assert {row.where.model for row in plan.rows} == {"GRU4Rec"}


def test_shared_work_is_planned_once(small_grid, write_grid):
    small_grid |= {"methods": ["none", "plain", "finest"], "seeds": [0, 1]}
    small_grid |= {"perturbations": ["deletion", "insertion"], "perturbation_seeds": [0, 1]}
    plan = planned(write_grid(small_grid))
    # by seed: base and 4 base'; 1 control; lists of base once; plain and finest on 5 logs
    assert counts(plan) == {
        "base": 2 * 5,
        "control": 2 * 1,
        "reference": 2 * 1,
        "method": 2 * 2 * 5,
        "evaluation": 2 * (5 + 1 + 2 * 5),
        "measure": 2 * (1 + 3 * 4),
    }
    assert len(plan.rows) == 26


def test_an_ensemble_shares_the_bases_of_the_grids_seeds(small_grid, write_grid):
    small_grid |= {"methods": ["none", "ensemble"], "seeds": [0, 1]}
    plan = planned(write_grid(small_grid), settings={"ensemble_size": "2"})
    # seeds 0, 1 and for the second ensemble 2, clean and perturbed
    assert counts(plan)["base"] == 3 * 2 and counts(plan)["method"] == 0
    ensemble = next(row for row in plan.rows if row.method == "ensemble")
    assert len(ensemble.models["base"]) == 2


def test_warm_start_trains_the_perturbed_side_from_the_clean_base(small_grid, write_grid):
    plan = planned(write_grid({**small_grid, "methods": ["none", "warm_start"]}))
    row = next(row for row in plan.rows if row.method == "warm_start")
    assert len(row.models["method"]) == len(row.perturbed["method"]) == 1
    assert row.perturbed["base"] == row.models["base"]


def test_reference_model_own_makes_lists_of_every_base(small_grid, write_grid):
    plan = planned(write_grid(small_grid), settings={"reference_model": "own"})
    assert counts(plan)["reference"] == 2


def test_a_sweep_and_method_settings_are_methods_of_their_own(small_grid, write_grid):
    small_grid["methods"] = ["none", "finest", "strong"]
    small_grid["method_settings"] = {"strong": {"method": "finest", "rank_weight": 100}}
    small_grid["sweep"] = {"rank_weight": [1, 30]}
    grid, _, mistakes = read_grid(write_grid(small_grid), {}, {})
    assert mistakes == []
    labels = ["none", "finest", "strong", "finest(rank_weight=1)", "finest(rank_weight=30)"]
    assert grid.to_dict()["methods"] == labels
    assert grid.to_dict()["method_settings"]["strong"] == {"method": "finest", "rank_weight": 100}
    plan = planned(write_grid(small_grid))
    assert counts(plan)["base"] == 2 and counts(plan)["method"] == 4 * 2


def test_a_sweep_from_the_command_line(small_grid, write_grid):
    axes = {"sweep": "{listmle: {listmle_weight: [0.5, 2]}}", "max_accuracy_loss": "0.05"}
    grid, _, mistakes = read_grid(write_grid(small_grid), axes, {})
    assert mistakes == [] and grid.to_dict()["max_accuracy_loss"] == 0.05
    assert [v.label for v in grid.methods][2:] == [
        "listmle(listmle_weight=0.5)",
        "listmle(listmle_weight=2)",
    ]


def test_mistakes_in_a_sweep_are_all_named(small_grid, write_grid):
    axes = {"sweep": "{rank_weight: []}", "sweep_full": "maybe", "max_accuracy_loss": "3"}
    _, _, mistakes = read_grid(write_grid(small_grid), axes, {})
    assert [m.split(" is ")[0] for m in mistakes] == [
        "sweep_full",
        "max_accuracy_loss",
        "sweep: rank_weight",
    ]
    _, _, mistakes = read_grid(write_grid({**small_grid, "sweep": [1]}), {}, {})
    assert len(mistakes) == 1 and "sweep is [1]" in mistakes[0]


DRAWN = [  # the perturbation, and how many different ones two seeds give
    ({"kind": "deletion"}, 2),
    ({"kind": "deletion", "selection": "casper"}, 1),
    ({"kind": "deletion", "selection": "casper_estimated", "count": 150}, 2),
    ({"kind": "deletion", "selection": "popular"}, 1),
    ({"kind": "deletion", "selection": "unpopular"}, 1),
    ({"kind": "deletion", "selection": "latest_random"}, 2),
    ({"kind": "deletion", "per_user": 1}, 1),
    ({"kind": "deletion", "selection": "user", "users": ["u3"]}, 1),
    ({"kind": "deletion", "selection": "user", "count": 3}, 2),
    ({"kind": "insertion", "selection": "casper"}, 2),
    ({"kind": "insertion", "selection": "casper", "item": "popular"}, 1),
    ({"kind": "replacement", "selection": "popular", "item": "similar"}, 1),
    ({"kind": "replacement", "item": "unpopular"}, 2),
]


@pytest.mark.parametrize(("perturbation", "number"), DRAWN, ids=str)
def test_a_draw_without_chance_is_one_replicate(small_grid, write_grid, perturbation, number):
    small_grid |= {"methods": ["none"], "perturbations": [perturbation]}
    small_grid |= {"perturbation_seeds": [0, 1]}
    plan = planned(write_grid(small_grid))
    assert len([row for row in plan.rows if row.method == "none"]) == number
    assert counts(plan)["base"] == 1 + number
    settings = {f"perturbation_{key}": value for key, value in perturbation.items()}
    assert same_draws(small_grid, settings, 0, 1) == (number == 1)


def same_draws(grid, settings, *seeds):
    """Whether all seeds draw the same changes."""
    from recbole_finest.config.config import Config
    from recbole_finest.data.from_settings import draw_test_perturbation
    from recbole_finest.data.prepare import prepare

    found = set()
    for seed in seeds:
        given = {**grid["settings"], **settings, "perturbation_seed": seed}
        config = Config("GRU4Rec", "toy", None, given)
        _, changes = draw_test_perturbation(config, prepare(config), logging.getLogger())
        found.add((changes.position.tobytes(), changes.item_after.tobytes()))
    return len(found) == 1


SAME = [
    ["deletion", {"kind": "deletion", "selection": "random"}],
    ["deletion", {"kind": "deletion", "ratio": 0.02}],  # that of the settings
    ["deletion", {"kind": "deletion", "item": "popular"}],  # puts nothing in
    [{"kind": "insertion", "count": 3}, {"kind": "insertion", "count": 3, "ratio": 0.5}],
]


@pytest.mark.parametrize("perturbations", SAME, ids=str)
def test_a_perturbation_spelled_twice_is_planned_once(small_grid, write_grid, perturbations):
    file = write_grid({**small_grid, "perturbations": perturbations})
    plan = planned(file)
    assert [row.method for row in plan.rows] == ["control", "none", "finest"]
    assert counts(plan)["base"] == 2
    assert (
        plan.cells == planned(write_grid({**small_grid, "perturbations": perturbations[:1]})).cells
    )


def test_a_file_is_replayed_once(small_grid, write_grid, tmp_path):
    for name in ("one", "copy"):
        (tmp_path / f"{name}.json").write_text("{}")
    small_grid |= {"perturbations": [{"file": "one.json"}, {"file": "copy.json"}]}
    plan = planned(write_grid({**small_grid, "perturbation_seeds": [0, 1, 2]}))
    assert [row.method for row in plan.rows] == ["control", "none", "finest"]


@pytest.mark.parametrize(
    ("text", "values"),
    [("0,1", [0, 1]), ("[a, b:C]", ["a", "b:C"]), ("1e-3,None", [0.001, None]), ("", [])],
)
def test_lists_on_the_command_line(text, values):
    assert split_list(text) == values
