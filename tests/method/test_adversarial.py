"""The adversarial loss by hand, and that its second forward pass differs in the embeddings alone."""

import pytest
import torch
from torch import nn

from recbole_finest.data.prepare import prepare
from recbole_finest.errors import UserError
from recbole_finest.experiment.stages import check_methods
from recbole_finest.method import Step, make_method
from recbole_finest.method.adversarial import item_tables, worst_move
from recbole_finest.model.build import build_model
from recbole_finest.train.finest import FinestTrainer
from recbole_finest.train.mode import choose_training_mode
from tests.contract.cases import make_config
from tests.contract.toy_data import write_toy_data

WEIGHT, EPSILON = 2.0, 0.1
SLOPE = torch.tensor([[6.0, 8.0], [3.0, 4.0], [0.0, 0.0], [1.0, 0.0]])  # padding, two items, mask


class Toy(nn.Module):
    """Two items beside padding and a mask token."""

    n_items = 3

    def __init__(self):
        super().__init__()
        self.item_embedding = nn.Embedding(4, 2)
        self.user_embedding = nn.Embedding(3, 2)
        with torch.no_grad():
            self.item_embedding.weight.copy_(torch.tensor([[1.0, 0], [0, 2], [3, 4], [1, 1]]))

    def linear(self):
        return (SLOPE * self.item_embedding.weight).sum()

    def quadratic(self):
        return self.item_embedding.weight.square().sum() / 2


def adversarial(loss, model):
    config = {"adversarial_weight": WEIGHT, "adversarial_epsilon": EPSILON}
    step = Step(loss(), None, None, users=1, model=model, recompute=loss)
    return make_method("adversarial", config).loss(step)


def test_linear_loss():
    # the second loss is higher by epsilon times the length of the one moved row's slope: 0.1 · 5
    model = Toy()
    first = model.linear().item()
    found = adversarial(model.linear, model)
    assert found.item() == pytest.approx(first + WEIGHT * (first + EPSILON * 5))
    found.backward()
    torch.testing.assert_close(model.item_embedding.weight.grad, (1 + WEIGHT) * SLOPE)


def test_quadratic_loss():
    # rows of length 2 and 5 become 2.1 and 5.1; the gradient takes the move as a constant
    model = Toy()
    before = model.item_embedding.weight.detach().clone()
    found = adversarial(model.quadratic, model)
    still = (1 + 2) / 2  # padding and mask token stay
    second = still + (2.1**2 + 5.1**2) / 2
    assert found.item() == pytest.approx(still + (4 + 25) / 2 + WEIGHT * second)
    found.backward()
    growth = torch.tensor([1, 2.1 / 2, 5.1 / 5, 1])[:, None]
    torch.testing.assert_close(model.item_embedding.weight.grad, before + WEIGHT * growth * before)
    assert torch.equal(model.item_embedding.weight, before)


def test_every_item_moves_as_far_and_the_others_do_not():
    move = worst_move(torch.randn(6, 4, generator=torch.Generator().manual_seed(0)), 0.5, 5)
    torch.testing.assert_close(move.norm(dim=1), torch.tensor([0, 0.5, 0.5, 0.5, 0.5, 0]))


class Watching:
    """Adversarial training that also looks at every step's second loss."""

    def __init__(self, config):
        self.method = make_method("adversarial", config)
        self.still = make_method("adversarial", {**config.plain(), "adversarial_epsilon": 0})
        self.seen = []

    def __getattr__(self, name):
        return getattr(self.method, name)

    def loss(self, step):
        stream = torch.get_rng_state()
        same, worse = self.still.loss(step), self.method.loss(step)
        assert torch.equal(torch.get_rng_state(), stream)
        assert same.item() == 2 * step.next_item_loss.item()  # dropout 0.5, the same masks
        self.seen.append((worse - same).item())
        return worse


@pytest.mark.parametrize("mode", ["packed", "instance"])
def test_the_second_pass_has_the_dropout_masks_of_the_first(mode, tmp_path):
    config = make_config("SASRec", write_toy_data(tmp_path), tmp_path, training_mode=mode)
    assert config["hidden_dropout_prob"] == 0.5
    data = prepare(config)
    choose_training_mode(data)
    method = Watching(config)
    trainer = FinestTrainer(config, build_model(config, data.train), None, method)
    trainer.fit(data.train_loader("fine-tuning"))
    assert method.seen and min(method.seen) > 0


@pytest.mark.parametrize(
    ("model", "tables"),
    [
        ("BERT4Rec", ["item_embedding.weight"]),  # with a row for the mask
        ("FPMC", ["IU_emb.weight", "LI_emb.weight", "IL_emb.weight"]),
        ("TransRec", ["item_embedding.weight"]),  # not its bias
    ],
)
def test_item_tables(model, tables, tmp_path):
    config = make_config(model, write_toy_data(tmp_path), tmp_path)
    assert list(item_tables(build_model(config, prepare(config).train))) == tables


def test_a_model_without_an_item_table_is_refused_before_training(tmp_path):
    config = make_config("DIEN", write_toy_data(tmp_path), tmp_path)  # items and years in one table
    with pytest.raises(UserError, match=r"'DIEN' trains no nn.Embedding with 31 rows"):
        check_methods(config, prepare(config), [make_method("adversarial", config)])
