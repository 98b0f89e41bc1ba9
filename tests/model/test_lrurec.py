import pytest
import torch

from recbole_finest.model.lrurec import LinearRecurrence, LinearRecurrentUnit, scan_

from .toy import (
    check_causality,
    check_losses,
    check_padding,
    cycle_batch,
    make_batch,
    make_model,
    train,
)


def states_one_by_one(inputs, decay):
    """``h_t = decay h_{t-1} + u_t`` as a loop, in complex128."""
    h, states = torch.zeros_like(inputs[:, 0]), []
    for t in range(inputs.shape[1]):
        h = decay * h + inputs[:, t]
        states.append(h)
    return torch.stack(states, 1)


def random_recurrence(length, dtype, channels=5):
    generator = torch.Generator().manual_seed(length)
    inputs = torch.randn(3, length, channels, dtype=dtype, generator=generator)
    modulus = torch.linspace(0.5, 0.999, channels, dtype=inputs.real.dtype)
    return inputs, torch.polar(modulus, 6 * modulus)


def test_the_scan_by_hand():
    # decay i: h = 1, then i + 2, then i (2 + i) + 3 = 2 + 2i
    inputs = torch.tensor([1, 2, 3], dtype=torch.complex64).view(1, 3, 1)
    states = scan_(inputs, torch.tensor([1j], dtype=torch.complex64))
    assert states.flatten().tolist() == [1, 2 + 1j, 2 + 2j]


@pytest.mark.parametrize("length", [1, 2, 3, 7, 8, 50, 200])
def test_the_scan_equals_the_loop(length):
    inputs, decay = random_recurrence(length, torch.complex128)
    expected = states_one_by_one(inputs, decay)
    torch.testing.assert_close(scan_(inputs.clone(), decay), expected, rtol=0, atol=1e-12)
    backwards = scan_(inputs.flip(1).contiguous(), decay, reverse=True).flip(1)
    torch.testing.assert_close(backwards, expected, rtol=0, atol=1e-12)


def test_the_gradient_equals_finite_differences():
    inputs, decay = random_recurrence(6, torch.complex128, channels=2)
    pairs = torch.view_as_real(inputs).flatten(-2).requires_grad_()
    assert torch.autograd.gradcheck(LinearRecurrence.apply, (pairs, decay.requires_grad_()))


def test_the_unit_equals_its_equations_to_1e_5():
    torch.manual_seed(0)
    unit = LinearRecurrentUnit(hidden_size=16, state_size=32, r_min=0.8, r_max=0.99)
    inputs = torch.randn(4, 50, 16)
    outputs = unit(inputs, torch.ones(4, 50, 1))

    nu, theta, gamma = unit.nu.double(), unit.theta.double(), unit.log_gamma.double().exp()
    decay = torch.exp(torch.complex(-torch.exp(nu), torch.exp(theta)))
    b = torch.complex(unit.input.weight.double()[0::2], unit.input.weight.double()[1::2])
    c = torch.complex(unit.output.weight.double()[:, 0::2], -unit.output.weight.double()[:, 1::2])
    driven = gamma * (inputs.to(torch.complex128) @ b.T)
    expected = (states_one_by_one(driven, decay) @ c.T).real
    torch.testing.assert_close(outputs.double(), expected, rtol=0, atol=1e-5)


def test_eigenvalues_start_in_the_ring():
    unit = LinearRecurrentUnit(hidden_size=4, state_size=2000, r_min=0.8, r_max=0.99)
    modulus = unit.decay().abs()
    assert 0.8 <= modulus.min() < 0.81 and 0.98 < modulus.max() <= 0.99
    torch.testing.assert_close(unit.log_gamma.exp() ** 2 + modulus**2, torch.ones(2000))


def test_padding_never_reaches_a_state():
    model = make_model("LRURec").double()
    expected = model.full_sort_predict(make_batch([[3, 1, 4]], 3))
    padded_before = make_batch([[0, 0, 3, 1, 4]], 8)
    scores = model.full_sort_predict(padded_before)
    torch.testing.assert_close(scores, expected, rtol=0, atol=1e-12)


def test_learns_a_deterministic_sequence():
    model = make_model("LRURec", initializer_range=0.02)
    assert train(model, cycle_batch(), steps=60) > 0.95


def test_remembers_the_first_item():
    generator = torch.Generator().manual_seed(0)
    histories = torch.randint(1, 12, (200, 6), generator=generator).tolist()
    batch = make_batch(histories, 8, targets=[history[0] for history in histories])
    assert train(make_model("LRURec", initializer_range=0.02), batch, steps=100) > 0.95


def test_ignores_padding():
    check_padding(make_model("LRURec"))


def test_no_position_sees_the_future():
    check_causality(make_model("LRURec"))


def test_losses():
    check_losses("LRURec")
