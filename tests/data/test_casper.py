import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import breadth_first_order

from recbole_finest.data import casper
from recbole_finest.data.casper import cascading_scores, estimate_cascading_scores
from recbole_finest.data.perturbation import perturb
from recbole_finest.errors import UserError
from tests.data.logs import foursquare, logs, make_log


def successors(log, max_seq_len=None):
    """Edges by the definition, in plain Python: position -> next positions."""
    train = [int(position) for position in log.train_positions]
    inside = set()
    for user in {log.user[position] for position in train}:
        mine = [position for position in train if log.user[position] == user]
        inside.update(mine if max_seq_len is None else mine[-max_seq_len:])
    edges = {position: [] for position in train}
    for column in (log.user, log.item):
        last = {}
        for position in sorted(train, key=lambda position: (log.time[position], position)):
            previous = last.get(column[position])
            if previous in inside and position in inside:
                edges[previous].append(position)
            last[column[position]] = position
    return edges


def search(edges, start):
    """Number of positions reachable from ``start``, itself included."""
    seen, waiting = {start}, [start]
    while waiting:
        for position in edges[waiting.pop()]:
            if position not in seen:
                seen.add(position)
                waiting.append(position)
    return len(seen)


def brute_force(log, max_seq_len=None, rows="all"):
    edges = successors(log, max_seq_len)
    led_to = {position for following in edges.values() for position in following}
    scores = np.zeros(len(log), np.int64)
    for position in edges:
        if rows == "all" or position not in led_to:
            scores[position] = search(edges, position)
    return scores


def test_scores_by_hand():
    # Times count over the whole log: user 1: a0 b1 c2, user 2: b3 d4, user 3: d5.
    log = make_log("123", "24", "4")
    assert cascading_scores(log).tolist() == [6, 5, 1, 3, 2, 1]
    assert cascading_scores(log, rows="roots").tolist() == [6, 0, 0, 0, 0, 0]
    # Last two of each user: row 0 is cut off.
    assert cascading_scores(log, 2).tolist() == [1, 5, 1, 3, 2, 1]
    assert cascading_scores(log, 1).tolist() == [1, 1, 1, 1, 2, 1]
    assert cascading_scores(log, 2, "roots").tolist() == [1, 5, 0, 0, 0, 0]


def test_the_next_interaction_counts_even_where_it_is_cut_off():
    # Item 1 at rows 0 (user 1), 1 (user 2, cut off for length 1), 3 (user 3): no edge over the cut.
    log = make_log("1", "12", "1")
    assert cascading_scores(log).tolist() == [4, 3, 1, 1]
    assert cascading_scores(log, 1).tolist() == [1, 1, 1, 1]


def test_only_training_interactions_are_scored_and_passed_through():
    log = make_log("12", "23", "2", roles="tttvt")
    assert cascading_scores(log).tolist() == [4, 3, 2, 0, 1]
    assert cascading_scores(make_log("12", "2", roles="tvt")).tolist() == [1, 0, 1]


def test_paths_that_meet_are_counted_once():
    log = make_log("11", "1")
    assert cascading_scores(log).tolist() == [3, 2, 1]


@settings(max_examples=200, deadline=None)
@given(
    log=logs(min_train=0),
    max_seq_len=st.sampled_from([None, 1, 2, 3, 50]),
    rows=st.sampled_from(["all", "roots"]),
)
def test_scores_equal_brute_force(log, max_seq_len, rows):
    expected = brute_force(log, max_seq_len, rows)
    np.testing.assert_array_equal(cascading_scores(log, max_seq_len, rows), expected)
    assert expected.max(initial=0) == brute_force(log, max_seq_len).max(initial=0)  # roots lead


@settings(max_examples=50, deadline=None)
@given(log=logs(), kind=st.sampled_from(["deletion", "insertion"]))
def test_perturbed_logs_are_scored_too(log, kind):
    perturbed, _ = perturb(log, kind, count=1, rng=0)
    np.testing.assert_array_equal(cascading_scores(perturbed), brute_force(perturbed))


@pytest.mark.parametrize("rows", ["all", "roots"])
def test_blocks_of_columns_add_up(monkeypatch, rows):
    rng = np.random.default_rng(0)
    log = make_log(*("".join(map(str, rng.integers(1, 10, 40))) for _ in range(20)))
    log.time[:] = np.sort(rng.integers(0, 50, (20, 40))).ravel()
    whole = cascading_scores(log, rows=rows)
    monkeypatch.setattr(casper, "_STATE_BITS", 1)  # the narrowest blocks, 64 columns
    np.testing.assert_array_equal(cascading_scores(log, rows=rows), whole)
    monkeypatch.setattr(casper, "_count_bits", lambda bits: bin(bits).count("1"))
    np.testing.assert_array_equal(cascading_scores(log, rows=rows), whole)
    np.testing.assert_array_equal(whole, brute_force(log, rows=rows))


@settings(max_examples=30, deadline=None)
@given(log=logs(), max_seq_len=st.sampled_from([None, 2]))
def test_estimates_are_near(log, max_seq_len):
    scores = cascading_scores(log, max_seq_len)
    estimates = estimate_cascading_scores(log, max_seq_len, k=10_002, rng=np.random.default_rng(0))
    assert (estimates[scores == 0] == 0).all()
    scored = scores > 0
    assert abs(estimates[scored] / scores[scored] - 1).max() < 0.06  # six standard errors


def test_estimates_have_the_stated_error():
    log = make_log("1" * 50)
    ratio = [
        estimate_cascading_scores(log, k=27, rng=np.random.default_rng(seed))[0] / 50
        for seed in range(400)
    ]
    assert abs(np.mean(ratio) - 1) < 4 * 0.2 / 20  # no bias
    assert abs(np.std(ratio) - 0.2) < 0.035  # 1 / sqrt(k - 2)


def test_bad_input_is_refused():
    log = make_log("12")
    with pytest.raises(UserError, match="rows='some'"):
        cascading_scores(log, rows="some")
    with pytest.raises(UserError, match="max_seq_len=0"):
        cascading_scores(log, 0)
    with pytest.raises(UserError, match="k=2"):
        estimate_cascading_scores(log, k=2, rng=np.random.default_rng(0))
    assert cascading_scores(make_log()).tolist() == []
    assert estimate_cascading_scores(make_log(), rng=np.random.default_rng(0)).tolist() == []


@pytest.mark.slow
@pytest.mark.parametrize("max_seq_len", [None, 10])
def test_foursquare_scores_equal_brute_force(max_seq_len):
    log = foursquare(20_000)
    scores = cascading_scores(log, max_seq_len)
    roots = brute_force(log, max_seq_len, "roots")
    np.testing.assert_array_equal(cascading_scores(log, max_seq_len, "roots"), roots)
    pairs = [(a, b) for a, following in successors(log, max_seq_len).items() for b in following]
    source, target = np.array(pairs).T
    graph = coo_matrix((np.ones(len(pairs)), (source, target)), shape=(len(log),) * 2).tocsr()
    for position in range(len(log)):
        reached = breadth_first_order(graph, position, return_predecessors=False)
        assert scores[position] == len(reached), position
