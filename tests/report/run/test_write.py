"""The files of the report: right, escaped, the same again, and without an outside address."""

import re
import shlex
import warnings
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import yaml
from plotly.offline import get_plotlyjs

from recbole_finest.report.run.command import SAME_RUN, text_of
from recbole_finest.report.run.write import write_report
from recbole_finest.report.table import escape_markdown
from tests.report.run.sample_run import EVIL, MEAN, NDCG, write_run

FETCHED = (
    "src",
    "srcset",
    "href",
    "data",
    "poster",
    "action",
    "formaction",
    "background",
    "xlink:href",
)


@pytest.fixture
def run(tmp_path):
    folder = write_run(tmp_path / "run")
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        write_report(folder)
    return folder


def test_the_command_is_in_both_reports_as_text(tmp_path):
    folder = write_run(tmp_path / "run")
    write_report(folder)
    assert not any(SAME_RUN in (folder / f"report.{end}").read_text() for end in ("md", "html"))
    settings = yaml.safe_load((folder / "config.yaml").read_text())
    given = {"model": "SASRec", "seed": 7, "wandb_project": f"{EVIL}\n# not a heading"}
    given["explicit"] = ["model", "wandb_project"]
    (folder / "config.yaml").write_text(yaml.safe_dump({**settings, **given}))
    write_report(folder)
    words = ["python", "run_finest.py", "--model=SASRec", "--dataset=toy", "--seed=7"]
    words.append(f"--wandb_project={text_of(given['wandb_project'])}")
    page = (folder / "report.html").read_text()
    reader = Reader()
    reader.feed(page[page.index('<pre id="command">') : page.index("</pre>")])
    assert shlex.split("".join(reader.text)) == words
    assert set(reader.tags) == {"pre", "code", "span"}
    report = (folder / "report.md").read_text()
    code = report[report.index(SAME_RUN) :].splitlines()[2:]
    assert all(line.startswith("    ") for line in code)
    assert shlex.split("\n".join(line[4:] for line in code)) == words


class Reader(HTMLParser):
    """Collects what a browser would fetch, the elements, and the page's text."""

    def __init__(self):
        super().__init__()
        self.addresses, self.tags, self.text, self.styles = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in FETCHED]
        self.styles += [value for name, value in attrs if name == "style"]

    def handle_data(self, data):
        inside = self.tags[-1] if self.tags else ""
        (self.styles if inside == "style" else self.text).append(data)


def read(run):
    reader = Reader()
    reader.feed((run / "report.html").read_text(encoding="utf-8"))
    return reader


def test_the_page_names_no_outside_address(run):
    page = read(run)
    assert page.addresses and all(a.startswith(("#", "data:")) for a in page.addresses)
    assert not re.search(r"url\(|@import", " ".join(page.styles))
    assert not {"iframe", "object", "embed", "base", "img"} & set(page.tags)
    own = (run / "report.html").read_text(encoding="utf-8").replace(get_plotlyjs(), "")
    assert re.findall(r"\w+://[\w.]+", own.replace(EVIL, "")) == re.findall(
        r"http://evil\.example", own
    )


