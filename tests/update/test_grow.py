"""Growing: rows go by token, newcomers are drawn from theirs, and old lists do not move at all."""

import numpy as np
import pytest
import torch
from torch import nn

from recbole_finest.config.config import Config
from recbole_finest.data.prepare import prepare
from recbole_finest.errors import UserError
from recbole_finest.model.build import build_model
from recbole_finest.scoring.scorer import Scorer
from recbole_finest.seeding import token_keys
from recbole_finest.update.deployed import load_deployed
from recbole_finest.update.grow import grow
from recbole_finest.update.tables import tables_of

from .two_days import NEW_USERS, SMALL, untrained

PAD = "[PAD]"


class Small(nn.Module):
    """Tables of items (one with a mask row) and users, a bias of items, a layer, a running mean."""

    def __init__(self, users, items, size=3):
        super().__init__()
        self.item_embedding = nn.Embedding(items, size)
        self.masked = nn.Embedding(items + 1, size)
        self.user_embedding = nn.Embedding(users, size)
        self.bias = nn.Parameter(torch.rand(items))
        self.layer = nn.Linear(size, size)
        self.register_buffer("running", torch.rand(()))


TABLES = {
    "item_embedding.weight": "items",
    "masked.weight": "items",
    "user_embedding.weight": "users",
    "bias": "items",
}


def keys(users, items):
    return {"users": token_keys([PAD, *users]), "items": token_keys([PAD, *items])}


def test_rows_go_by_token():
    before = keys(["ann", "bob"], ["x", "y", "z"])
    now = keys(["cat", "bob"], ["w", "z", "x", "v"])  # ann and y are gone
    old, new = Small(3, 4), Small(3, 5)
    drawn = {name: weight.clone() for name, weight in new.state_dict().items()}
    was = old.state_dict()
    found = grow(new, was, TABLES, before, now, "old.pth").state_dict()
    pairs = {0: 0, 2: 3, 3: 1}  # today's ids of the padding, z and x, and yesterday's
    for name in ("item_embedding.weight", "masked.weight", "bias"):
        for id_now, id_then in pairs.items():
            assert torch.equal(found[name][id_now], was[name][id_then])
        for newcomer in (1, 4):
            assert torch.equal(found[name][newcomer], drawn[name][newcomer])
    assert torch.equal(found["masked.weight"][5], was["masked.weight"][4])  # the mask
    assert torch.equal(found["user_embedding.weight"][2], was["user_embedding.weight"][2])
    assert torch.equal(found["user_embedding.weight"][1], drawn["user_embedding.weight"][1])
    for name in ("layer.weight", "layer.bias", "running"):
        assert torch.equal(found[name], was[name])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"size": 5}, r"'item_embedding.weight' has the shape \(4, 5\) instead of \(4, 3\)"),
        ({"items": 7}, r"'bias' has the shape \(7,\) instead of \(4,\)"),
    ],
)
def test_another_architecture_is_refused(change, said):
    kinds = keys(["ann", "bob"], ["x", "y", "z"])
    new = Small(**{"users": 3, "items": 4, **change})
    with pytest.raises(UserError, match=f"another architecture.*{said}"):
        grow(new, Small(3, 4).state_dict(), TABLES, kinds, kinds, "old.pth")
    state = {**Small(3, 4).state_dict(), "more": torch.zeros(1)}
    with pytest.raises(UserError, match="only the deployed one has the weights 'more'"):
        grow(Small(3, 4), state, TABLES, kinds, kinds, "old.pth")


def test_tables_are_known_by_growing_not_by_their_size(days, tmp_path):
    """The layers of this GRU have 3 · 14 rows, as many as there are items and padding … plus one."""
    given = {**SMALL, "data_path": str(days), "hidden_size": 14, "embedding_size": 41}
    data = prepare(Config("GRU4Rec", "today", config_dict=given))
    assert data.dataset.item_num == 3 * 14
    model = build_model(data.config, data.train)
    assert model.gru_layers.weight_ih_l0.shape[0] == data.dataset.item_num
    assert tables_of(data.config, data.train, model) == {"item_embedding.weight": "items"}
    tisas = Config("TiSASRec", "today", config_dict={**SMALL, "data_path": str(days)})
    data = prepare(tisas)
    found = tables_of(tisas, data.train, build_model(tisas, data.train))
    assert found["interval_unit"] == "users" and found["item_embedding.weight"] == "items"


def scores_by_token(model, part):
    """Scores of the last instance of each user, by user and item token."""
    view, fields = part.inter_feat, part.fields
    log = view.log
    users, items = part.field2id_token[fields.user], part.field2id_token[fields.item]
    with torch.no_grad():
        scores = Scorer(model.eval(), part).all_items(part[np.arange(len(part))]).numpy()
    rows = {str(users[u]): row for u, row in zip(log.user[view.positions], scores)}
    return {u: dict(zip(map(str, items[1:]), row[1:])) for u, row in rows.items()}


def named(prefix, model, tokens):
    """Rows of the model's user or item tables, by token."""
    return {
        name: dict(zip(map(str, tokens), weight.detach()))
        for name, weight in model.named_parameters()
        if len(weight) == len(tokens) and prefix in name
    }


@pytest.mark.parametrize(
    "name", ["GRU4Rec", "SASRec", "BERT4Rec", "NARM", "Caser", "FPMC", "LRURec"]
)
def test_old_peoples_scores_of_old_items_are_the_same_bits(days, tmp_path, name):
    deployed = load_deployed(untrained(name, tmp_path, days))
    given = {**SMALL, "data_path": str(days), "output_dir": str(tmp_path)}
    then, now = (prepare(Config(name, d, config_dict=given)) for d in ("toy", "today"))
    old = build_model(then.config, then.train)
    assert all(torch.equal(w, deployed.state[n]) for n, w in old.state_dict().items())
    fresh = build_model(now.config, now.train)
    tables = tables_of(now.config, now.train, fresh)
    entities = dict(zip(("users", "items"), now.log.entity_keys()))
    torch.manual_seed(7)  # weights as training might have left them
    state = {n: w + torch.randn(w.shape) / 9 for n, w in deployed.state.items()}
    old.load_state_dict(state)
    grown = build_model(now.config, now.train)
    grow(grown, state, tables, deployed.keys, entities, deployed.file)
    one, other = scores_by_token(old, then.test), scores_by_token(grown, now.test)
    same = set(one) - {"u3", "u7", "u8"}  # whose histories are the same, too
    assert len(same) == 27 and set(other) == set(one) | set(NEW_USERS)
    for user in same:
        assert set(other[user]) == set(one[user]) | {"new"}
        for item, score in one[user].items():
            assert other[user][item] == score, (user, item)
    items = now.dataset.field2id_token["item_id"]
    drawn = named("item", fresh, items) | named(
        "user", fresh, now.dataset.field2id_token["user_id"]
    )
    for table, rows in named("item", grown, items).items():
        assert torch.equal(rows["new"], drawn[table]["new"])
    for table, rows in named("user", grown, now.dataset.field2id_token["user_id"]).items():
        assert all(torch.equal(rows[u], drawn[table][u]) for u in NEW_USERS)
