"""Stability metrics for RecBole's registry, to be named in ``metrics``.

They compare the recommended lists with reference lists of the same instances.
"""

from recbole_finest.evaluator.base_metric import StabilityMetric


class RBO(StabilityMetric):
    r"""RBO_ (extrapolated rank-biased overlap), weight of depth d proportional to p^{d-1}.

    .. _RBO: https://doi.org/10.1145/1852102.1852106

    .. math::
        \mathrm{RBO@k} = (1-p) \sum_{d=1}^{k} p^{d-1} A_d + A_k p^k

    :math:`A_d` is the share of the first d places in common; lists of unequal length: eq. (32).
    """

    measure = "rbo"


class FRBO(StabilityMetric):
    r"""FRBO_ (finite rank-biased overlap), RBO summed to k and normalised to reach 1 there.

    .. _FRBO: https://arxiv.org/abs/2307.13165

    .. math::
        \mathrm{FRBO@k} = \frac{\sum_{d=1}^{k} p^{d-1} A_d}{\sum_{d=1}^{k} p^{d-1}}
    """

    measure = "frbo"


class Jaccard(StabilityMetric):
    r"""Jaccard index of the top-k sets.

    .. math::
        \mathrm{Jaccard@k} = \frac{|R_k \cap R'_k|}{|R_k \cup R'_k|}
    """

    measure = "jaccard"


class AverageOverlap(StabilityMetric):
    r"""Average overlap, the mean share in common over the depths 1 … k (RBO's p = 1).

    .. math::
        \mathrm{AverageOverlap@k} = \frac{1}{k} \sum_{d=1}^{k} A_d
    """

    measure = "averageoverlap"


class Churn(StabilityMetric):
    r"""Churn, the share of the top k that differs; smaller is more stable.

    .. math::
        \mathrm{Churn@k} = 1 - A_k
    """

    measure = "churn"
    smaller = True


class Top1(StabilityMetric):
    """Top-1 agreement, the share of instances with the same first item; reported as ``top1@1``."""

    measure = "top1"


class KendallTau(StabilityMetric):
    """Kendall's tau-b on the union of the two top-k lists; -1 … 1."""

    measure = "kendalltau"


class WeightedTau(StabilityMetric):
    """Vigna's weighted tau on the union of the two top-k lists; -1 … 1."""

    measure = "weightedtau"


class RankShift(StabilityMetric):
    """Mean number of places by which the reference's top k move; smaller is more stable.

    RecBole collects only max(topk) items: an item that left them counts as standing just after.
    """

    measure = "rankshift"
    smaller = True
