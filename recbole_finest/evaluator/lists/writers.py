"""Write rank lists as TREC runs, which ranx, pytrec_eval and trec_eval read."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np

from recbole_finest.errors import UserError
from recbole_finest.evaluator.lists.queries import query_ids
from recbole_finest.evaluator.lists.ranklists import RankLists
from recbole_finest.files import written_whole


def write_trec(lists: RankLists, path: str | os.PathLike, tag: str = "recbole_finest") -> None:
    """Write one line ``qid Q0 docid rank score tag`` for each item of each list.

    Query ids are the user tokens; a user's further instances become ``user#2``, ``user#3``, …
    The tools sort by score alone, so equal scores are lowered to the next smaller number; where
    scores are unknown, they count down to 1.

    Raises:
        UserError: a token with white space or of no characters, which the format cannot hold, or
            query ids that coincide.
    """
    lines = trec_lines(lists, tag)
    with written_whole(path, "w", encoding="utf-8") as file:
        file.writelines(lines)


def trec_lines(lists: RankLists, tag: str = "recbole_finest") -> Iterator[str]:
    """The lines of :func:`write_trec`; raises as it does, at once."""
    queries = query_ids(lists)
    _check_tokens("user", queries)
    _check_tokens("item", lists.vocabulary)
    rows = zip(queries, lists.codes, _falling_scores(lists))
    return (
        f"{query} Q0 {lists.vocabulary[code]} {rank} {score:.9g} {tag}\n"
        for query, codes, scores in rows
        for rank, (code, score) in enumerate(zip(codes, scores), 1)
        if code >= 0
    )


def _check_tokens(kind: str, tokens: np.ndarray) -> None:
    for token in tokens.tolist():
        if token.split() != [token]:
            raise UserError(
                f"A TREC run cannot hold the {kind} {token!r}: its fields are separated by white "
                "space."
            )


def _falling_scores(lists: RankLists) -> np.ndarray:
    """Scores ``[n, depth]``, float32, that fall strictly along each list."""
    n, depth = lists.codes.shape
    if lists.scores is None:
        return np.tile(np.arange(depth, 0, -1, dtype=np.float32), (n, 1))
    scores = lists.scores.astype(np.float32)
    for place in range(1, depth):
        below = np.nextafter(scores[:, place - 1], np.float32(-np.inf))
        scores[:, place] = np.fmin(scores[:, place], below)
    return scores
