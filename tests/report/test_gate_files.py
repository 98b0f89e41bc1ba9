"""The files of a gate: what is in them, and that an error takes the place of older ones."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from junitparser import Error, Failure, JUnitXml

from recbole_finest.errors import UserError
from recbole_finest.evaluator.lists.compare import compare
from recbole_finest.evaluator.lists.conditions import Condition
from recbole_finest.evaluator.lists.verdicts import Verdict
from recbole_finest.report.gate_files import Outputs
from recbole_finest.report.gate_junit import junit
from recbole_finest.report.gate_summary import outcome, summary
from tests.evaluator.lists.runs import lists

NAMES = ("a|b.csv", "<b>.csv")


@pytest.fixture
def pair():
    one = lists("uv", "  ", [["a", "b"], ["c", "d"]])
    other = lists("uv", "  ", [["a", "b"], ["c", "x"]])
    return compare(one, other, ["Jaccard"], [2, 3], names=NAMES)


@pytest.fixture
def verdicts(pair) -> list[Verdict]:
    texts = [("jaccard@2=0.6", "fail"), ("jaccard@2=0.7", "fail"), ("jaccard@2=0.9", "warn")]
    return [Condition.parse(text, "", level=level).check(pair) for text, level in texts]


@pytest.fixture
def outputs(tmp_path) -> Outputs:
    return Outputs(*(str(tmp_path / name) for name in ("o.json", "s.md", "j.xml")))


def read(outputs: Outputs) -> tuple[dict, str, JUnitXml]:
    parts = [Path(path) for path in outputs.named.values()]
    return json.loads(parts[0].read_text()), parts[1].read_text(), JUnitXml.fromfile(str(parts[2]))


def test_what_was_found_is_in_all_three(outputs, pair, verdicts, tmp_path):
    outputs.write([pair], verdicts, 1, seed=3)
    content, markdown, xml = read(outputs)
    assert (content["exit_code"], content["seed"], content["pairs"][0]["n"]) == (1, 3, 2)
    assert [one["holds"] for one in content["conditions"]] == [True, False, False]
    assert content["conditions"][1]["value"] == pytest.approx(2 / 3)
    heading, *_ = markdown.splitlines()
    assert heading == "## Rank lists compared: FAILED (1 of 3 conditions), 1 warning"
    rows = [[cell.strip() for cell in line.split(" | ")] for line in markdown.splitlines()]
    assert [
        "| **failed**",
        "jaccard@2 at least 0.7",
        "0.666667",
        r"a\|b.csv",
        "&lt;b>.csv |",
    ] in rows
    assert "| warning" in markdown and "| met" in markdown and "| 0.6667 |" in markdown
    assert "\n\n- No list of a\\|b.csv or &lt;b>.csv is longer than 2:" in markdown  # no table row
    assert (xml.tests, xml.failures, xml.errors) == (3, 1, 0)
    (suite,) = xml
    met, failed, warned = suite
    assert [case.name for case in suite] == [
        "fail: jaccard@2 at least 0.6",
        "fail: jaccard@2 at least 0.7",
        "warn: jaccard@2 at least 0.9",
    ]
    assert failed.classname == "<b>.csv against a|b.csv"
    assert [type(one) for one in failed.result] == [Failure]
    assert (
        failed.result[0].message == "jaccard@2 of <b>.csv against a|b.csv is 0.666667, below 0.7."
    )
    assert met.is_passed and warned.is_passed
    assert (
        warned.system_out.startswith("WARNING: jaccard@2 of") and "below 0.9" in warned.system_out
    )
    assert sorted(os.listdir(tmp_path)) == ["j.xml", "o.json", "s.md"]


def test_the_outcome_in_words(pair, verdicts):
    met, failed, warned = verdicts
    assert outcome([]) == "no condition"
    assert outcome([met, met]) == "passed"
    assert outcome([met, warned, warned]) == "passed, 2 warnings"
    assert outcome([met, failed]) == "FAILED (1 of 2 conditions)"
    assert summary([pair], []).splitlines()[2].startswith("| reference")


def test_an_error_takes_the_place_of_older_files(outputs, pair, verdicts):
    outputs.write([pair], verdicts, 0)
    assert outputs.write_error("no such <file> | x", []) == []
    content, markdown, xml = read(outputs)
    assert content == {"error": "no such <file> | x", "exit_code": 2}
    assert markdown == "## Rank lists compared: not possible\n\nno such &lt;file> \\| x\n"
    assert (xml.tests, xml.errors) == (1, 1)
    (case,) = next(iter(xml))
    assert isinstance(case.result[0], Error) and case.result[0].message == "no such <file> | x"


def test_without_junitparser_it_is_asked_for_and_an_old_file_goes(outputs, monkeypatch):
    for path in outputs.named.values():
        Path(path).write_text("old")
    monkeypatch.setitem(sys.modules, "junitparser", None)
    monkeypatch.setattr("recbole_finest.report.gate_junit.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"needs the package junitparser.*recbole-finest\[gate\]"):
        outputs.check([])
    assert outputs.write_error("none", []) == []
    assert not Path(outputs.junit).exists()
    assert json.loads(Path(outputs.output).read_text())["error"] == "none"


def test_a_file_that_is_read_is_never_written(tmp_path):
    lists_file, link = tmp_path / "a.trec", tmp_path / "link.trec"
    lists_file.write_text("lists")
    link.symlink_to(lists_file)
    for path in (lists_file, link):
        outputs = Outputs(output=str(path))
        with pytest.raises(UserError, match=r"--output .* is a file to be read, too"):
            outputs.check([str(lists_file)])
        outputs.write_error("refused", [str(lists_file)])
        assert lists_file.read_text() == "lists"


def test_paths_that_cannot_be_written_are_refused_before_all_else(tmp_path):
    file = str(tmp_path / "x")
    with pytest.raises(UserError, match=r"--summary .* is the file of --output, too"):
        Outputs(file, f"{tmp_path}/../{tmp_path.name}/x").check([])
    with pytest.raises(UserError, match=r"Cannot write --output .*no folder or device"):
        Outputs(str(tmp_path)).check([])
    with pytest.raises(UserError, match="Cannot write --output '/dev/null'"):
        Outputs("/dev/null").check([])
    with pytest.raises(UserError, match=r"Cannot write .*: there is no folder"):
        Outputs(f"{tmp_path}/none/x").check([])
    assert Outputs("/dev/null", str(tmp_path), f"{tmp_path}/none/x").write_error("e", []) == []
    assert not Path("/dev/null").is_file() and list(tmp_path.iterdir()) == []


def test_an_old_file_that_cannot_be_replaced_is_named(outputs, monkeypatch):
    Path(outputs.output).write_text("old")

    def refuse(*_, **__):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("recbole_finest.report.gate_files.write_json", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    (left,) = Outputs(outputs.output).write_error("e", [])
    assert left == f"{outputs.output} could not be replaced (Read-only file system) and is old."
    with pytest.raises(UserError, match=r"--output .* cannot be written: Read-only"):
        Outputs(outputs.output).clear()


def test_characters_that_xml_and_utf8_cannot_hold(outputs, verdicts):
    odd = "bell \x07, no text \udcff"
    shown = [Verdict("jaccard@2", "least", 0.5, "fail", odd, "b", 0.1)]
    case = next(iter(next(iter(JUnitXml.fromstring(junit(shown))))))
    assert case.classname == "b against bell \ufffd, no text \ufffd"
    outputs.write_error(odd, [])
    content, markdown, _ = read(outputs)
    assert content["error"] == odd
    assert "no text ?" in markdown
