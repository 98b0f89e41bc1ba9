"""Steps in parts, on chosen instances, in lower precision and compiled: equal to the plain step."""

import logging

import numpy as np
import pytest
import torch

from recbole_finest.config.config import Config
from recbole_finest.data.instances import ROW_FIELD
from recbole_finest.data.parts import draw, units
from recbole_finest.data.prepare import prepare
from recbole_finest.errors import UserError
from recbole_finest.method import Step, make_method
from recbole_finest.method.loss import RankPreservingLoss
from recbole_finest.model.build import build_model
from recbole_finest.reference.lists import ReferenceLists
from recbole_finest.scoring.logits import logits_alone, loss_logits
from recbole_finest.scoring.modes import packed
from recbole_finest.seeding import derive_seed
from recbole_finest.train.base import base_trainer
from recbole_finest.train.finest import FinestTrainer
from recbole_finest.train.mode import choose_training_mode
from recbole_finest.train.partition import Part, Partition, weighted

NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attn_dropout_prob": 0.0}
K = 5


class Setting:
    """A model, its data and random reference lists, over the toy data."""

    def __init__(self, model, toy, **changed):
        settings = {k: v for k, v in {**toy, **changed}.items() if k != "output_dir"}
        self.config = Config(model, "toy", None, settings)
        self.data = prepare(self.config)
        choose_training_mode(self.data)
        self.model = build_model(self.config, self.data.train)
        rng = np.random.default_rng(0)
        n, items = self.data.log.n_clean, self.data.log.n_items
        lists = np.argsort(rng.random((n, items - 1)))[:, : 2 * K].astype(np.int16) + 1
        self.references = ReferenceLists(lists, np.where(np.arange(n) % 5 == 0, -1, np.arange(n)))

    def batch(self):
        return next(iter(self.data.train_loader("fine-tuning")))

    def trainer(self, method="finest", model=None):
        made = make_method(method, self.config)
        trainer = FinestTrainer(self.config, model or self.model, self.references, made)
        trainer._dataset = self.data.train
        return trainer

    def limit(self, rows, partition):
        """Make ``rows`` rows of scores the most that fit."""
        partition.most_rows = lambda: rows


def step_of(trainer, batch):
    """Loss, its parts, and the gradients of one step."""
    trainer.model.zero_grad()
    parts = []
    for loss in trainer._losses(batch, 0, 0, None):
        loss.backward()
        parts.append(loss.item())
    gradients = {
        n: p.grad.clone() for n, p in trainer.model.named_parameters() if p.grad is not None
    }
    return sum(parts), len(parts), gradients


def assert_same_step(one, other, atol=1e-6):
    assert one[0] == pytest.approx(other[0], rel=1e-5)
    assert one[2].keys() == other[2].keys()
    for name, gradient in one[2].items():
        torch.testing.assert_close(other[2][name], gradient, rtol=1e-4, atol=atol)


@pytest.mark.parametrize("mode", ["packed", "instance"])
@pytest.mark.parametrize("dropout", ["none", "next_item"])
def test_a_step_in_parts_is_the_whole_step(toy, mode, dropout):
    changed = {"training_mode": mode, "finest_dropout": dropout, **NO_DROPOUT}
    s = Setting("SASRec", toy, **changed)
    batch, trainer = s.batch(), s.trainer()
    whole = step_of(trainer, batch)
    s.limit(17, trainer.partition)
    cut = step_of(trainer, batch)
    assert whole[1] == 1 and cut[1] >= len(batch[ROW_FIELD]) / 17 > 2
    assert_same_step(whole, cut)


@pytest.mark.parametrize("method", ["finest_order_only", "listmle", "plain"])
def test_so_it_is_for_other_methods(toy, method):
    s = Setting("GRU4Rec", toy, dropout_prob=0.0, rank_reduction="sum_over_users")
    batch, trainer = s.batch(), s.trainer(method)
    whole = step_of(trainer, batch)
    s.limit(11, trainer.partition)
    assert_same_step(whole, step_of(trainer, batch))


