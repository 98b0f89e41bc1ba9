"""What a stable model still takes up: the news that retraining brings, and hits lost and gained.

Keeping yesterday's lists is perfectly stable and learns nothing. These measures stand beside stability
to tell the two apart.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recbole_finest.evaluator.ranks import ranks_in, target_ranks


def plasticity(
    bases: tuple[np.ndarray, np.ndarray],
    sides: tuple[np.ndarray, np.ndarray],
    targets: np.ndarray,
    depths: Sequence[int],
    item: int | None = None,
) -> dict[str, float | None]:
    """What a method takes up of a change, and what that does to the hits, at several depths.

    Args:
        bases: lists of base on the clean and on the changed log, best first, ``[n, depth]`` each.
        sides: the method's two lists; the second would be shown from now on.
        targets: the next item of each instance, ``[n]``.
        depths: depths k.
        item: the item that the change brought into many histories, where there is one.

    Returns:
        By ``name@k``: ``kept_news`` and ``kept_news_by_chance``, means over the instances with news (None
        where there are none): see :func:`kept_news`, of the method's second and first lists. ``lost`` and
        ``gained``: shares of all instances whose next item is among base's first k on the clean log and
        not among the method's second ones, and the reverse (Yan et al., CVPR 2021, arXiv 2011.09161, call
        the former negative flips). With ``item``: ``trend`` and ``trend_before``, shares of the method's
        second and first lists that hold it.
    """
    found: dict[str, float | None] = {}
    for k in depths:
        kept, chance = (kept_news(*bases, lists, k) for lists in reversed(sides))
        some = ~np.isnan(kept)
        found[f"kept_news@{k}"] = float(kept[some].mean()) if some.any() else None
        found[f"kept_news_by_chance@{k}"] = float(chance[some].mean()) if some.any() else None
        before, now = (hits(lists, targets, k) for lists in (bases[0], sides[1]))
        found[f"lost@{k}"] = float((before & ~now).mean())
        found[f"gained@{k}"] = float((now & ~before).mean())
        if item is not None:
            found[f"trend@{k}"] = exposure(sides[1], item, k)
            found[f"trend_before@{k}"] = exposure(sides[0], item, k)
    return found


def kept_news(before: np.ndarray, after: np.ndarray, lists: np.ndarray, k: int) -> np.ndarray:
    """Share of what retraining newly brings into the first k places that other lists hold there, too.

    News of an instance are the items of ``after`` that ``before`` has not; the lists of a model that
    never saw the change hold some of them by chance, which is what to compare with.

    Args:
        before, after: lists of base on the clean and on the changed log, best first, ``[n, depth]``
            each; -1 fills short ones.
        lists: those of the model in question, ``[n, depth]``.
        k: depth, 1 or more.

    Returns:
        ``[n]``, from 0 to 1; NaN for an instance without news.
    """
    before, after, lists = before[:, :k], after[:, :k], lists[:, :k]
    n_codes = 1 + max(int(part.max(initial=0)) for part in (before, after, lists))
    news = (after >= 0) & (ranks_in(after, before, n_codes) == 0)
    number = news.sum(1)
    kept = (news & (ranks_in(after, lists, n_codes) > 0)).sum(1)
    return np.where(number > 0, kept / np.maximum(number, 1), np.nan)


def hits(lists: np.ndarray, targets: np.ndarray, k: int) -> np.ndarray:
    """Whether each instance's next item is among the first k of its list, ``[n]``, bool."""
    return target_ranks(lists[:, :k], targets) > 0


def exposure(lists: np.ndarray, item: int, k: int) -> float:
    """Share of lists that hold one item among their first k."""
    return float((lists[:, :k] == item).any(1).mean())


def ambiguity(hit: np.ndarray) -> float:
    """Share of instances on whose hit the models do not agree.

    What Marx et al. (Predictive Multiplicity in Classification, ICML 2020, arXiv 1909.06677, definition 3)
    call ambiguity, of the decision "the next item is among the first k".

    Args:
        hit: of m models that differ in nothing that should matter, ``[m, n]``, bool.
    """
    return float((hit != hit[0]).any(0).mean())
