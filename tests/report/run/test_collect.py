"""The report's figures, worked out by hand on the sample run."""

import json

import numpy as np
import pytest

from recbole_finest.errors import UserError
from recbole_finest.evaluator.lists.instances import Instances
from recbole_finest.evaluator.measures.direction import share_removed
from recbole_finest.evaluator.ranks import ranks_in, target_ranks
from recbole_finest.report.run.collect import collect
from recbole_finest.report.run.examples import choose
from recbole_finest.report.run.item_names import item_names
from recbole_finest.report.run.run_folder import RunFolder
from recbole_finest.report.run.slices import by_number
from tests.report.run.sample_run import CLEAN, EVIL, MEAN, NDCG, add_method, as_lists, write_run


@pytest.fixture
def report(tmp_path):
    return collect(RunFolder(write_run(tmp_path / "run")))


def test_sizes_and_names(report):
    assert (report.n_instances, report.n_users, report.depth, report.k) == (4, 4, 4, 2)
    assert report.measure == "jaccard@2" and report.methods == ["base", "finest"]


def test_stability_of_base_finest_and_control(report):
    for name, mean in MEAN.items():
        row = report.pairs[name].summary["jaccard@2"]
        assert row["mean"] == pytest.approx(mean, abs=1e-12)
        assert row["low"] <= row["mean"] <= row["high"]
    assert report.pairs["base"].summary["jaccard@2"]["median"] == pytest.approx(2 / 3)
    assert report.pairs["control"].summary["rbo@2"]["low"] == pytest.approx(1, abs=1e-12)


def test_stability_against_depth(report):
    by_depth = report.pairs["base"].by_depth
    assert by_depth[1] == 0.5 and by_depth[4] == 1
    assert by_depth[2] == pytest.approx(MEAN["base"])
    assert by_depth[3] == pytest.approx((1 + 1 + 1 + 0.5) / 4)


def test_accuracy_of_instances_has_recboles_means(report):
    assert report.accuracy["base"]["ndcg@2"]["mean"] == pytest.approx(NDCG)
    assert report.accuracy["base"]["hit@2"]["mean"] == 0.5
    assert "recall@2" not in report.accuracy["base"]  # the same as hit


def test_paired_comparison(tmp_path):
    report = collect(RunFolder(write_run(tmp_path / "run", reference_model="own")))
    assert report.question == {"base": "alone", "finest": "alone"} and not report.both
    found = report.paired["base", "finest"]["jaccard@2"]
    assert found.difference == pytest.approx(1 / 12)
    assert report.paired["base", "finest"]["ndcg@2"].difference == 0
    assert ("plain", "finest") not in report.paired


def test_stability_is_compared_within_a_question_only(tmp_path):
    folder = write_run(tmp_path / "run")
    add_method(folder, "warm_start", ["abcd", "abcd", "abcd", "acbd"])
    add_method(folder, "plain", ["abcd", "abcd", "abcd", "cdab"])
    add_method(folder, "keep", CLEAN)
    report = collect(RunFolder(folder))
    alone, anchored = ["base", "plain"], ["finest", "warm_start", "keep"]
    assert report.blocks(report.methods) == {"alone": alone, "anchored": anchored}
    assert report.blocks(["control", "finest_perturbed"]) == {
        "alone": ["control"],
        "anchored": ["finest_perturbed"],
    }
    compared = {pair: "jaccard@2" in found for pair, found in report.paired.items()}
    # with base, what knows the deployed model is compared in accuracy alone; keep, in nothing
    assert compared == {
        ("base", "finest"): False,
        ("base", "warm_start"): False,
        ("base", "plain"): True,
        ("warm_start", "finest"): True,
    }
    assert set(report.paired["base", "finest"]) == {"ndcg@2", "hit@2"}
    # means: finest 2/3, warm_start 5/6
    assert report.paired["warm_start", "finest"]["jaccard@2"].difference == pytest.approx(-1 / 6)


def test_what_was_removed_has_its_interval_where_there_is_one(tmp_path, report):
    found = report.removed["jaccard@2"]["finest"]
    # distances: base 0 0 2/3 1, finest 0 0 2/3 2/3; resamples of u1 and u2 have nothing to remove
    assert found["mean"] == pytest.approx(0.2) and np.isnan([found["low"], found["high"]]).all()
    folder = write_run(tmp_path / "other")
    lists = ["badc", "cdab", "acbd", "cdab"]  # of base: distances 0 1 2/3 1 at depth 2, none at 4
    as_lists(lists, None).save(folder / "ranklists" / "base_perturbed.npz")
    found = collect(RunFolder(folder)).removed["rbo@2"]["finest"]
    assert found["low"] < found["mean"] < found["high"] <= 1


def test_slices(report):
    found = {s.title: s.groups for s in report.slices}
    place = found["Place of the true next item in base's list"]
    assert list(place) == ["top 2", "3 to 4", "beyond 4"]
    means = [group["metrics"]["base"]["mean"] for group in place.values()]
    assert means == pytest.approx([1, 1 / 3, 0])
    touched = found["Users with a changed interaction"]
    assert touched["perturbed"]["n"] == 1 and touched["untouched"]["n"] == 3
    assert touched["perturbed"]["metrics"]["finest"]["mean"] == pytest.approx(1 / 3)
    lengths = found["Length of the history"]  # 3, 5, 8, 9: terciles cut at 5 and 8
    assert {group: of["n"] for group, of in lengths.items()} == {"3 to 5": 2, "8": 1, "9": 1}


def test_near_ties(report):
    near = report.pairs["base"].near
    assert (near.left, near.pairs, near.flipped) == (3, 4, 1)
    assert near.left_near == {0.01: 0, 0.1: 1}  # 0.045, 0.045 and 0.05 above the third place
    assert near.flipped_near[0.01] == 1  # u2's, 0.005 apart
    assert near.pairs_near[0.01] == 1


