"""The command ``compare``: how much rank lists agree."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np

from recbole_finest.cli.parser import SentenceParser
from recbole_finest.errors import UserError
from recbole_finest.evaluator.lists.compare_files import (
    Gate,
    compare_files,
    table,
    write_comparisons,
)
from recbole_finest.evaluator.measures import MEASURES

GATE_FAILED = 1


def main(argv: Sequence[str]) -> int:
    """Run ``compare A B [C …]``: print the table, write JSON, test the gates.

    Returns:
        0, or 1 when a ``--fail-under`` measure's mean is below its value for any pair.

    Raises:
        UserError: bad arguments or files.
    """
    arguments = _parser().parse_args(argv)
    gates = [Gate.parse(text) for text in arguments.fail_under]
    # a gate's measure and depth are measured too when they were not asked for
    metrics = dict.fromkeys([*arguments.metrics, *(gate.name for gate in gates)])
    topk = dict.fromkeys([*arguments.topk, *(gate.k for gate in gates if gate.name != "top1")])
    comparisons = compare_files(
        arguments.files,
        metrics,
        topk,
        arguments.rbo_p,
        arguments.reference,
        arguments.all_pairs,
        arguments.intersect,
        np.random.default_rng(arguments.seed),
    )
    print(table(comparisons))
    if arguments.output:
        write_comparisons(comparisons, arguments.output, rbo_p=arguments.rbo_p, seed=arguments.seed)
    failures = [line for gate in gates for line in gate.failures(comparisons)]
    for line in failures:
        print(f"FAILED: {line}", file=sys.stderr)
    return GATE_FAILED if failures else 0


def _parser() -> SentenceParser:
    names = ", ".join(measure.display for measure in MEASURES.values())
    parser = SentenceParser(
        prog="run_finest.py compare",
        description="Measure how much rank lists agree. Files: .npz of ours, TREC runs (.trec, "
        ".run), tables (.csv, .tsv, .parquet) with user, item, and rank or score.",
    )
    add = parser.add_argument
    add("files", nargs="+", metavar="FILE", help="two or more files; the first is the reference")
    add("--reference", metavar="NAME", help="path, name or stem of the reference among the files")
    add("--all-pairs", "--all_pairs", action="store_true", help="compare each with each")
    add("--metrics", type=_words, default=["RBO", "Jaccard"], help=f"any of {names} (RBO,Jaccard)")
    add("--topk", type=_depths, default=[10], help="list depths k (10)")
    add("--rbo_p", "--rbo-p", type=float, default=0.9, help="persistence of RBO and FRBO (0.9)")
    add("--intersect", action="store_true", help="compare only the instances in both files")
    add("--output", metavar="FILE", help="write the figures as JSON")
    add("--seed", type=int, default=0, help="seed of the bootstrap intervals (0)")
    add(
        "--fail-under",
        "--fail_under",
        action="append",
        default=[],
        metavar="jaccard@10=0.8",
        help="exit with code 1 when a measure's mean is below this value; may be repeated",
    )
    return parser


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _depths(text: str) -> list[int]:
    try:
        return [int(word) for word in _words(text)]
    except ValueError:
        raise UserError(f"--topk {text}: list depths are whole numbers, as in 10,20.") from None
