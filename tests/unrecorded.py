"""Tables of figures in README and docs whose records are not committed.

A row is page, heading, first columns, how many there are, and the page's own words that say what measured
them. A new table needs a record instead (``tests/figures.py``).
"""

from __future__ import annotations

UNRECORDED = [
    ("docs/versions.md", "Versions", ", Python, NumPy", 1, "The counts are of `make pytest`"),
    (
        "docs/files.md",
        "Files: what is read, and how much of it",
        "format, read by, bounds",
        1,
        "not measurements",
    ),
    (
        "docs/reliability.md",
        "Damaged and exchanged files",
        "command, cases, refused",
        1,
        "`python benchmarks/damage.py`: every file of a toy run and of a cell of each kind",
    ),
    (
        "docs/reliability.md",
        "Full disks and folders",
        ", one sentence, exit",
        1,
        "`python benchmarks/full_disk.py`: GRU4Rec on 30 users",
    ),
    (
        "docs/reliability.md",
        "Interrupted runs",
        ", killed, at a step",
        1,
        "`python -m tests.experiment.crashes FOLDER KILLS CHAINS PROCESSES SIGNAL`; toy data",
    ),
    (
        "docs/reliability.md",
        "Files from strangers",
        "format, files, refus",
        1,
        "`tests/formats/corpus.py` makes 162 hostile files",
    ),
    (
        "docs/reliability.md",
        "Files from strangers",
        "reader, files, refus",
        1,
        "`python benchmarks/fuzz.py` damages valid files",
    ),
    (
        "README.md",
        "What was learnt",
        ", question",
        1,
        "[the whole table](docs/methods.md#what-the-anchor",
    ),
    (
        "docs/experiment.md",
        "Beside the released code",
        "model, ",
        2,
        "python benchmarks/paper.py --models",
    ),
    (
        "docs/experiment.md",
        "Three seeds",
        "model, base Jaccard@10 (alone)",
        2,
        "python run_finest.py --config_files=properties/benchmark/paper_models.yaml --model=LSTM --seeds",
    ),
    (
        "docs/experiment.md",
        "The regulariser and its weight",
        "model, base (alone)",
        1,
        "python run_benchmark.py --config=properties/benchmark/paper_ablation.yaml --seeds=0",
    ),
    # exit codes: nothing is measured
    ("docs/gate.md", "A policy", "exit code, ", 1, "| exit code | |"),
    *(
        (
            "docs/leaderboard.md",
            *place,
            "python run_benchmark.py --config=properties/benchmark/small.yaml",
        )
        for place in (
            ("Retrained alone", "model, method", 1),
            ("Knowing the deployed model", "model, method", 1),
            ("All stability measures", "method, RBO@10", 2),
            ("By kind of perturbation", "method, deletion", 2),
        )
    ),
    (
        "docs/methods.md",
        "What the anchor does",
        "removed, % (NDCG@10), ",
        1,
        "of version 0.1.0, recorded at commit f557b77",
    ),
    *(
        ("docs/methods.md", "Without an anchor", columns, 1, words)
        for columns, words in (
            ("base's training, Jaccard@10", "measured by hand with version 0.1.0"),
            ("base's training, epochs", "measured by hand with version 0.1.0"),
            ("base's training, seed", "recorded at commit e862203"),
        )
    ),
    (
        "docs/nights.md",
        "98 rows less, and a new item",
        ", Jaccard@10",
        2,
        "benchmarks/nights.py apart",
    ),
    ("docs/nights.md", "What holds a list", ", Jaccard@10", 1, "python benchmarks/nights.py held"),
    ("docs/nights.md", "Two more days", ", Jaccard@10", 1, "python benchmarks/nights.py two_days"),
    (
        "docs/nights.md",
        "One night on Foursquare",
        ", Jaccard@10",
        1,
        "benchmarks/nights.py foursquare",
    ),
    (
        "docs/nights.md",
        "Six nights of Foursquare, replayed",
        "model, lists",
        1,
        "benchmarks/rolling.yaml",
    ),
    ("docs/nights.md", "Lists for many people", "what, time", 1, "python benchmarks/recommend.py"),
    ("docs/performance.md", "Performance", "what, model", 1, "python benchmarks/training.py"),
    *(
        (page, *place)
        for page in ("docs/performance.md", "docs/performance_notes.md")
        for place in (
            ("The data engine", "what, ours", 1, "python benchmarks/data_engine.py"),
            ("Accuracy of packed training", "NDCG@10, packed", 1, "benchmarks/packed_accuracy.py"),
        )
    ),
]
