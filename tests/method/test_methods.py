"""What each method makes of one step, by hand."""

import pytest
import torch

from recbole_finest.errors import UserError
from recbole_finest.method import METHODS, Method, Step, make_method
from recbole_finest.method.distillation import negative_log_likelihood

CONFIG = {
    "rank_margin": 0.5,
    "rank_weight": 10.0,
    "rank_reduction": "mean",
    "simulation_ratio": 0.01,
    "simulation_item": "least_popular",
    "simulation_kinds": ["deletion", "insertion"],
    "distillation_weight": 2.0,
    "distillation_temperature": 1.0,
    "listmle_weight": 3.0,
    "ensemble_size": 3,
    "adversarial_weight": 2.0,
    "adversarial_epsilon": 0.1,
}
SCORES = torch.tensor([[2.0, 1.8, 1.0, 1.7]])  # order 0.3, separation 0.2 at margin 0.5


def loss(name, scores=SCORES, reference=SCORES, **changed):
    step = Step(torch.tensor(1.0), lambda: scores, lambda: reference, users=4)
    return make_method(name, {**CONFIG, **changed}).loss(step).item()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("plain", 1.0),
        ("finest", 6.0),
        ("finest_no_simulation", 6.0),
        ("finest_no_regularizer", 1.0),
        ("finest_order_only", 4.0),
        ("finest_separation_only", 3.0),
        ("distillation", 1.0),
    ],
)
def test_loss_of_one_step(name, value):
    assert loss(name) == pytest.approx(value)


def test_sum_over_users_multiplies_by_them():
    assert loss("finest", rank_reduction="sum_over_users") == pytest.approx(1 + 4 * 5)


def test_distillation_is_the_divergence_from_base():
    # p = (1/2, 1/2) against q = (3/4, 1/4): sum p log(p / q)
    found = torch.tensor([[3.0, 1.0]]).log()
    wanted = 0.5 * torch.log(torch.tensor(4 / 6)) + 0.5 * torch.log(torch.tensor(2.0))
    value = loss("distillation", found, torch.zeros(1, 2))
    assert value == pytest.approx(1 + 2 * wanted.item())


def test_listmle_of_equal_scores():
    # four equal scores: log 4 for the first rank, log 3 for the second
    value = negative_log_likelihood(torch.zeros(1, 4)).item()
    assert value == pytest.approx((torch.tensor(4.0).log() + torch.tensor(3.0).log()).item() / 2)
    assert loss("listmle", torch.zeros(1, 4)) == pytest.approx(1 + 3 * value)


def test_a_batch_without_lists_has_the_next_item_loss_alone():
    for name in set(METHODS) - {"adversarial"}:  # which computes the next-item loss again
        assert loss(name, torch.zeros(0, 4), torch.zeros(0, 4)) == 1.0


def test_which_methods_simulate():
    simulating = {name for name in METHODS if make_method(name, CONFIG).simulation() is not None}
    parts = (
        "finest_own",
        "finest_ensemble",
        "finest_no_regularizer",
        "finest_order_only",
        "finest_separation_only",
    )
    wanted = {"finest", *parts}
    assert simulating == wanted


def test_which_methods_follow_finest_dropout():
    with_dropout = {n for n in METHODS if not make_method(n, CONFIG).follows_dropout}
    untuned = {"none", "recipe", "keep", "ensemble"}
    assert with_dropout == untuned | {"plain", "warm_start", "adversarial"}


def test_simulation_draws_one_kind_for_an_epoch_and_ratio_zero_turns_it_off():
    transform = make_method("finest", CONFIG).simulation()
    assert [t.kind for t in transform.transforms] == ["deletion", "insertion"]
    assert all(t.item_choice == "least_popular" for t in transform.transforms)
    assert make_method("finest", {**CONFIG, "simulation_ratio": 0}).simulation() is None


def test_which_methods_train_on_which_side():
    sides = {name: make_method(name, CONFIG).fine_tunes for name in METHODS}
    untrained = {name: side for name, side in sides.items() if side != (True, True)}
    neither = (False, False)
    assert untrained == dict.fromkeys(["none", "recipe", "keep", "ensemble"], neither)


def test_which_methods_begin_with_the_clean_base_on_both_sides():
    found = {n for n in METHODS if make_method(n, CONFIG).starts_from == "base"}
    assert found == {"keep", "warm_start"}


def test_seeds_of_the_ensemble():
    assert make_method("ensemble", CONFIG).seeds(7) == [7, 8, 9]
    assert make_method("finest", CONFIG).seeds(7) == [7]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nothing", r"package\.module:Class"),
        ("warmstart", "did you mean 'warm_start'"),
        ("no_such_module:Mine", "cannot be imported"),
        ("recbole_finest.method:NoSuchClass", "cannot be imported"),
        ("recbole_finest.method:Step", "subclass of recbole_finest.method.Method"),
        (f"{__name__}:AveragesAndTrains", "cannot be fine-tuned"),
    ],
)
def test_what_is_no_method(name, said):
    with pytest.raises(UserError, match=said):
        make_method(name, CONFIG)


class AveragesAndTrains(Method):
    def seeds(self, seed):
        return [seed, seed + 1]
