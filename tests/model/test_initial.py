"""Initial weights belong to names and tokens: another item, user or order of ids moves no other's."""

import numpy as np
import pytest
import torch
from torch import nn

from recbole_finest.config.config import Config
from recbole_finest.data.prepare import prepare
from recbole_finest.model.build import build_model
from recbole_finest.model.initial import Recorder, Tables, keyed_weights
from recbole_finest.seeding import token_keys

from ..conftest import write_toy


def test_what_is_recorded():
    with Recorder(0) as recorder:
        normal, uniform, changed, loaded = (torch.empty(50, 4) for _ in range(4))
        nn.init.xavier_normal_(normal)
        nn.init.uniform_(uniform, -0.5, 0.25)
        nn.init.trunc_normal_(changed)
        nn.init.normal_(loaded)
        loaded.copy_(torch.ones(50, 4))
        normal[0].fill_(0)
    fills = recorder.fills
    assert fills[normal.data_ptr()].normal
    assert fills[normal.data_ptr()].second == pytest.approx((2 / 54) ** 0.5)
    assert not fills[uniform.data_ptr()].normal
    assert (fills[uniform.data_ptr()].first, fills[uniform.data_ptr()].second) == (-0.5, 0.25)
    assert changed.data_ptr() not in fills and loaded.data_ptr() not in fills


class Small(nn.Module):
    def __init__(self, items):
        super().__init__()
        self.items = nn.Embedding(items, 16, padding_idx=0)
        self.layer = nn.Linear(16, 16)
        self.bias = nn.Parameter(torch.zeros(items))
        nn.init.normal_(self.items.weight, std=0.02)
        nn.init.zeros_(self.items.weight[0])
        nn.init.orthogonal_(self.layer.weight)


def made(tokens, seed=0):
    torch.manual_seed(99)
    with Recorder(seed) as recorder:
        model = Small(len(tokens))
    tables = Tables(token_keys(["[PAD]", "ann"]), token_keys(tokens))
    return model, keyed_weights(model, recorder.fills, tables, seed)


def test_rows_are_their_tokens_and_keep_the_distribution():
    tokens = ["[PAD]", *map(str, range(2000))]
    model, drawn = made(tokens)
    assert drawn == ["items.weight", "layer.bias"]
    weight = model.items.weight.detach()
    assert weight.std() == pytest.approx(0.02, rel=0.02) and abs(weight.mean()) < 0.0005
    assert not weight[0].any() and not model.bias.any()
    turned, _ = made([tokens[0], "new", *tokens[:0:-1]])
    assert torch.equal(turned.items.weight[2:].flip(0), weight[1:])
    assert torch.equal(turned.layer.weight, model.layer.weight)  # orthogonal: of its turn
    assert not torch.equal(made(tokens, seed=1)[0].items.weight, model.items.weight)


@pytest.mark.parametrize("name", ["SASRec", "GRU4Rec", "BERT4Rec", "Caser", "HGN", "LRURec"])
def test_a_new_item_and_a_new_user_move_no_other(tmp_path, name):
    """Two data sets, the second with the rows in another order and one more of each."""
    folder = write_toy(tmp_path / "a", users=40, items=30)
    file = folder / "toy" / "toy.inter"
    head, *rows = file.read_text().splitlines()
    found = []
    for label, lines in (("a", rows), ("b", [*rows[::-1], *NEW])):
        (tmp_path / label / "toy").mkdir(parents=True, exist_ok=True)
        (tmp_path / label / "toy" / "toy.inter").write_text("\n".join([head, *lines]) + "\n")
        settings = {"data_path": str(tmp_path / label), "MAX_ITEM_LIST_LENGTH": 8}
        config = Config(name, "toy", None, settings)
        data = prepare(config)
        fields = data.train.fields
        tokens = [data.dataset.field2id_token[f] for f in (fields.item, fields.user)]
        found.append((build_model(config, data.train), tokens))
    (one, (items, users)), (other, more) = found
    ids = [[list(b).index(token) for token in a] for a, b in zip((items, users), more)]
    checked = 0
    twins = dict(other.named_parameters())
    for key, weight in one.named_parameters():
        twin = twins[key].detach()
        if weight.shape != twin.shape:
            extra = len(weight) - len(items)  # BERT4Rec's mask
            whose = [*ids[0], *[len(more[0])] * extra] if extra in (0, 1) else ids[1]
            twin, weight = twin[whose], weight.detach()
            # xavier's spread follows the number of rows, alike for all of them
            if not weight.any():
                assert not twin.any()  # a bias that starts at 0
                continue
            ratio = twin[1:].norm() / weight[1:].norm()
            torch.testing.assert_close(twin, weight * ratio, rtol=1e-4, atol=1e-7)
            assert ratio == pytest.approx(1, abs=0.02)
            checked += 1
        else:
            torch.testing.assert_close(twin, weight.detach(), rtol=1e-4, atol=1e-6)
    assert checked >= 1


NEW = ["newcomer\ti1\t9.0e8", "newcomer\tnew item\t9.1e8", "newcomer\ti2\t9.2e8"]


def test_recboles_order_has_recboles_weights(tmp_path):
    settings = {"data_path": str(write_toy(tmp_path)), "shuffle_order": "recbole"}
    config = Config("SASRec", "toy", None, settings)
    data = prepare(config)
    from recbole.model.sequential_recommender.sasrec import SASRec

    from recbole_finest.seeding import seed_globals

    ours = build_model(config, data.train)
    seed_globals(config["seed"])
    stock = SASRec(config, data.train)
    for (name, weight), (_, twin) in zip(ours.named_parameters(), stock.named_parameters()):
        assert torch.equal(weight, twin), name
    assert np.isfinite(float(ours.item_embedding.weight.sum()))
