"""Make the stability metrics known to RecBole."""

from __future__ import annotations

from recbole.evaluator import register

from recbole_finest.evaluator import metrics


def register_metrics() -> None:
    """Add our metrics to RecBole's registry, in place; call before a Config is made, or again.

    RecBole's modules share these four objects by name, so they must be changed and never replaced.
    """
    smaller, needs, types, classes = register.cluster_info(metrics.__name__)
    register.metrics_dict.update(classes)
    register.metric_information.update(needs)
    register.metric_types.update(types)
    register.smaller_metrics.extend(
        name for name in smaller if name not in register.smaller_metrics
    )
