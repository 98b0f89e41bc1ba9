"""The average of models, by hand and for members of different kinds."""

import pytest
import torch
from recbole.data.interaction import Interaction
from torch import nn

from recbole_finest.data.prepare import prepare
from recbole_finest.model.average import AverageModel
from recbole_finest.model.build import build_model
from recbole_finest.scoring.scorer import Scorer
from tests.contract.cases import make_config
from tests.contract.toy_data import write_toy_data


class Fixed(nn.Module):
    """Gives one row of scores to everybody."""

    def __init__(self, scores):
        super().__init__()
        self.scores = torch.tensor(scores)

    def full_sort_predict(self, interaction):
        return self.scores.expand(len(interaction), -1)


class ToyDataset:
    item_num = 4
    iid_field = "item_id"


def test_mean_of_log_softmax_without_padding():
    # items 1..3 have probabilities (1/2, 1/4, 1/4) and (1/4, 1/4, 1/2), whatever padding scores
    one = Fixed([99.0, *torch.tensor([2.0, 1.0, 1.0]).log().tolist()])
    other = Fixed([-5.0, *torch.tensor([3.0, 3.0, 6.0]).log().tolist()])
    batch = Interaction({"item_id": torch.tensor([2, 3])})
    model = AverageModel([one, other], ToyDataset())
    row = torch.tensor([0.5 * 0.25, 0.25 * 0.25, 0.25 * 0.5]).log() / 2
    torch.testing.assert_close(
        Scorer(model, ToyDataset()).all_items(batch)[:, 1:], row.expand(2, 3)
    )
    torch.testing.assert_close(model.predict(batch), row[1:])


@pytest.mark.parametrize("name", ["SASRec", "BERT4Rec", "NPE", "DIN", "RepeatNet"])
def test_members_of_any_kind(name, tmp_path):
    config = make_config(name, write_toy_data(tmp_path), tmp_path)
    data = prepare(config)
    members = []
    for seed in (1, 2):
        members.append(build_model(config.but(seed=seed), data.train))
    model = AverageModel(members, data.train).eval()
    batch = next(iter(data.test_loader()))[0]
    with torch.no_grad():
        found = Scorer(model, data.train).all_items(batch)[:, 1:]
        each = [Scorer(m, data.train).all_items(batch)[:, 1:].log_softmax(1) for m in members]
    assert not torch.allclose(each[0], each[1])
    torch.testing.assert_close(found, (each[0] + each[1]) / 2)