def test_where_items_went(report):
    found = report.pairs["base"].movement
    assert found.before == ["1", "2", "3–4"] and found.after == ["1", "2", "3–4", "> 4"]
    assert found.counts.tolist() == [[2, 1, 1, 0], [1, 1, 2, 0], [1, 2, 5, 0]]
    assert found.shares.sum(axis=1) == pytest.approx(1)


def test_examples_are_the_most_and_the_least_changed(report):
    assert [(e.group, e.user) for e in report.examples] == [
        ("most", "<b>u4</b>"),
        ("most", "u3"),
        ("least", "u1"),
        ("least", "u2"),
    ]
    first = report.examples[0]
    assert list(first.columns) == ["base", "base_perturbed", "finest", "finest_perturbed"]
    assert [e.note for e in first.columns["base"]] == ["out, to 3", "out, to 4"]
    assert [e.note for e in first.columns["base_perturbed"]] == ["new, from 3", "new, from 4"]
    assert [e.token for e in first.columns["base"]] == [EVIL, "b"]
    assert first.values == pytest.approx({"base": 0, "finest": 1 / 3})


def test_stability_without_seen_items_is_read_from_its_own_lists(report):
    assert report.filtered["finest"]["jaccard@2"]["mean"] == pytest.approx(MEAN["finest"])


def test_instability_removed_in_either_direction():
    assert share_removed("jaccard@2", 0.5, 0.9) == pytest.approx(0.8)
    assert share_removed("churn@2", 0.5, 0.1) == pytest.approx(0.8)
    assert np.isnan(share_removed("jaccard@2", 1.0, 0.9))


def test_figures_show_a_measure_that_grows_with_agreement(tmp_path):
    folder = write_run(tmp_path / "run")
    config = (folder / "config.yaml").read_text().replace("- RBO", "").replace("Jaccard", "Churn")
    (folder / "config.yaml").write_text(config)
    report = collect(RunFolder(folder))
    assert report.measure == "jaccard@2"
    assert report.pairs["base"].summary["churn@2"]["mean"] == pytest.approx((0.5 + 1) / 4)
    assert report.examples[0].user == "<b>u4</b>"


def test_a_run_without_perturbation_compares_finest_with_base(tmp_path):
    report = collect(RunFolder(write_run(tmp_path / "run", perturbed=False)))
    assert report.pairs == {} and report.slices == [] and report.paired == {}
    assert report.similarity["finest"]["jaccard@2"]["mean"] == 1
    assert list(report.examples[0].columns) == ["base", "finest"]


def test_an_older_run_without_instances_has_fewer_slices(tmp_path):
    folder = write_run(tmp_path / "run")
    (folder / "instances.npz").unlink()
    assert len(collect(RunFolder(folder)).slices) == 2


def test_each_user_is_one_example():
    values, users = np.array([0.1, 0.2, 0.9, 0.3]), np.array([0, 0, 0, 1])
    chosen = choose([values], users)
    assert chosen["most"].tolist() == [0] and chosen["least"].tolist() == [3]


def test_ranks_in_another_list():
    one, other = np.array([[0, 1, 2, -1]]), np.array([[2, 3, 0, -1]])
    assert ranks_in(one, other, 4).tolist() == [[3, 0, 1, 0]]
    assert target_ranks(np.array([[5, 3], [3, 5]]), np.array([3, 9])).tolist() == [2, 0]


def test_bands_say_their_ranges_and_equal_values_stay_together():
    found = by_number("x", "x", np.array([1, 1, 1, 1, 5, 9]))
    assert found.order == ["1", "5 to 9"]
    assert (found.labels == "1").sum() == 4


def test_item_names_come_from_the_item_file(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "d.item").write_text(
        "item_id:token\tgenre:token_seq\tmovie_title:token_seq\n1\tDrama\tToy Story\n2\tWar\t\n"
    )
    settings = {"data_path": str(tmp_path), "dataset": "d", "ITEM_ID_FIELD": "item_id"}
    assert item_names(settings, ["1", "2", "3"]) == {"1": "Toy Story"}
    assert item_names({**settings, "dataset": "none"}, ["1"]) == {}


def test_what_is_no_run_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match=r"no result\.json"):
        RunFolder(tmp_path)
    folder = write_run(tmp_path / "run")
    (folder / "ranklists" / "finest.npz").write_bytes(b"no archive")
    with pytest.raises(UserError, match=r"finest\.npz"):
        collect(RunFolder(folder))
    (folder / "result.json").write_text("{")
    with pytest.raises(UserError, match="cannot be read"):
        RunFolder(folder)
    (folder / "result.json").write_text(json.dumps({"model": "SASRec"}))
    with pytest.raises(UserError, match="lacks accuracy"):
        RunFolder(folder)


def test_instances_are_checked(tmp_path):
    np.savez(tmp_path / "instances.npz", a=np.zeros(1))
    with pytest.raises(UserError, match="test instances"):
        Instances.load(tmp_path / "instances.npz")


def test_what_a_run_does_not_say_of_its_question_is_worked_out(tmp_path):
    folder = write_run(tmp_path / "run")
    result = json.loads((folder / "result.json").read_text())
    for said in ([], {"finest": 3}, {"finest": "no question"}):
        (folder / "result.json").write_text(json.dumps({**result, "question": said}))
        assert collect(RunFolder(folder)).question == {"base": "alone", "finest": "anchored"}
    (folder / "result.json").write_text(json.dumps({**result, "question": {"finest": "alone"}}))
    assert collect(RunFolder(folder)).question == {"base": "alone", "finest": "alone"}