def test_the_page_forbids_the_browser_to_fetch(run):
    page = (run / "report.html").read_text(encoding="utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)[1]
    assert policy.startswith("default-src &#39;none&#39;") and "http" not in policy
    assert page.count("plotly.js v") == get_plotlyjs().count("plotly.js v")  # embedded once


def test_every_table_that_compares_methods_has_two_blocks(run):
    text = (run / "report.md").read_text(encoding="utf-8")
    titles = ("Stability", "Stability without seen items", "Accuracy", "Near-ties")
    for title in titles:
        table = text[text.index(f"\n## {title}\n") :].split("\n\n")[2]
        lines = [[c.strip() for c in line.strip("|").split("|")] for line in table.splitlines()[2:]]
        block = {row[1]: row[0].lower().rpartition(", ")[2] for row in lines}
        assert block.pop("finest") == "knowing the deployed model", title
        assert block.pop("finest'", "knowing the deployed model") == "knowing the deployed model"
        assert block and set(block.values()) == {"retrained alone"}, title
    for words in ("retrained alone", "knowing the deployed model"):
        part = text[text.index(f"\n## Stability by group: {words}\n") :]
        header = part.split("\n\n")[2].splitlines()[0]
        assert ("finest" in header, "base" in header) == ("knowing" in words, "alone" in words)
    movement = pd.read_csv(run / "tables" / "movement.csv")
    assert set(movement["model"]) == {"base (alone)", "finest (anchored)"}


def test_the_first_sentences_say_question_and_interval(run):
    text = (run / "report.md").read_text(encoding="utf-8")
    assert "each side retrained alone, have a mean Jaccard@2 of 0.583 [" in text
    assert "- Knowing the deployed model: finest (0.667 [" in text
    # resamples of u1 and u2 have nothing to remove, so that there is no interval
    words = (
        "shows no effect (20 % of base's instability, without an interval); keeping the deployed"
    )
    assert words in text and "| 20 % (no interval) " in text


def test_one_question_is_one_block_as_before(tmp_path):
    folder = write_run(tmp_path / "run", reference_model="own")
    write_report(folder)
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert "- Retrained alone: finest (0.667 [" in text
    assert "## Stability by group\n" in text and "| jaccard@2 " in text
    assert "nowing the deployed" not in text.replace("a method that knows the deployed", "")
    assert not (folder / "tables" / "slices-anchored.csv").exists()


def test_tokens_are_escaped_everywhere(run):
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page and "<b>u4" not in page and "<co>" not in page
    assert "&lt;script&gt;alert(" in page and "&lt;b&gt;u4" in page
    reader = read(run)
    assert EVIL in reader.text and "b" not in reader.tags
    markdown = (run / "report.md").read_text(encoding="utf-8")
    assert "<script" not in markdown and not re.search(r"(?<!\\)\]\(", markdown)
    assert "# SASRec on toy & &lt;co>" in markdown


def test_markdown_escapes_markup_and_leaves_numbers_alone():
    assert escape_markdown("a|b*c_d`e") == r"a\|b\*c\_d\`e"
    assert escape_markdown("0.5 [0.4, 0.6], p < 0.001 & more") == "0.5 [0.4, 0.6], p < 0.001 & more"


def test_csv_is_unrounded(run):
    found = pd.read_csv(run / "tables" / "stability.csv")
    row = found[(found.measure == "jaccard@2") & (found.model == "finest")].iloc[0]
    assert row["mean"] == pytest.approx(MEAN["finest"], abs=1e-15)
    assert row["removed"] == pytest.approx(0.2)
    accuracy = pd.read_csv(run / "tables" / "accuracy.csv").set_index(["model", "metric"])
    assert accuracy.loc[("base'", "ndcg@2"), "mean"] == pytest.approx(NDCG, abs=1e-15)
    assert accuracy.loc[("base", "recall@2"), "low"] == accuracy.loc[("base", "hit@2"), "low"]
    examples = pd.read_csv(run / "tables" / "examples.csv")
    assert EVIL in set(examples["item"])


def test_the_values_of_every_instance_are_kept(run):
    with np.load(run / "per_instance.npz", allow_pickle=False) as found:
        assert found["users"].tolist() == ["u1", "u2", "u3", "<b>u4</b>"]
        assert found["base/jaccard@2"] == pytest.approx([1, 1, 1 / 3, 0], abs=1e-12)
        assert found["finest/jaccard@2"] == pytest.approx([1, 1, 1 / 3, 1 / 3], abs=1e-12)
        assert set(found["control/rbo@2"]) == {1.0}


def test_the_same_figures_in_html_markdown_and_latex(run):
    files = [run / "report.html", run / "report.md", run / "tables" / "stability.tex"]
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert f"{MEAN['base']:.4f} [" in text and "20 %" in text.replace("\\%", "%"), file.name
    for tex in (run / "tables").glob("*.tex"):
        text = tex.read_text(encoding="utf-8")
        assert text.count("\\begin{tabular}") == text.count("\\end{tabular}") == 1
        assert not re.search(r"(?<!\\)[%#_]", text), tex.name


def test_every_figure_is_drawn_with_labelled_axes(run):
    page = (run / "report.html").read_text(encoding="utf-8").replace(get_plotlyjs(), "")
    names = re.findall(r'Plotly\.newPlot\(\s*"figure-([\w-]+)"', page)
    assert set(names) >= {"users-jaccard", "users-rbo", "depth", "slice-0", "curve-ndcg-anchored"}
    assert {"users-jaccard-anchored", "depth-anchored", "slice-0-anchored"} <= set(names)
    assert {"movement-base", "movement-finest", "curve-jaccard-anchored"} <= set(names)
    assert len(set(names)) == len(names)
    axes = re.findall(r'"[xy]axis":\{.*?"text":"([^"]*)"', page)
    assert len(axes) == 2 * len(names) and all(axes)


def test_a_run_without_perturbation_has_a_report_too(tmp_path):
    folder = write_run(tmp_path / "run", perturbed=False)
    write_report(folder)
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert "No test perturbation" in text and "## Similarity to base" in text
    assert not (folder / "tables" / "stability.csv").exists()


def test_a_failed_control_is_said(tmp_path):
    folder = write_run(tmp_path / "run")
    lists = folder / "ranklists"
    (lists / "control.npz").write_bytes((lists / "base_perturbed.npz").read_bytes())
    write_report(folder)
    assert "Control failed" in (folder / "report.md").read_text(encoding="utf-8")
