"""Cascading scores: how many training interactions one of them can influence (CASPER).

Source: Oh et al., Rank List Sensitivity of Recommender Systems to Interaction Perturbations
(CIKM 2022, arXiv 2201.12686). The training interactions form a directed acyclic graph with an edge
from each to the next one of the same user and to the next one of the same item, kept when both ends
are among the last ``max_seq_len`` training interactions of their users. A score is the number of
interactions that can be reached, the interaction itself included.

"Next" is by time; interactions with equal times follow the order of the log, which is by user and
then the order of the file. A user's interactions never change their order, so no cycle can arise.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from recbole_finest.data.casper_graph import InteractionGraph, interaction_graph, layers
from recbole_finest.data.log import TRAIN, InteractionLog
from recbole_finest.errors import UserError

_STATE_BITS = 2**31  # bits that the exact passes may hold at once
# Python 3.9 has no int.bit_count.
_count_bits: Callable[[int], int] = getattr(int, "bit_count", lambda bits: bin(bits).count("1"))


def cascading_scores(
    log: InteractionLog, max_seq_len: int | None = None, rows: str = "all"
) -> np.ndarray:
    """Exact cascading scores, by passes over bit sets.

    Args:
        log: the log whose training interactions are scored.
        max_seq_len: the cut described above; None cuts nothing.
        rows: ``all`` scores every training interaction; ``roots`` only those that no edge leads to,
            which is much faster where they are few. The highest score of all is always a root's.

    Returns:
        ``[n]``, int64; 0 for interactions that are not scored.

    Raises:
        UserError: ``rows`` is neither, or ``max_seq_len`` is below 1.
    """
    if rows not in ("all", "roots"):
        raise UserError(f"rows={rows!r} is neither 'all' nor 'roots'")
    graph = interaction_graph(log, max_seq_len)
    scores = np.zeros(len(log), np.int64)
    scores[log.train_positions] = 1  # those that were cut off reach only themselves
    if rows == "all":
        scores[graph.position] = _reachable_from_all(graph)
        return scores
    led_to = np.ones(len(graph), bool)
    roots = graph.roots()
    led_to[roots] = False
    scores[graph.position[led_to]] = 0
    scores[graph.position[roots]] = _reachable_from(graph, roots)
    return scores


def _block(graph: InteractionGraph, columns: int) -> int:
    """How many columns to take at a time: a multiple of 64, within the memory set aside."""
    width = _STATE_BITS // (graph.n_users + graph.n_items + 1)
    return max(64, min(width, columns, 1 << 16) // 64 * 64)


def _reachable_from_all(graph: InteractionGraph) -> np.ndarray:
    """Number of interactions reachable from each, ``[m]``.

    Backwards in time, each set is the union of two others, those of the next interactions of its
    user and its item, which are all that need to be held. Members are taken a block at a time.
    """
    counts = np.zeros(len(graph), np.int64)
    width = _block(graph, len(graph))
    for low in range(0, len(graph), width):
        high = min(low + width, len(graph))
        of_user, of_item = [0] * graph.n_users, [0] * graph.n_items
        sizes = []
        for index, user, item in graph.steps(0, high, reverse=True):
            reached = of_user[user] | of_item[item]
            if index >= low:
                reached |= 1 << (high - 1 - index)
            of_user[user] = of_item[item] = reached
            sizes.append(_count_bits(reached))
        counts[:high] += np.array(sizes, np.int64)[::-1]
    return counts


def _reachable_from(graph: InteractionGraph, sources: np.ndarray) -> np.ndarray:
    """Number of interactions reachable from each of ``sources``, ``[len(sources)]``.

    Forwards in time, each interaction's set of sources that reach it is the union of those of the
    one before it of its user and of its item.
    """
    counts = np.zeros(len(sources), np.int64)
    width = _block(graph, len(sources) + 63)
    for low in range(0, len(sources), width):
        mine = sources[low : low + width]
        bit = {index: 1 << k for k, index in enumerate(mine.tolist())}
        of_user, of_item = [0] * graph.n_users, [0] * graph.n_items
        size, parts = width // 8, []
        tally = np.zeros(width, np.int64)
        for index, user, item in graph.steps(int(mine[0]), len(graph)):
            reached = of_user[user] | of_item[item]
            if index in bit:
                reached |= bit[index]
            of_user[user] = of_item[item] = reached
            parts.append(reached.to_bytes(size, "little"))
            if len(parts) == 255:  # as many as a byte can count
                tally += _column_sums(parts)
                parts = []
        tally += _column_sums(parts)
        counts[low : low + len(mine)] = tally[: len(mine)]
    return counts


def _column_sums(parts: list[bytes]) -> np.ndarray:
    """How many of up to 255 equally long bit sets hold each bit."""
    if not parts:
        return np.zeros(1, np.uint8)
    sets = np.frombuffer(b"".join(parts), np.uint8).reshape(len(parts), -1)
    return np.add.reduce(np.unpackbits(sets, axis=1, bitorder="little"), axis=0, dtype=np.uint8)


def estimate_cascading_scores(
    log: InteractionLog,
    max_seq_len: int | None = None,
    *,
    k: int = 66,
    rng: np.random.Generator,
) -> np.ndarray:
    """Cascading scores estimated in near-linear time.

    Source: Cohen, Size-Estimation Framework with Applications to Transitive Closure and
    Reachability (JCSS 55, 1997). Every interaction draws ``k`` exponential numbers. The least one
    that can be reached is itself exponential, with a rate equal to the score s, so (k - 1) / (sum
    of the k minima) estimates s without bias and with a relative standard error of 1 / sqrt(k - 2):
    1/8 for the default, 1/32 for 1026. The errors of neighbours in the graph are much alike, so
    that their order is better known than that.

    Args:
        log, max_seq_len: as for :func:`cascading_scores`.
        k: how many numbers to draw, at least 3. Time and memory, 4 k bytes for each user and item,
            are proportional to it.
        rng: source of randomness.

    Returns:
        ``[n]``, float64, at least 1 for training interactions, 0 for the others.

    Raises:
        UserError: ``k`` is below 3, or ``max_seq_len`` below 1.
    """
    if k < 3:
        raise UserError(f"k={k} gives no error bound: use at least 3")
    graph = interaction_graph(log, max_seq_len)
    scores = np.zeros(len(log))
    scores[log.train_positions] = 1.0
    of_user = np.full((graph.n_users, k), np.inf, np.float32)
    of_item = np.full((graph.n_items, k), np.inf, np.float32)
    for layer in layers(graph):
        user, item = graph.user[layer], graph.item[layer]
        least = rng.standard_exponential((len(layer), k), np.float32)
        np.minimum(least, of_user[user], out=least)
        np.minimum(least, of_item[item], out=least)
        of_user[user] = of_item[item] = least
        scores[graph.position[layer]] = (k - 1) / least.sum(axis=1, dtype=np.float64)
    return np.maximum(scores, log.role == TRAIN)
