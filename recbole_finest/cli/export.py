"""The command ``export``: rank lists as a TREC run."""

from __future__ import annotations

from collections.abc import Sequence

from recbole_finest.cli.parser import SentenceParser
from recbole_finest.errors import UserError, kept


def main(argv: Sequence[str]) -> int:
    """Run ``export LISTS OUTPUT.trec``: write rank lists as a TREC run; returns 0.

    Raises:
        UserError: bad arguments or files.
    """
    parser = SentenceParser(
        prog="run_finest.py export",
        description="Write rank lists as a TREC run for ranx, pytrec_eval or trec_eval. "
        "A user's further instances become the query ids user#2, user#3, …",
    )
    parser.add_argument("lists", help="rank lists (.npz, or anything that compare reads)")
    parser.add_argument("output", help="the run to write, .trec or .run")
    parser.add_argument("--tag", default="recbole_finest", help="the run's name in its last column")
    arguments = parser.parse_args(argv)
    if not arguments.output.endswith((".trec", ".run")):
        raise UserError(f"The output is a TREC run: name it .trec or .run, not {arguments.output}.")
    from recbole_finest.evaluator.lists.readers import read_lists
    from recbole_finest.evaluator.lists.writers import write_trec

    with kept("OUTPUT", arguments.output):
        write_trec(read_lists(arguments.lists), arguments.output, arguments.tag)
    return 0
