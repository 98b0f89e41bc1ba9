"""The tables of the benchmarks: their arithmetic, and that every line of the goals is there."""

import importlib.util
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


def load(name, monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


def test_rows_of_one_model(monkeypatch):
    training = load("training", monkeypatch)
    found = {
        "recbole": {"epoch": 100.0, "peak": 4.0},
        "packed": {"epoch": 4.0, "peak": 1.0},
        "packed finest": {"epoch": 9.0, "peak": 1.0, "reference": 25.0},
    }
    rows = training.rows_of("SASRec-ml-1m", found)
    assert [row[1:5] for row in rows] == [
        ["SASRec, ml-1m", "≤ 0.05", "0.040", "yes"],
        ["SASRec, ml-1m", "≤ 0.08", "0.090", "no"],
        ["SASRec, ml-1m", "≤ 0.2", "0.250", "no"],
        ["SASRec, ml-1m", "≤ 0.5", "0.250", "yes"],
    ]


def test_growth_is_per_interaction(monkeypatch):
    training = load("training", monkeypatch)
    found = {"1": {"epoch": 2.0}, "4": {"epoch": 8.4}, "16": {"epoch": 36.0}}
    rows = training.rows_of("growth", found)
    assert [row[3:5] for row in rows] == [["1.050", "yes"], ["1.125", "no"]]


def test_every_line_gives_rows_and_the_notes_follow_the_table(monkeypatch, tmp_path):
    training = load("training", monkeypatch)
    one = {"epoch": 1.0, "peak": 1.0, "reference": 1.0}
    names = ["recbole", *training.OURS]
    results = {line: {name: one for name in names} for line in training.LINES}
    results["LRURec-foursquare"] = {"recent": one, "whole": one}
    results["growth"] = {str(times): one for times in training.GROWTH}
    (tmp_path / "notes.md").write_text("## Why\n")
    monkeypatch.setattr(sys, "argv", ["training.py"])
    training.write(tmp_path / "out.md", tmp_path / "notes.md", training._arguments(), results)
    text = (tmp_path / "out.md").read_text()
    # 3 × instance, 3 × instance finest, 4 × packed, 4 × packed finest, references,
    # memory, 2 × authors, 2 × growth
    assert text.count("| yes") + text.count("| no") == 3 + 3 + 4 + 4 + 2 + 2 + 2
    assert text.endswith("## Why\n")
    assert "torch" in text


def test_packed_accuracy_gives_means_spreads_and_welchs_interval(monkeypatch):
    accuracy = load("packed_accuracy", monkeypatch)
    ndcg = {"packed": [0.04, 0.05, 0.06], "instance": [0.05, 0.06, 0.07]}
    values = {
        f"{mode} {seed}": {"base": found, "finest": 2 * found}
        for mode, of_seeds in ndcg.items()
        for seed, found in enumerate(of_seeds)
    }
    base, finest = accuracy.table(values, 3).splitlines()[2:]
    # standard error √(2 · 0.01² / 3) = 0.008165, 4 degrees of freedom: t₀.₉₇₅ = 2.776, p = 0.288
    assert "0.0500 ± 0.0100 | 0.0600 ± 0.0100 | -0.0100 [-0.0327, +0.0127] | 0.29" in base
    assert "0.1000 ± 0.0200 | 0.1200 ± 0.0200 | -0.0200 [-0.0653, +0.0253] | 0.29" in finest


def test_gpu_check_says_in_one_sentence_that_there_is_no_gpu(monkeypatch):
    load("training", monkeypatch)
    check = load("gpu_check", monkeypatch)
    monkeypatch.setattr(sys, "argv", ["gpu_check.py"])
    monkeypatch.setattr(check.torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit) as stop:
        check.main()
    assert str(stop.value).count(".") == 2 and "needs a CUDA GPU" in str(stop.value)


def test_gpu_check_leaves_out_what_begins_too_late(monkeypatch):
    load("training", monkeypatch)
    check = load("gpu_check", monkeypatch)
    found = {"epoch": 1.5, "step": 0.01, "kernels": 0.4, "gpu_peak": 2.0, "peak": 3.0}
    monkeypatch.setattr(check, "measured", lambda *_: found)
    clock = iter([0, 1, 2, *[10**6] * 100])
    monkeypatch.setattr(check.time, "monotonic", lambda: next(clock))
    args = type("Args", (), {"datasets": "ml-100k"})
    rows = check.costs(args)
    assert rows[0] == ["SASRec", "ml-100k", "recbole", "1.50", "10.0", "40 %", "2.00", "3.00"]
    assert rows[1][3] == "1.50" and rows[2][3:] == ["–"] * 5
    assert len(rows) == sum(map(len, check.MODELS.values()))
