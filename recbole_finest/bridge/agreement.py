"""How far two models of a RecBole script agree on its test instances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from recbole.data.dataloader import FullSortEvalDataLoader
from recbole.model.abstract_recommender import SequentialRecommender

from recbole_finest.bridge.script_data import check_loader
from recbole_finest.bridge.script_model import check_model
from recbole_finest.errors import UserError
from recbole_finest.evaluator.compare_models import compare_models
from recbole_finest.evaluator.evaluation import stability_names
from recbole_finest.model.build import BROKEN, reason
from recbole_finest.scoring.scorer import Scorer

PERSISTENCE = 0.9  # of RBO, where the script has no rbo_p


def stability(
    model_a: SequentialRecommender,
    model_b: SequentialRecommender,
    test_data: Any,
    metrics: Sequence[str] | None = None,
    topk: Sequence[int] | None = None,
) -> dict[str, float]:
    """Mean agreement of two models' rank lists on the same instances, as a run measures it.

    Args:
        model_a, model_b: models of the data set of ``test_data``.
        test_data: the test loader of RecBole's ``data_preparation``, which ranks all items.
        metrics: names of measures; those among the script's ``metrics``, or RBO, FRBO, Jaccard and
            AverageOverlap, when missing.
        topk: list depths; the script's when missing.

    Returns:
        For example ``{"rbo@10": 0.8312, "jaccard@10": 0.7345}``, unrounded.

    Raises:
        UserError: an argument that is none of these, an unknown measure, a model of another data set.
    """
    models = {"model_a": model_a, "model_b": model_b}
    check_loader("test_data", test_data)
    if not isinstance(test_data, FullSortEvalDataLoader):
        raise UserError(
            f"test_data is a {type(test_data).__name__}, which does not rank all items; set eval_args to "
            "mode: full and give the test loader of data_preparation"
        )
    dataset, config = test_data._dataset, test_data.config
    for name, model in models.items():
        check_model(name, model)
        if getattr(model, "n_items", dataset.item_num) != dataset.item_num:
            raise UserError(
                f"{name} has {model.n_items - 1} items, but test_data has {dataset.item_num - 1}; both "
                "models must have the ids of test_data's data set"
            )
    names = stability_names(config) if metrics is None else metrics
    persistence = config["rbo_p"] or PERSISTENCE
    wanted = config["topk"] if topk is None else topk
    depths = [k for k in wanted if k < dataset.item_num] or [dataset.item_num - 1]
    first, second = (Scorer(model, dataset) for model in models.values())
    try:
        found = compare_models(first, second, test_data, names, depths, persistence)
    except BROKEN as error:
        raise UserError(
            f"the models cannot score test_data ({reason(error)}); give the test loader of the data set "
            "that they were made with"
        ) from error
    return {name: float(values.mean()) for name, values in found.items()}
