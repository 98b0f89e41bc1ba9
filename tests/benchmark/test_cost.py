"""What renewing a model costs, from seconds of cells chosen so that it can be worked by hand."""

import pytest

from recbole_finest.benchmark.cells.cell import Cell
from recbole_finest.benchmark.cells.rows import Row, Where
from recbole_finest.benchmark.cost import Costs

DELETION = {"perturbation_kind": "deletion"}


class Work:
    """Made-up cells and rows of one model."""

    def __init__(self):
        self.cells, self.results = {}, {}

    def cell(self, kind, seconds, seed=0, perturbation=None, epochs=None, n_models=0, **more):
        inputs = {"model": [f"{kind} {i}" for i in range(n_models)]}
        name = f"{kind} {len(self.cells)}"
        self.cells[name] = Cell(kind, name, {"seed": seed, "lr": 0.1}, inputs, perturbation, **more)
        self.results[name] = {"seconds": seconds} | ({} if epochs is None else {"epochs": epochs})
        return name

    def cost(self, models, perturbed, method="finest"):
        models = {name: [h] if isinstance(h, str) else h for name, h in models.items()}
        perturbed = {name: [h] if isinstance(h, str) else h for name, h in perturbed.items()}
        row = Row(Where("M", "d", 0, "stable"), method, "measure", models, perturbed)
        return Costs(self.cells, self.results.__getitem__).of(row)


@pytest.fixture
def work():
    """Four bases and a control of 10 s undisturbed, and evaluations of 0.2 s."""
    made = Work()
    made.base = made.cell("base", 14.0, epochs=5)
    made.base2 = made.cell("base", 10.0, seed=1, epochs=5)
    made.again = made.cell("base", 12.0, perturbation=DELETION, epochs=5)
    made.again2 = made.cell("base", 30.0, 1, DELETION, epochs=5)
    made.control = made.cell("control", 11.0, epochs=5)
    made.lists = made.cell("evaluation", 0.5, n_models=1)
    made.lists_again = made.cell("evaluation", 0.2, perturbation=DELETION, n_models=1)
    made.reference = made.cell("reference", 1.0)
    made.tuned = made.cell("method", 7.0, method="finest", epochs=3)
    made.tuned_again = made.cell("method", 4.0, perturbation=DELETION, method="finest", epochs=3)
    return made


def test_of_equal_cells_the_fastest_counts(work):
    clean = {"base": work.base, "base_evaluation": work.lists}
    found = work.cost(clean, {"base": work.again, "evaluation": work.lists_again})
    assert found == {
        "cost_seconds": 10.0,
        "cost_ratio": 1.0,
        "inference_seconds": 0.2,
        "inference_ratio": 1.0,
    }
    control = work.cost(clean, {"base": work.control, "evaluation": work.lists})
    assert control["cost_ratio"] == 1.0


def test_fine_tuning_is_base_and_references_and_itself(work):
    found = work.cost(
        {"base": work.base, "base_evaluation": work.lists},
        {
            "base": work.again,
            "reference": work.reference,
            "method": work.tuned_again,
            "evaluation": work.lists_again,
        },
    )
    assert found["cost_seconds"] == pytest.approx(10 + 1 + 4)
    assert found["cost_ratio"] == pytest.approx(1.5)
    assert found["inference_ratio"] == 1.0  # the same network as base's


def test_a_warm_start_renews_with_its_own_training_alone(work):
    warm = work.cell("method", 5.0, perturbation=DELETION, method="warm_start", epochs=3)
    found = work.cost(
        {"base": work.base, "base_evaluation": work.lists},
        {"base": work.base, "method": warm, "evaluation": work.lists_again},
    )
    assert (found["cost_seconds"], found["cost_ratio"]) == (5.0, 0.5)


def test_an_ensemble_costs_as_many_bases_as_it_has(work):
    members = [work.base, work.base2, work.cell("base", 45.0, seed=2, epochs=5)]
    again = [work.again, work.again2, work.cell("base", 50.0, 2, DELETION, epochs=5)]
    for seconds in (1.4, 0.7):
        lists = work.cell("evaluation", seconds, n_models=3)
    found = work.cost(
        {"base": members, "base_evaluation": work.lists}, {"base": again, "evaluation": lists}
    )
    assert (found["cost_seconds"], found["cost_ratio"]) == (30.0, 3.0)
    assert found["inference_seconds"] == 0.7
    assert found["inference_ratio"] == pytest.approx(3.5)


def test_an_ensembles_lists_cost_its_bases_and_one_models_inference(work):
    members = [work.base, work.base2, work.cell("base", 45.0, seed=2, epochs=5)]
    again = [work.again, work.again2, work.cell("base", 50.0, 2, DELETION, epochs=5)]
    lists = work.cell("reference", 3.5)
    work.cells[lists].inputs["base"] = again
    found = work.cost(
        {"base": work.base, "listed": members, "base_evaluation": work.lists},
        {
            "base": work.again,
            "listed": again,
            "reference": lists,
            "method": work.tuned_again,
            "evaluation": work.lists_again,
        },
    )
    assert found["cost_seconds"] == pytest.approx(3 * 10 + 3.5 + 4)
    assert found["cost_ratio"] == pytest.approx(3.75)
    assert found["inference_ratio"] == 1.0


def test_a_recipe_costs_its_own_training_beside_the_runs_base(work):
    by_recipe = [work.cell("base", 0.0, perturbation=p, epochs=10) for p in (None, DELETION)]
    for name, seconds in zip(by_recipe, (25.0, 20.0)):
        work.cells[name].settings["learning_rate_schedule"] = "linear"
        work.results[name] = {"seconds": seconds, "epochs": 10}
    found = work.cost(
        {"base": by_recipe[0], "plain": work.base, "base_evaluation": work.lists},
        {"base": by_recipe[1], "plain": work.again, "evaluation": work.lists_again},
    )
    assert (found["cost_seconds"], found["cost_ratio"]) == (20.0, 2.0)


def test_early_stopping_counts_with_its_mean_number_of_epochs(work):
    for seconds, epochs in ((8.0, 4), (30.0, 10)):  # 2 s an epoch at least, 7 epochs on average
        tuned = work.cell("method", seconds, perturbation=DELETION, method="plain", epochs=epochs)
    found = work.cost(
        {"base": work.base, "base_evaluation": work.lists},
        {"base": work.again, "method": tuned, "evaluation": work.lists_again},
    )
    assert found["cost_seconds"] == pytest.approx(10 + 14)


def test_other_settings_are_other_work(work):
    other = Cell("base", "larger", {"seed": 0, "lr": 0.2}, {}, DELETION)
    work.cells["larger"], work.results["larger"] = other, {"seconds": 25.0, "epochs": 5}
    found = work.cost(
        {"base": work.base, "base_evaluation": work.lists},
        {"base": "larger", "evaluation": work.lists_again},
    )
    assert found["cost_ratio"] == 2.5
