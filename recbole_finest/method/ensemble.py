"""The average of models that differ in their seeds."""

from __future__ import annotations

from recbole_finest.method.base import Method


class Ensemble(Method):
    """Mean of the log-softmax scores of ``ensemble_size`` bases with the seeds s, s + 1, …

    See :class:`recbole_finest.model.average.AverageModel` for the definition and its sources. Training
    and scoring cost ``ensemble_size`` times as much. Runs whose seeds are near share members.
    """

    fine_tunes = (False, False)

    def seeds(self, seed: int) -> list[int]:
        return [seed + i for i in range(self.config["ensemble_size"])]
