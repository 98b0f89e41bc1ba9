"""The command ``compare``: how much rank lists agree, how accurate they are, and whether that is enough."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import numpy as np

from recbole_finest.cli.compare_parser import FILES, compare_parser
from recbole_finest.cli.parser import named_values
from recbole_finest.errors import UserError
from recbole_finest.evaluator.lists.compare_files import compare_files
from recbole_finest.evaluator.lists.conditions import OVER, UNDER, Condition
from recbole_finest.evaluator.lists.policy import Policy, checked_coverage
from recbole_finest.evaluator.lists.tables import notes, tables
from recbole_finest.evaluator.lists.truth import read_truth
from recbole_finest.report.gate_files import Outputs

GATE_FAILED = 1


def main(argv: Sequence[str]) -> int:
    """Run ``compare A B [C …]``: print the tables, write the files, test the conditions.

    Returns:
        0, or 1 when a condition to fail on is not met by any pair.

    Raises:
        UserError: bad arguments or files; the files asked for then hold the error.
    """
    parser = compare_parser()
    try:
        return _compare(parser.parse_args(argv))
    except UserError as error:
        values, others = named_values(argv, parser.every_option, FILES)
        left = Outputs(*(values.get(option) for option in FILES)).write_error(str(error), others)
        if left:
            raise UserError(" ".join([str(error), *left])) from error
        raise


def _compare(arguments: argparse.Namespace) -> int:
    outputs = Outputs(arguments.output or None, arguments.summary or None, arguments.junit or None)
    others = [path for path in (arguments.truth, arguments.policy) if path is not None]
    outputs.check([*arguments.files, *others])
    policy = _policy(arguments)
    if policy.min_coverage is not None and not arguments.intersect:
        raise UserError(
            f"A least coverage of {policy.min_coverage:g} needs --intersect: without it, files that "
            "hold different users are not compared at all."
        )
    needing = [one.figure for one in policy.conditions if one.needs_truth]
    if needing and arguments.truth is None:
        raise UserError(f"{needing[0]} needs --truth FILE, the items that people did choose next.")
    outputs.clear()
    stable = [one for one in policy.conditions if not one.needs_truth]
    # a condition's measure and depth are measured too when they were not asked for
    metrics = dict.fromkeys([*arguments.metrics, *(one.name for one in stable)])
    depths = [one.k for one in policy.conditions if one.name != "top1"]
    comparisons = compare_files(
        arguments.files,
        metrics,
        dict.fromkeys([*arguments.topk, *depths]),
        arguments.rbo_p,
        arguments.reference,
        arguments.all_pairs,
        arguments.intersect,
        np.random.default_rng(arguments.seed),
        None if arguments.truth is None else read_truth(arguments.truth),
    )
    print("\n".join(["\n\n".join(tables(comparisons)), *notes(comparisons)]))
    verdicts = policy.judge(comparisons)
    failures = [one for one in verdicts if one.level == "fail" and not one.holds]
    code = GATE_FAILED if failures else 0
    outputs.write(comparisons, verdicts, code, rbo_p=arguments.rbo_p, seed=arguments.seed)
    for one in verdicts:
        if not one.holds:
            print(
                f"{'FAILED' if one.level == 'fail' else 'WARNING'}: {one.sentence}", file=sys.stderr
            )
    return code


def _policy(arguments: argparse.Namespace) -> Policy:
    """The options' conditions, and those of the policy file; an option's coverage wins."""
    options = ((UNDER, arguments.fail_under), (OVER, arguments.fail_over))
    given = [Condition.parse(text, name, name) for name, texts in options for text in texts]
    least = checked_coverage(arguments.min_coverage, "--min-coverage")
    if arguments.policy is None:
        return Policy(tuple(given), least)
    from recbole_finest.config.settings import read_yaml

    read = Policy.from_mapping(read_yaml(arguments.policy), arguments.policy)
    return Policy((*given, *read.conditions), read.min_coverage if least is None else least)
