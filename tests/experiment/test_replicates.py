"""Several seeds and test perturbations in one run."""

import json

import pytest

from recbole_finest import run_finest
from recbole_finest.cli.main import main
from recbole_finest.config.seeds import seed_list
from recbole_finest.evaluator.lists.ranklists import RankLists
from recbole_finest.report.run.summary_table import summary_table

SAME = ("accuracy", "stability", "stability_filtered", "similarity_to_base", "plasticity", "lists")


def own(parts, methods=("base", "plain", "finest")):
    """Without the controls, which belong to the first pair."""
    return {
        kind: {m: v for m, v in parts[kind].items() if m.removesuffix("_perturbed") in methods}
        for kind in SAME
    }


@pytest.fixture
def small(toy):
    return {**toy, "epochs": 1, "finest_epochs": 1}


def test_every_pair_is_what_a_run_of_its_own_gives(small, tmp_path):
    settings = {**small, "seeds": [0, 1], "perturbation_seeds": [3, 4]}
    result = run_finest("GRU4Rec", "toy", config_dict=settings)
    rows = result["replicates"]
    found = [(row["seed"], row["perturbation_seed"], row["folder"]) for row in rows]
    assert found == [
        (0, 3, "."),
        (0, 4, "replicates/0-4"),
        (1, 3, "replicates/1-3"),
        (1, 4, "replicates/1-4"),
    ]
    assert own(rows[0]) == own(result) and "control" in result["stability"]
    for row in (rows[1], rows[3]):
        alone = {**small, "seed": row["seed"], "perturbation_seed": row["perturbation_seed"]}
        alone |= {"output_dir": str(tmp_path / "alone"), "overwrite": True}
        assert own(run_finest("GRU4Rec", "toy", config_dict=alone)) == own(row)
    folder = tmp_path / "run" / "replicates"
    assert not (folder / "0-4" / "base.pth").exists()  # the run's own
    assert (folder / "1-3" / "base.pth").exists() and (
        folder / "0-4" / "finest_perturbed.pth"
    ).exists()
    assert len(RankLists.load(folder / "1-4" / "ranklists" / "finest.npz").users) == 30
    written = json.loads((tmp_path / "run" / "result.json").read_text())
    assert written["replicates"] == rows
    assert result["ambiguity"]["finest"]["ambiguity@10"] == ambiguity_by_hand(tmp_path / "run")
    of_the_report = [folder / "0-4" / name for name in ("report.md", "per_instance.npz", "tables")]
    assert not any(path.exists() for path in of_the_report)
    assert main(["report", str(folder / "0-4")]) == 0
    assert all(path.exists() for path in of_the_report)
    text = (tmp_path / "run" / "report.md").read_text()
    assert (
        "Over 2 training seeds × 2 test perturbations, Jaccard@10 of finest (anchored) differs"
        in text
    )
    printed = summary_table(result)
    assert "over 2 training seeds × 2 test perturbations" in printed and " ± " in printed


def ambiguity_by_hand(folder):
    """Of finest at 10: over the clean and the two perturbed models of each of the two seeds."""
    shares = []
    for runs in ([folder, folder / "replicates/0-4"], [folder / f"replicates/1-{s}" for s in "34"]):
        files = [runs[0] / "ranklists/finest.npz"]
        files += [run / "ranklists/finest_perturbed.npz" for run in runs]
        lists = [RankLists.load(file) for file in files]
        decided = [
            {bool(target in items[:10]) for items in rows}
            for target, *rows in zip(lists[0].targets, *(one.items for one in lists))
        ]
        shares.append(sum(len(answers) > 1 for answers in decided) / len(decided))
    return sum(shares) / 2


def test_resume_adds_a_perturbation_and_trains_nothing_twice(small, tmp_path):
    first = run_finest("GRU4Rec", "toy", config_dict={**small, "control": False})
    stamp = (tmp_path / "run" / "base.pth").stat().st_mtime_ns
    more = {**small, "control": False, "resume": True, "perturbation_seeds": [0, 1]}
    second = run_finest("GRU4Rec", "toy", config_dict=more)
    part = tmp_path / "run" / "replicates" / f"{second['seed']}-1"
    assert second["stability"] == first["stability"] and len(second["replicates"]) == 2
    assert (tmp_path / "run" / "base.pth").stat().st_mtime_ns == stamp
    stamp = (part / "base_perturbed.pth").stat().st_mtime_ns
    third = run_finest("GRU4Rec", "toy", config_dict=more)
    assert third["replicates"] == second["replicates"]
    assert (part / "base_perturbed.pth").stat().st_mtime_ns == stamp
    again = {**small, "overwrite": True, "perturbation_ratio": 0}
    run_finest("GRU4Rec", "toy", config_dict=again)
    assert not list(part.glob("*.*"))  # a replaced run's replicates are gone with it


def test_seeds_as_a_command_line_gives_them():
    assert seed_list(3) == [3] and seed_list("0,1,2") == [0, 1, 2]
    assert seed_list([4]) == [4] and seed_list(None) is None and seed_list("all") == "all"


BAD = [
    ({"seeds": [1, 2], "seed": 7}, "seed is 7, which is not among seeds"),
    ({"seeds": [1, 1]}, "distinct whole numbers"),
    ({"seeds": "0,x"}, "distinct whole numbers"),
    ({"seeds": -1}, "distinct whole numbers"),
    ({"perturbation_seeds": []}, "distinct whole numbers"),
    ({"perturbation_seeds": [0, 1], "perturbation_ratio": 0}, "perturbation_ratio is 0"),
    ({"perturbation_seeds": [0, 1], "perturbation_selection": "casper"}, "draw the same changes"),
]


@pytest.mark.parametrize(("settings", "said"), BAD, ids=[str(s)[:40] for s, _ in BAD])
def test_what_would_be_no_replicates_is_refused(toy, capsys, settings, said):
    words = [f"--{k}={v}" for k, v in {**toy, **settings}.items()]
    assert main(["--model=GRU4Rec", "--dataset=toy", *words]) == 2
    error = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(error) == 1 and said in error[0]


def test_filter_seen_can_be_turned_off(small, tmp_path):
    result = run_finest("GRU4Rec", "toy", config_dict={**small, "filter_seen": False})
    assert result["stability_filtered"] == {}
    assert not list((tmp_path / "run").glob("ranklists_unseen/*"))
    assert "Without seen items" not in (tmp_path / "run" / "report.html").read_text()
