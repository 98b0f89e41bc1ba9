"""The registry, the metrics and the collector, through RecBole's own objects."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from recbole.evaluator import Collector, Evaluator, register
from recbole.evaluator.register import Register

from recbole_finest.errors import UserError
from recbole_finest.evaluator import measures
from recbole_finest.evaluator.collector import FinestCollector, FinestEvaluator
from recbole_finest.evaluator.measures import MEASURES
from recbole_finest.evaluator.registry import register_metrics

N_ITEMS = 30


class Settings(dict):
    """What RecBole's evaluator reads of a Config, which gives None for what is not set."""

    def __getitem__(self, name):
        return self.get(name)


def settings(*metrics: str, **more) -> Settings:
    register_metrics()
    return Settings(
        {
            "metrics": list(metrics),
            "topk": [3, 10],
            "eval_args": {"mode": "full"},
            "device": torch.device("cpu"),
            "metric_decimal_place": 4,
            "ITEM_ID_FIELD": "item_id",
            "LABEL_FIELD": "label",
            **more,
        }
    )


def batches(seed: int) -> list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Three batches of scores, row numbers and positive items; the last row has two positives."""
    generator = torch.Generator().manual_seed(seed)
    result = []
    for size in (8, 8, 3):
        scores = torch.randn(size, N_ITEMS, generator=generator)
        scores[:, 0] = -torch.inf
        rows = torch.cat([torch.arange(size), torch.tensor([size - 1])])
        items = torch.randperm(N_ITEMS - 1, generator=generator)[: size + 1] + 1
        result.append((scores, rows, items))
    return result


def collect(collector: Collector, seed: int = 0):
    for scores, rows, items in batches(seed):
        collector.eval_batch_collect(scores, None, rows, items)
    return collector.get_data_struct()


def test_registering_changes_recboles_tables_in_place_and_once():
    tables = [
        register.metrics_dict,
        register.metric_information,
        register.metric_types,
        register.smaller_metrics,
    ]
    register_metrics()
    sizes = [len(table) for table in tables]
    register_metrics()
    assert [len(table) for table in tables] == sizes
    assert set(MEASURES) <= set(register.metrics_dict)
    for name, measure in MEASURES.items():
        assert register.metrics_dict[name].__name__ == measure.display
        assert register.metrics_dict[name].measure == name
        assert (name in register.smaller_metrics) == measure.smaller
    assert Register(settings("RBO")).need("finest.reference")


def test_stock_evaluator_computes_stability_from_our_collector():
    config = settings("Recall", "RBO", "Jaccard", "Churn", "Top1", rbo_p=0.5)
    reference = np.stack([np.random.default_rng(i).permutation(29)[:10] + 1 for i in range(19)])
    collector = FinestCollector(config)
    collector.set_reference(reference)
    struct = collect(collector)
    result = Evaluator(config).evaluate(struct)
    items = struct.get("rec.items").numpy()
    for k in (3, 10):
        assert result[f"rbo@{k}"] == round(measures.rbo(reference, items, k, 0.5).mean(), 4)
        assert result[f"jaccard@{k}"] == round(measures.jaccard(reference, items, k).mean(), 4)
        assert result[f"churn@{k}"] == round(measures.churn(reference, items, k).mean(), 4)
    assert set(result) == {
        *(f"{name}@{k}" for name in ("recall", "rbo", "jaccard", "churn") for k in (3, 10)),
        "top1@1",
    }


def test_collects_what_the_stock_collector_collects():
    config = settings("Recall", "RBO", "Hit")
    ours, stock = FinestCollector(config), Collector(config)
    for seed in (0, 1):  # the second evaluation must not see the first one's batches
        found, expected = collect(ours, seed), collect(stock, seed)
        for name in ("rec.items", "rec.topk"):
            assert torch.equal(found.get(name), expected.get(name))
        assert found.get("rec.topk").dtype == expected.get("rec.topk").dtype


def test_keeps_what_is_no_tensor():
    collector = FinestCollector(settings("ItemCoverage"))
    collector.data_struct.set("data.num_items", N_ITEMS)
    assert collect(collector).get("data.num_items") == N_ITEMS
    assert collect(collector).get("data.num_items") == N_ITEMS


def test_identical_lists_are_perfectly_stable_and_ties_do_not_matter():
    config = settings("RBO", "FRBO", "Jaccard", "AverageOverlap", metric_decimal_place=17)
    collector = FinestCollector(config)
    scores = torch.randint(0, 3, (8, N_ITEMS)).float()
    rows = torch.arange(8)
    collector.eval_batch_collect(scores, None, rows, rows + 1)
    lists = collector.get_data_struct().get("rec.items")
    collector.set_reference(lists.numpy())
    collector.eval_batch_collect(scores, None, rows, rows + 1)
    result = FinestEvaluator(config).evaluate(collector.get_data_struct())
    assert len(result) == 8
    assert all(value == pytest.approx(1, abs=1e-12) for value in result.values())


def test_rows_with_fewer_items_than_k_end_in_the_padding_item():
    config = settings("Jaccard")
    collector = FinestCollector(config)
    scores = torch.full((1, N_ITEMS), -torch.inf)
    scores[0, [4, 7]] = torch.tensor([1.0, 2.0])
    collector.set_reference(np.array([[7, 9, -1]]))
    collector.eval_batch_collect(scores, None, torch.tensor([0]), torch.tensor([7]))
    struct = collector.get_data_struct()
    assert struct.get("rec.items").tolist() == [[7, 4] + [0] * 8]
    assert FinestEvaluator(config).evaluate(struct)["jaccard@10"] == round(1 / 3, 4)


def test_without_reference_lists_our_evaluator_leaves_stability_out():
    config = settings("Recall", "RBO", "Jaccard")
    collector = FinestCollector(config)
    collector.set_reference(np.ones((19, 3), dtype=int))
    collector.set_reference(None)
    assert set(FinestEvaluator(config).evaluate(collect(collector))) == {"recall@3", "recall@10"}


def test_a_stock_recbole_run_gets_a_clear_error():
    config = settings("RBO")
    with pytest.raises(UserError, match=r"RBO needs reference lists.*FinestTrainer"):
        Evaluator(config).evaluate(collect(Collector(config)))


def test_reference_lists_of_other_instances_are_refused():
    config = settings("RBO")
    collector = FinestCollector(config)
    collector.set_reference(np.ones((5, 3), dtype=int))
    with pytest.raises(UserError, match="5 reference lists but 19"):
        FinestEvaluator(config).evaluate(collect(collector))
