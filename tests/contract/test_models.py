"""The contract that every sequential model passes, RecBole's, ours and the user's own."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from recbole_finest.data.prepare import Data, prepare
from recbole_finest.evaluator.evaluation import Evaluation, evaluate
from recbole_finest.experiment.output import Output
from recbole_finest.experiment.stages import train_base
from recbole_finest.method import Finest
from recbole_finest.model.build import build_model
from recbole_finest.model.find import model_names
from recbole_finest.reference.build import build_references
from recbole_finest.reference.lists import ReferenceLists
from recbole_finest.scoring.probes import shares_forward
from recbole_finest.scoring.scorer import Scorer
from recbole_finest.serve.recommender import Recommender
from recbole_finest.train.checkpoint import origin
from recbole_finest.train.finest import FinestTrainer
from recbole_finest.train.mode import choose_training_mode

from .cases import CASES, HOW, OWN_MODEL, make_config

K = 5
DOCUMENT = Path(__file__).parents[2] / "docs" / "models.md"


class WatchedFinest(Finest):
    """FINEST that looks at the gradient of its rank-preserving loss alone, step by step."""

    def __init__(self, config: Any, model: Any):
        super().__init__(config)
        self.weights = [weight for weight in model.parameters() if weight.requires_grad]
        self.norms: list[float] = []

    def loss(self, step: Any) -> Any:
        rank = self.rank_loss(step.scores()).mean()
        gradients = torch.autograd.grad(rank, self.weights, retain_graph=True, allow_unused=True)
        self.norms.append(sum(float(g.norm()) for g in gradients if g is not None))
        return super().loss(step)


@dataclass
class Trained:
    """One case, trained once for all of its tests."""

    config: Any
    data: Data
    output: Output
    base: Any
    references: ReferenceLists
    finest: Any
    curves: dict[str, list]
    gradient_norms: list[float]

    def lists(self, model: Any, batch_size: int = 4096) -> Evaluation:
        data = self.data.but(eval_batch_size=batch_size)
        loader = data.train_loader("evaluation")
        return evaluate(self.config, Scorer(model, data.train), data.test_loader(), loader)


@pytest.fixture(scope="module", params=CASES)
def trained(request, toy_data, own_model, tmp_path_factory) -> Trained:
    folder = tmp_path_factory.mktemp("run")
    config = make_config(request.param, toy_data, folder)
    data = prepare(config)
    choose_training_mode(data)
    output = Output(folder, logging.getLogger(), resume=False)
    base, _, base_curve = train_base(config, data, output, "base")
    references = build_references(config, data, base, output.path / "reference", K)
    finest = build_model(config, data.train)
    finest.load_state_dict(base.state_dict())
    watched = WatchedFinest(config, finest)
    trainer = FinestTrainer(config, finest, references, watched)
    trainer.fit(data.train_loader("fine-tuning"), data.valid_loader())
    output.save_model("finest", finest, config, trainer, 1, **origin(data, None))
    curves = {"base": base_curve, "finest": trainer.curves}
    return Trained(config, data, output, base, references, finest, curves, watched.norms)


def test_both_stages_train(trained):
    for name, curve in trained.curves.items():
        assert [epoch["epoch"] for epoch in curve] == [0], name
        assert np.isfinite(curve[0]["train_loss"]) and curve[0]["train_loss"] > 0, name
        assert 0 <= curve[0]["ndcg@10"] <= 1, name


def test_the_rank_preserving_loss_sends_gradients(trained):
    assert trained.gradient_norms
    assert all(np.isfinite(norm) and norm > 0 for norm in trained.gradient_norms)


def test_fine_tuning_changes_the_copy_and_not_base(trained):
    before = torch.load(trained.output.path / "base.pth", weights_only=True)["state_dict"]
    for name, weight in trained.base.state_dict().items():
        assert torch.equal(weight, before[name]), name
    weights = dict(trained.base.named_parameters())
    changed = [not torch.equal(w, weights[n]) for n, w in trained.finest.named_parameters()]
    assert any(changed)


def test_there_is_a_reference_list_for_every_training_instance(trained):
    items = trained.references.items
    assert items.shape == (len(trained.data.train), 2 * K)
    assert_lists(items, trained.data.log.n_items)


def test_rank_lists_are_valid(trained):
    found = trained.lists(trained.finest)
    assert found.items.shape == (len(trained.data.test), 20)
    assert_lists(found.items, trained.data.log.n_items)
    assert np.isfinite(found.scores).all()
    assert (np.diff(found.scores, axis=1) <= 0).all()


def assert_lists(items: np.ndarray, n_items: int) -> None:
    """No padding, nothing outside the catalogue, no item twice."""
    assert items.min() >= 1 and items.max() < n_items
    assert all(len(set(row)) == len(row) for row in items.tolist())


def test_rank_lists_do_not_depend_on_the_batch(trained):
    whole = trained.lists(trained.finest)
    again = trained.lists(trained.finest)
    assert np.array_equal(whole.items, again.items)
    assert np.array_equal(whole.scores, again.scores)
    for size in (1, 7):
        parts = trained.lists(trained.finest, size)
        np.testing.assert_allclose(parts.scores, whole.scores, rtol=1e-4, atol=1e-5)
        assert (parts.items == whole.items).mean() > 0.99  # near-ties may change places


def test_a_saved_model_gives_the_same_lists(trained):
    state = torch.load(trained.output.path / "finest.pth", weights_only=True)
    loaded = build_model(trained.config, trained.data.train)
    loaded.load_state_dict(state["state_dict"])
    expected, found = trained.lists(trained.finest), trained.lists(loaded)
    assert np.array_equal(found.items, expected.items)
    assert np.array_equal(found.scores, expected.scores)


def test_the_recommender_gives_the_test_lists(trained, request):
    """A saved model asked in tokens is the evaluation, bit for bit, whatever the model reads."""
    case, log = request.node.callspec.params["trained"], trained.data.log
    settings = {"model": OWN_MODEL} if case == OWN_MODEL else {}
    recommender = Recommender.load(trained.output.path / "finest.pth", **settings)
    view = trained.data.test.inter_feat
    tokens = trained.data.dataset.field2id_token
    users, items = tokens[view.fields.user], tokens[view.fields.item]
    parts = [slice(log.user_begin[log.user[p]], p) for p in view.positions]
    found = recommender.recommend(
        [items[log.item[part]].tolist() for part in parts],
        k=20,
        users=users[log.user[view.positions]].tolist(),
        times=[log.time[part].tolist() for part in parts],
    )
    expected = trained.lists(trained.finest)
    assert found.items == items[expected.items].tolist()
    assert np.array_equal(np.array(found.scores, np.float32), expected.scores)
    assert found.notes == [] and sum(found.unknown) == 0


def how_it_is_computed(trained: Trained) -> str:
    """How a fine-tuning step computes the scores of the reference items."""
    scorer = Scorer(trained.base, trained.data.train)
    if not scorer.full_sort:
        return "predict in chunks"
    if trained.data.packed:
        return "packed"
    loader = trained.data.train_loader("probe")
    shared = shares_forward(scorer, loader.collate_fn(np.arange(8)))
    return "one pass" if shared else "two passes"


def test_scores_are_computed_as_documented(trained, request):
    case = request.node.callspec.params["trained"]
    expected = HOW[case] if case in HOW else table_of_models()[case]
    assert how_it_is_computed(trained) == expected


def table_of_models() -> dict[str, str]:
    rows = [line.strip("| \n").split("|") for line in DOCUMENT.read_text().splitlines()]
    named = {row[0].strip(): row for row in rows if len(row) > 3}
    return {name: row[2].strip() for name, row in named.items() if name in model_names()}


def test_the_table_of_models_is_complete():
    assert sorted(table_of_models()) == model_names()
