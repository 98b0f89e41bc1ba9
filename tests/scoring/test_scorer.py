"""One forward pass for both losses, and one pass for all positions: equal to the long way."""

import pytest
import torch
from recbole.data.interaction import Interaction

from recbole_finest.config.config import Config
from recbole_finest.data.instances import ROW_FIELD
from recbole_finest.data.prepare import prepare
from recbole_finest.method.loss import RankPreservingLoss
from recbole_finest.model.build import build_model
from recbole_finest.scoring.logits import loss_logits
from recbole_finest.scoring.modes import packed
from recbole_finest.scoring.probes import shares_forward
from recbole_finest.scoring.scorer import Scorer
from recbole_finest.train.mode import choose_training_mode

PACKED = ["SASRec", "GRU4Rec", "LSTM", "LRURec", "TiSASRec"]


def config_of(model, toy, **changed):
    settings = {k: v for k, v in {**toy, **changed}.items() if k != "output_dir"}
    return Config(model, "toy", None, settings)


@pytest.mark.parametrize(
    ("model", "stride"), [*((model, 1) for model in PACKED), ("SASRec", 2), ("GRU4Rec", 3)]
)
def test_packed_training_equals_single_instances(toy, model, stride):
    # histories of at most 15 fit into one window of 20
    changed = {"MAX_ITEM_LIST_LENGTH": 20, "train_batch_size": 4096, "target_stride": stride}
    config = config_of(model, toy, **changed)
    data = prepare(config)
    assert choose_training_mode(data) is None
    (window_batch,) = data.train_loader("base")
    data.packed = False
    (single_batch,) = data.train_loader("base")
    net = build_model(config, data.train).eval()
    found = []
    for batch in (window_batch, single_batch):
        net.zero_grad()
        with loss_logits(net) as caught, packed(net, batch):
            loss = net.calculate_loss(batch)
        order = batch[ROW_FIELD].argsort()
        (loss + RankPreservingLoss(0.1)(caught[0][:, 1:11]).mean()).backward()
        gradients = [p.grad.clone() for p in net.parameters() if p.grad is not None]
        found.append((batch[ROW_FIELD][order], caught[0][order], loss, gradients))
    (rows, scores, loss, gradients), (rows2, scores2, loss2, gradients2) = found
    assert torch.equal(rows, rows2)
    assert torch.allclose(scores, scores2, atol=1e-5)
    assert torch.allclose(loss, loss2, atol=1e-5)
    for one, other in zip(gradients, gradients2):
        assert torch.allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("model", ["BERT4Rec", "NARM", "STAMP", "Caser"])
def test_models_that_are_not_causal_go_one_by_one(toy, model):
    data = prepare(config_of(model, toy))
    assert choose_training_mode(data) is not None
    assert not data.packed


@pytest.mark.parametrize(
    ("model", "shares"), [("NARM", True), ("STAMP", True), ("BERT4Rec", False), ("SHAN", False)]
)
def test_one_forward_pass_is_used_where_it_gives_the_same_scores(toy, model, shares):
    config = config_of(model, toy)
    data = prepare(config)
    net = build_model(config, data.train)
    batch = next(iter(data.train_loader("base")))
    assert shares_forward(Scorer(net, data.train), batch) is shares


def test_scores_of_some_items_are_those_of_all(toy):
    config = config_of("SASRec", toy)
    data = prepare(config)
    net = build_model(config, data.train).eval()
    scorer = Scorer(net, data.train)
    batch = data.train[[0, 1, 2]]
    items = torch.tensor([[1, 2], [3, 4], [5, 6]])
    assert torch.equal(scorer.of_items(batch, items), scorer.all_items(batch).gather(1, items))


def test_models_without_full_sorting_are_scored_in_pairs(toy):
    config = config_of("DIN", toy)
    data = prepare(config)
    net = build_model(config, data.train).eval()
    batch = data.train[[0, 1, 2]]
    whole = Scorer(net, data.train).all_items(batch)
    chunked = Scorer(net, data.train, block=50).all_items(batch)
    assert whole.shape == (3, data.log.n_items)
    assert torch.allclose(whole, chunked, atol=1e-6)
    pair = Interaction({n: batch[n][1:2] for n in batch.columns})
    pair.update(Interaction({data.train.iid_field: torch.tensor([7])}))
    assert torch.logit(net.predict(pair)).item() == pytest.approx(whole[1, 7].item(), abs=1e-5)
