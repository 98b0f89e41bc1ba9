"""Measures of agreement between two rank lists: pure NumPy functions on arrays ``[n, depth]``.

Rank lists hold item ids best first and are padded with -1 at the end. Every function gives one
float64 value for each pair of lists. Short, empty and untidy lists: see the functions.
"""

from recbole_finest.evaluator.measures.agreement import Profile, agreement
from recbole_finest.evaluator.measures.correlation import kendall_tau, rank_shift, weighted_tau
from recbole_finest.evaluator.measures.overlap import churn, jaccard, top1
from recbole_finest.evaluator.measures.rbo import average_overlap, frbo, rbo
from recbole_finest.evaluator.measures.table import (
    MEASURES,
    Measure,
    get_measure,
    keys,
    measure_lists,
)

__all__ = [
    "MEASURES",
    "Measure",
    "Profile",
    "agreement",
    "average_overlap",
    "churn",
    "frbo",
    "get_measure",
    "jaccard",
    "kendall_tau",
    "keys",
    "measure_lists",
    "rank_shift",
    "rbo",
    "top1",
    "weighted_tau",
]
