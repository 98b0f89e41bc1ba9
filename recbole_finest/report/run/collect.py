"""Everything that a report says, gathered from a finished run's folder."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from recbole_finest.evaluator.accuracy import instance_accuracy
from recbole_finest.evaluator.collapse import counts
from recbole_finest.evaluator.measures import MEASURES
from recbole_finest.evaluator.measures.direction import smaller_is_better
from recbole_finest.evaluator.ranks import target_ranks
from recbole_finest.evaluator.statistics.paired import Paired, compare_paired
from recbole_finest.evaluator.statistics.removed import removed_intervals
from recbole_finest.names import CONTROLS, methods_of
from recbole_finest.report.questions import questions_of
from recbole_finest.report.run.compared import pairs_of
from recbole_finest.report.run.contents import Report
from recbole_finest.report.run.examples import Example, choose, make_examples
from recbole_finest.report.run.pair import Measures, Pair, Summary, compare_pair
from recbole_finest.report.run.run_folder import UNSEEN, RunFolder, sides
from recbole_finest.report.run.slices import (
    Sliced,
    Slicing,
    by_accuracy,
    by_group,
    by_number,
    by_touch,
)

DEFAULT = ("rbo", "frbo", "jaccard", "averageoverlap")  # as evaluation.stability_names


def collect(folder: RunFolder) -> Report:
    """Gather the report of a run.

    Intervals resample users, 2,000 times, from a generator seeded with the run's seed: the same
    folder always gives the same report.

    Raises:
        UserError: files of the run are missing or damaged.
    """
    return _Collection(folder).report()


class _Collection:
    """The state that the parts of a report share while it is gathered."""

    def __init__(self, folder: RunFolder):
        self.folder, self.result = folder, folder.result
        self.base = folder.lists("base")
        self.depth = self.base.codes.shape[1]
        topk = [k for k in folder.settings.get("topk") or [10] if k <= self.depth] or [self.depth]
        asked = [str(m).lower() for m in folder.settings.get("metrics") or ()]
        names = [m for m in asked if m in MEASURES] or list(DEFAULT)
        if all(smaller_is_better(m) for m in names):
            names.append("jaccard")  # the figures show a measure that grows with agreement
        self.what = Measures(
            names=names,
            topk=topk,
            p=folder.settings.get("rbo_p") or 0.9,
            k=topk[0],
            users=folder.user_codes,
            n_codes=len(folder.tokens),
        )
        self.methods = methods_of(self.result["accuracy"])
        self.question = questions_of(self.result, folder.settings)
        self.sides = sides(self.result, [*self.methods, *CONTROLS])

    def report(self) -> Report:
        pairs = self._pairs()
        each = {name: self._instance_accuracy(name) for name in self.result["accuracy"]}
        found = self._similarity_values()
        measured = {name: pair.values for name, pair in pairs.items() if name in self.methods}
        measure = self._main([*next(iter([*measured.values(), *found.values()]), {})])
        return Report(
            result=self.result,
            settings=self.folder.settings,
            curves=self.folder.curves,
            n_instances=len(self.what.users),
            n_users=int(self.what.users.max(initial=-1)) + 1,
            depth=self.depth,
            k=self.what.k,
            measure=measure,
            methods=self.methods,
            users=self.what.users,
            accuracy={name: self._summary(values) for name, values in each.items()},
            pairs=pairs,
            similarity={name: self._summary(values) for name, values in found.items()},
            filtered=self._filtered(),
            paired=self._paired(measured, each),
            slices=self._slices({name: values[measure] for name, values in measured.items()}),
            examples=self._examples(measured, found, measure),
            question=self.question,
            removed=self._removed(measured),
        )

    @property
    def rng(self) -> np.random.Generator:
        """A fresh generator: the same users are resampled everywhere; equal values, equal intervals."""
        return np.random.default_rng(self.result.get("seed") or 0)

    def _summary(self, values: Mapping[str, np.ndarray]) -> Summary:
        return self.what.summary(values, self.rng)

    def _main(self, names: list[str]) -> str:
        preferred = f"jaccard@{self.what.k}"
        return next((m for m in (preferred, *names) if m in names and not smaller_is_better(m)), "")

    def _pairs(self) -> dict[str, Pair]:
        lists = self.folder.lists
        return {
            name: compare_pair(lists(one), lists(other), self.what, self.rng)
            for name, (one, other) in self.sides.items()
        }

    def _instance_accuracy(self, name: str) -> dict[str, np.ndarray]:
        ranks = target_ranks(self.folder.lists(name).codes, self.folder.target_codes)
        return instance_accuracy(ranks, self.result["accuracy"][name], self.depth)

    def _similarity_values(self) -> dict[str, dict[str, np.ndarray]]:
        others = [name for name in self.methods if name != "base"]
        return {name: self.what.values(self.base, self.folder.lists(name)) for name in others}

    def _filtered(self) -> dict[str, Summary]:
        found = {}
        for name in self.methods:
            if name in self.sides and all(self.folder.has(m, UNSEEN) for m in self.sides[name]):
                one, other = (self.folder.lists(m, UNSEEN) for m in self.sides[name])
                found[name] = self._summary(self.what.values(one, other))
        return found

    def _paired(
        self,
        stability: Mapping[str, Mapping[str, np.ndarray]],
        accuracy: Mapping[str, Mapping[str, np.ndarray]],
    ) -> dict[tuple[str, str], dict[str, Paired]]:
        """Stability and accuracy together: Holm's correction is over all of them.

        Of two questions only accuracy is compared: what an anchored method costs.
        """
        found = {}
        for first, second in pairs_of(stability, self.question):
            parts = [stability, accuracy] if self._comparable(first, second) else [accuracy]
            one, other = (
                {k: v for part in parts for k, v in part[n].items()} for n in (first, second)
            )
            if one:
                found[first, second] = compare_paired(one, other, self.what.users, self.rng)
        return found

    def _comparable(self, first: str, second: str) -> bool:
        """Whether the stability of two methods answers one question, and is that of lists for people."""
        both = counts(self.result, first) and counts(self.result, second)
        return both and self.question[first] == self.question[second]

    def _removed(
        self, stability: Mapping[str, Mapping[str, np.ndarray]]
    ) -> dict[str, dict[str, dict[str, float]]]:
        found = {}
        for measure, base in stability.get("base", {}).items():
            others = {
                n: values[measure]
                for n, values in stability.items()
                if n != "base" and counts(self.result, n)
            }
            users, rng = self.what.users, self.rng
            found[measure] = removed_intervals(measure, base, others, users, rng)
        return found

    def _slices(self, values: Mapping[str, np.ndarray]) -> list[Sliced]:
        if not values:
            return []
        return [by_group(s, values, self.what.users, self.rng) for s in self._slicings()]

    def _slicings(self) -> list[Slicing]:
        ranks = target_ranks(self.base.codes, self.folder.target_codes)
        found = [by_accuracy(ranks, self.what.k, self.depth)]
        known = self.folder.instances
        if known is not None and len(known) == len(ranks):
            words = ("Length of the history", "interactions before the test instance")
            found.append(by_number(*words, known.history_length))
            words = ("Popularity of the true next item", "its training interactions")
            found.append(by_number(*words, known.target_count))
        touched = self.folder.touched_users()
        if len(touched):
            found.append(by_touch(np.isin(self.folder.first.users, touched)))
        return found

    def _examples(
        self,
        stability: Mapping[str, Mapping[str, np.ndarray]],
        similarity: Mapping[str, Mapping[str, np.ndarray]],
        measure: str,
    ) -> list[Example]:
        shown = [name for name in ("base", "finest") if name in stability]
        source, pairs = stability, {name: self.sides[name] for name in shown}
        if not shown and "finest" in similarity:
            shown, source, pairs = ["finest"], similarity, {"finest": ("base", "finest")}
        if not shown:
            return []
        first = source[shown[0]]
        agreement = [-v if smaller_is_better(m) else v for m, v in first.items()]
        chosen = choose([first[measure], *agreement], self.what.users)
        values = {name: source[name][measure] for name in shown}
        return make_examples(self.folder, chosen, pairs, values, self.what.k)