def test_base_training_in_parts_with_several_optimiser_steps(toy):
    found = []
    for rows in (10**6, 13):
        s = Setting("SASRec", toy, **NO_DROPOUT)
        trainer = base_trainer(s.config, s.model)
        s.limit(rows, trainer.partition)
        losses = [trainer._train_epoch(s.data.train_loader("base"), epoch) for epoch in (0, 1)]
        found.append((losses, s.model.state_dict()))
    (losses, weights), (losses2, weights2) = found
    assert losses == pytest.approx(losses2, rel=1e-5)
    for name, weight in weights.items():
        torch.testing.assert_close(weights2[name], weight, rtol=1e-3, atol=2e-5)


def test_bert4rec_counts_masked_positions(toy):
    s = Setting("BERT4Rec", toy, **NO_DROPOUT, train_batch_size=40)
    batch, trainer = s.batch(), base_trainer(s.config, s.model)
    trainer.model.train()
    whole = step_of(trainer, batch)
    s.limit(9, trainer.partition)
    cut = step_of(trainer, batch)
    assert cut[1] > 2
    assert_same_step(whole, cut)


def test_a_loss_that_is_no_mean_stays_whole_with_a_warning(toy, caplog):
    s = Setting("FEARec", toy, n_layers=2, contrast="us_x")
    partition = Partition(s.config, s.model)
    s.limit(10, partition)
    with caplog.at_level(logging.WARNING):
        assert len(list(partition(s.batch(), None, True))) == 1
        assert len(list(partition(s.batch(), None, True))) == 1
    assert caplog.text.count("lower train_batch_size") == 1


def test_rows_that_fit(toy):
    s = Setting("SASRec", toy, score_memory=1)
    # 2^20 bytes, of four matrices of 41 numbers of 4 bytes a row
    assert Partition(s.config, s.model).most_rows() == 2**20 // (4 * 4 * s.data.log.n_items)


def test_each_loss_takes_its_own_share_by_hand():
    config = {"rank_margin": 0.5, "rank_weight": 10.0, "rank_reduction": "mean"}
    scores = torch.tensor([[2.0, 1.8, 1.0, 1.7]])  # order 0.3, separation 0.2
    step = Step(torch.tensor(3.0), lambda: scores, lambda: scores, users=1)
    found = weighted(make_method("finest", config), step, Part(None, 0.25, 0.5))
    assert found.item() == pytest.approx(0.25 * 3 + 0.5 * 10 * 0.5)


# Chosen instances -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["packed", "instance"])
@pytest.mark.parametrize("dropout", ["none", "next_item"])
def test_sampled_regulariser_is_the_whole_one_on_the_chosen_instances(toy, mode, dropout):
    changed = {"training_mode": mode, "finest_dropout": dropout, "rank_instances_per_batch": 20}
    s = Setting("SASRec", toy, **changed, **NO_DROPOUT)
    batch, trainer, net = s.batch(), s.trainer(), s.model
    seen = []
    handle = net.trm_encoder.register_forward_hook(lambda _, inputs, out: seen.append(len(out[0])))
    loss, _, gradients = step_of(trainer, batch)
    handle.remove()

    rows = batch[ROW_FIELD].numpy()
    lists = s.references.slots(rows)
    seed = derive_seed(s.config["seed"], "rank", 0, 0)
    chosen = np.flatnonzero(draw(lists, units(batch), rows, 20, seed) >= 0)
    assert 0 < len(chosen) <= 20
    if mode == "instance":
        assert len(chosen) == 20
    net.zero_grad()
    with loss_logits(net) as caught, packed(net, batch):
        wanted = net.calculate_loss(batch)
    items = torch.from_numpy(s.references.items[lists[chosen]]).long()
    rank = RankPreservingLoss(s.config["rank_margin"])(caught[0][chosen].gather(1, items)).mean()
    (wanted + s.config["rank_weight"] * rank).backward()
    assert loss == pytest.approx((wanted + s.config["rank_weight"] * rank).item(), rel=1e-5)
    for name, weight in net.named_parameters():
        torch.testing.assert_close(gradients[name], weight.grad, rtol=1e-4, atol=1e-6)
    if dropout == "next_item":  # the second pass encodes only what holds a chosen instance
        per_pass = [n for n in seen if n != min(seen)] + [min(seen)]
        hit = len(np.unique(units(batch)[chosen]))
        assert per_pass[-1] == hit < len(np.unique(units(batch)))


