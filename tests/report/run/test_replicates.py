"""Several seeds and perturbations in the report."""

import json

import pandas as pd
import pytest

from recbole_finest.report.run.collect import collect
from recbole_finest.report.run.headline import headline
from recbole_finest.report.run.replicates import printed
from recbole_finest.report.run.run_folder import RunFolder
from recbole_finest.report.run.write import write_report
from tests.report.run.sample_run import add_replicates, write_run


@pytest.fixture
def run(tmp_path):
    return add_replicates(write_run(tmp_path / "run"))


def test_the_claim_stands_at_the_top_and_says_its_scope(run):
    said = headline(collect(RunFolder(run)))[2]
    assert said.startswith(
        "Over 1 training seed × 2 test perturbations, Jaccard@2 of finest (anchored) differs from that "
        "of base (alone)"
    )
    assert "+0.2250 ± 0.0354" in said and "2 of 2" in said and "one trained base" in said
    # Student's t of two values: 0.025 · 12.7 to either side
    assert said.endswith("The interval holds 0: no effect is shown.")


def test_the_printed_table_over_pairs_has_a_block_for_each_question(run):
    result = json.loads((run / "result.json").read_text())
    answered = {"base": "alone", "finest": "anchored"}
    blocks = printed({**result, "question": answered}, ["jaccard@2"]).split("\n\n")
    assert [block.splitlines()[0] for block in blocks] == [
        "Retrained alone:",
        "Knowing the deployed model:",
    ]
    assert "| base    | 0.5500 ± 0.0707 |" in blocks[0] and "finest" not in blocks[0]
    assert "| finest  | 0.7750 ± 0.0354 |" in blocks[1] and "base" not in blocks[1]
    assert printed({**result, "question": dict.fromkeys(answered, "alone")}, []).count("\n\n") == 0


def test_tables_and_figure(run):
    write_report(run)
    found = pd.read_csv(run / "tables" / "replicates.csv")
    row = found[(found.model == "base") & (found.measure == "jaccard@2")].iloc[0]
    assert (row["n"], row["least"], row["most"]) == (2, 0.5, 0.6)
    assert row["mean"] == pytest.approx(0.55, abs=1e-12)
    method = pd.read_csv(run / "tables" / "method.csv").iloc[0]
    assert method["removed"] == pytest.approx(0.5, abs=1e-12) and method["better"] == 2
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "Plotly.newPlot" in page and "figure-replicates" in page and 'href="#replicates"' in page
    text = (run / "report.md").read_text(encoding="utf-8")
    assert "0.5500 ± 0.0707" in text and "2 of 2" in text


def test_a_run_of_one_pair_has_neither(tmp_path):
    folder = write_run(tmp_path / "run")
    write_report(folder)
    assert not (folder / "tables" / "replicates.csv").exists()
    assert "figure-replicates" not in (folder / "report.html").read_text(encoding="utf-8")
