"""Set overlap of two top-k lists: Jaccard, churn, agreement of the first place."""

from __future__ import annotations

import numpy as np

from recbole_finest.evaluator.measures.agreement import Profile, values_of
from recbole_finest.evaluator.measures.checks import check_depth


def jaccard(reference: np.ndarray, other: np.ndarray, k: int) -> np.ndarray:
    """Jaccard index of the two top-``k`` sets: items in both over items in either.

    Args:
        reference: item ids best first, ``[n, any]``, padded with -1 at the end. A list shorter than
            ``k`` is taken as it is; of a repeated item the first occurrence counts.
        other: the lists to compare with, ``[n, any]``.
        k: depth to which both lists are cut.

    Returns:
        float64 ``[n]`` in 0 … 1; two empty lists 1, one empty 0. Symmetric.

    Raises:
        UserError: k below 1, arrays of the wrong kind.
    """
    k = check_depth(k)
    return values_of(lambda profile: jaccard_at(profile, k), reference, other, k)


def churn(reference: np.ndarray, other: np.ndarray, k: int) -> np.ndarray:
    """Share of the top ``k`` that differs, 1 - overlap@k; smaller is more stable.

    Where both lists are shorter than ``k``, the longer one's length takes its place. Two empty
    lists get 0, one empty list 1. Arguments, range, symmetry and errors as for :func:`jaccard`.
    """
    k = check_depth(k)
    return values_of(lambda profile: churn_at(profile, k), reference, other, k)


def top1(reference: np.ndarray, other: np.ndarray) -> np.ndarray:
    """1 where both lists begin with the same item, else 0; two empty lists get 1, one empty 0.

    Arguments, symmetry and errors as for :func:`jaccard`; there is no k.
    """
    return values_of(top1_at, reference, other, 1)


def jaccard_at(profile: Profile, k: int) -> np.ndarray:
    """Jaccard index of the lists of a profile, cut to ``k``; ``[n]``."""
    profile = profile.cut(k)
    common = profile.overlap[:, -1]
    union = profile.reference_length + profile.other_length - common
    return np.where(union == 0, 1.0, common / np.maximum(union, 1))


def churn_at(profile: Profile, k: int) -> np.ndarray:
    """Churn of the lists of a profile, cut to ``k``; ``[n]``."""
    profile = profile.cut(k)
    places = np.maximum(profile.longer, 1)
    return np.where(profile.longer == 0, 0.0, (places - profile.overlap[:, -1]) / places)


def top1_at(profile: Profile) -> np.ndarray:
    """Top-1 agreement of the lists of a profile; ``[n]``."""
    return np.where(profile.longer == 0, 1.0, profile.overlap[:, 0].astype(float))