def test_logits_alone_are_those_of_the_loss(toy):
    s = Setting("SASRec", toy)
    batch, net = s.batch(), s.model.eval()
    losses = []
    handle = net.loss_fct.register_forward_hook(lambda *_: losses.append(1))
    found = logits_alone(net, batch)
    assert not losses
    with loss_logits(net) as caught, packed(net, batch):
        net.calculate_loss(batch)
    handle.remove()
    assert torch.equal(found, caught[0]) and net.packed_index is None


# References on a device, precision, compilation ---------------------------------------------------------


def test_resident_lists_are_the_streamed_ones(toy):
    s = Setting("SASRec", toy)
    lists = ReferenceLists(
        s.references.items, s.references.slot, np.float16(np.random.default_rng(0).random((9, 10)))
    )
    slots, cpu = np.array([4, 0, 7]), torch.device("cpu")
    streamed = lists.lists(slots, cpu), lists.list_scores(slots, cpu)
    size = lists.items.nbytes + lists.scores.nbytes
    assert not lists.keep_on(cpu, size - 1) and not lists._resident
    assert lists.keep_on(cpu, size) and set(lists._resident) == {"items", "scores"}
    assert torch.equal(lists.lists(slots, cpu), streamed[0])
    assert torch.equal(lists.list_scores(slots, cpu), streamed[1])
    assert [t.dtype for t in streamed] == [torch.int64, torch.float32]


@pytest.mark.parametrize("dropout", ["none", "next_item"])
def test_mixed_precision_covers_both_passes_and_ranks_in_32_bits(toy, dropout):
    s = Setting("SASRec", toy, enable_amp=True, finest_dropout=dropout, **NO_DROPOUT)
    batch, trainer, dtypes = s.batch(), s.trainer(), []
    handle = s.model.loss_fct.register_forward_pre_hook(lambda _, x: dtypes.append(x[0].dtype))
    ranked = []
    whole = trainer.method.rank_loss.forward
    trainer.method.rank_loss.forward = lambda scores: ranked.append(scores.dtype) or whole(scores)
    loss, _, gradients = step_of(trainer, batch)
    handle.remove()
    assert dtypes == [torch.bfloat16] * (2 if dropout == "next_item" else 1)
    assert ranked == [torch.float32]
    trainer.enable_amp = False
    exact = step_of(trainer, batch)
    assert loss == pytest.approx(exact[0], rel=0.02)
    assert all(g.dtype == torch.float32 for g in gradients.values())


@pytest.mark.parametrize("mode", ["packed", "instance"])
def test_a_compiled_model_takes_the_same_steps(toy, mode):
    changed = {**NO_DROPOUT, "training_mode": mode, "finest_dropout": "next_item"}
    s = Setting("SASRec", toy, **changed)
    plain = step_of(s.trainer(), s.batch())
    s = Setting("SASRec", toy, compile_model=True, **changed)
    trainer = s.trainer()
    trainer.compiled = type(trainer.compiled)(s.model, backend="eager")
    found = step_of(trainer, s.batch())
    assert_same_step(plain, found)
    assert trainer.compiled.checked
    assert "forward" not in vars(s.model)  # evaluation takes the model as it is


def test_a_model_that_cannot_be_compiled_is_refused(toy):
    s = Setting("SASRec", toy, compile_model=True)

    def broken(graph, inputs):
        raise RuntimeError("no compiler here")

    trainer = base_trainer(s.config, s.model)
    trainer.compiled = type(trainer.compiled)(s.model, backend=broken)
    with pytest.raises(UserError, match=r"compile_model is True.*no compiler here"):
        trainer._train_epoch(s.data.train_loader("base"), 0)


def test_a_compiled_model_with_another_loss_is_refused(toy):
    s = Setting("SASRec", toy, compile_model=True)
    trainer = base_trainer(s.config, s.model)
    right = s.model.forward
    trainer.compiled.forward = lambda *args: 2.0 * right(*args)
    with pytest.raises(
        UserError, match=r"'SASRec' has the loss [\d.]+ instead of [\d.]+; set it to False"
    ):
        trainer._train_epoch(s.data.train_loader("base"), 0)
    assert "forward" not in vars(s.model)
