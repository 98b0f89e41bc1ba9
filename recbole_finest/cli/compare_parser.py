"""The arguments of the command ``compare``."""

from __future__ import annotations

from recbole_finest.cli.parser import SentenceParser
from recbole_finest.errors import UserError
from recbole_finest.evaluator.lists.conditions import OVER, UNDER
from recbole_finest.evaluator.measures import MEASURES

FILES = ("--output", "--summary", "--junit")  # what it writes
EPILOG = """\
A condition is measure@k[:change|:difference][:statistic]=limit. jaccard@10=0.8 is of the mean,
jaccard@10:low=0.8 of the lower end of its 95 % interval; :high, :median, :p5 (p1 to p99). With --truth also
ndcg, recall, mrr (the other file's; :change is relative to the reference, :difference absolute), lost and
gained, as in ndcg@10:change:low=-0.01. Exit codes: 0, all are met; 1, one is not; 2, nothing was compared.
"""


def compare_parser() -> SentenceParser:
    """The parser; its errors are UserErrors."""
    parser = SentenceParser(
        prog="run_finest.py compare",
        description="Measure how much rank lists agree. Files: .npz of ours, TREC runs (.trec, "
        ".run), tables (.csv, .tsv, .parquet) with user, item, and rank or score.",
        epilog=EPILOG,
    )
    _add_measuring(parser)
    _add_gate(parser)
    return parser


def _add_measuring(parser: SentenceParser) -> None:
    names = ", ".join(measure.display for measure in MEASURES.values())
    add = parser.add_argument
    add("files", nargs="+", metavar="FILE", help="two or more files; the first is the reference")
    add("--reference", metavar="NAME", help="path, name or stem of the reference among the files")
    add("--all-pairs", "--all_pairs", action="store_true", help="compare each with each")
    add("--metrics", type=_words, default=["RBO", "Jaccard"], help=f"any of {names} (RBO,Jaccard)")
    add("--topk", type=_depths, default=[10], help="list depths k (10)")
    add("--rbo_p", "--rbo-p", type=float, default=0.9, help="persistence of RBO and FRBO (0.9)")
    add("--intersect", action="store_true", help="compare only the instances in both files")
    add(
        "--truth",
        metavar="FILE",
        help="a table (.csv, .tsv, .parquet) of user and item that came next, one or more a user: "
        "adds NDCG, recall, MRR, lost and gained hits",
    )
    add("--output", metavar="FILE", help="write the figures as JSON")
    add("--seed", type=int, default=0, help="seed of the bootstrap intervals (0)")


def _add_gate(parser: SentenceParser) -> None:
    add = parser.add_argument
    add(
        UNDER,
        "--fail_under",
        action="append",
        default=[],
        metavar="jaccard@10=0.8",
        help="exit with code 1 when the figure is below this value; may be repeated",
    )
    add(
        OVER,
        "--fail_over",
        action="append",
        default=[],
        metavar="churn@10=0.2",
        help="the same for what is better when smaller: churn, rankshift, lost",
    )
    add(
        "--min-coverage",
        "--min_coverage",
        type=float,
        metavar="0.95",
        help="with --intersect: exit with code 1 when less of the users of either file is in both",
    )
    add("--policy", metavar="FILE", help="YAML: conditions under fail and warn, min_coverage")
    add("--summary", metavar="FILE", help="write conditions and tables as Markdown")
    add("--junit", metavar="FILE", help="write the conditions as JUnit XML (needs junitparser)")


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _depths(text: str) -> list[int]:
    try:
        return [int(word) for word in _words(text)]
    except ValueError:
        raise UserError(f"--topk {text}: list depths are whole numbers, as in 10,20.") from None
