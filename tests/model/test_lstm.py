import pytest
import torch

from recbole_finest.errors import UserError
from recbole_finest.model import MODELS, model_class

from .toy import (
    check_causality,
    check_losses,
    check_padding,
    cycle_batch,
    make_batch,
    make_model,
    train,
)


def test_the_recurrence_step_by_step():
    model = make_model("LSTM").double()
    history = [3, 1, 4]
    weights = dict(model.lstm.named_parameters())
    h = c = torch.zeros(16, dtype=torch.float64)
    for item in history:
        gates = weights["weight_ih_l0"] @ model.item_embedding.weight[item]
        gates = gates + weights["bias_ih_l0"] + weights["weight_hh_l0"] @ h + weights["bias_hh_l0"]
        i, f, g, o = gates.chunk(4)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
    expected = model.output.weight @ h + model.output.bias

    scores = model.full_sort_predict(make_batch([history], 8))
    torch.testing.assert_close(scores[0], expected, rtol=0, atol=1e-12)


def test_layers_stack():
    model = make_model("LSTM", num_layers=2, hidden_size=8)
    assert model.full_sort_predict(make_batch([[1, 2]], 4)).shape == (1, 12)


def test_learns_a_deterministic_sequence():
    assert train(make_model("LSTM"), cycle_batch(), steps=60) > 0.95


def test_ignores_padding():
    check_padding(make_model("LSTM"))


def test_no_position_sees_the_future():
    check_causality(make_model("LSTM"))


def test_losses():
    check_losses("LSTM")


def test_other_losses_are_refused():
    with pytest.raises(UserError, match="loss_type is 'NLL'"):
        make_model("LSTM", loss_type="NLL")


@pytest.mark.parametrize("name", MODELS)
def test_the_table_names_each_class(name):
    assert model_class(name).__name__ == name
