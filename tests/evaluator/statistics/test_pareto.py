"""The Pareto front."""

from recbole_finest.evaluator.statistics.pareto import pareto_front


def test_pareto_front():
    points = {
        "none": (0.0, 0.0),
        "plain": (-2.0, 4.0),
        "distillation": (0.5, 30.0),
        "finest": (0.5, 60.0),  # as accurate as distillation, more stable
        "ensemble": (5.0, 30.0),
        "twin": (5.0, 30.0),
        "lossy": (-3.0, 70.0),
        "unknown": (float("nan"), 99.0),
    }
    assert pareto_front(points) == ["lossy", "finest", "ensemble", "twin"]
    assert pareto_front({}) == []
