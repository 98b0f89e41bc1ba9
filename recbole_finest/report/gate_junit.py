"""What a gate found as JUnit XML, which CI systems show as tests; needs junitparser."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from importlib.util import find_spec
from typing import TYPE_CHECKING

from recbole_finest.errors import UserError
from recbole_finest.evaluator.lists.verdicts import Verdict

if TYPE_CHECKING:
    from junitparser import TestCase

SUITE = "recbole-finest compare"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def check_installed() -> None:
    """Raise ``UserError`` where junitparser is missing."""
    if find_spec("junitparser") is None:
        raise UserError(
            "--junit needs the package junitparser, which is not installed: "
            "pip install 'recbole-finest[gate]'."
        )


def junit(verdicts: Iterable[Verdict]) -> bytes:
    """A test for each condition and pair; a warning is a test that passes and says so in its output."""
    from junitparser import Failure, TestCase

    cases = []
    for one in verdicts:
        pair = f"{one.other} against {one.reference}"
        case = TestCase(_legal(f"{one.level}: {one.wanted}"), _legal(pair))
        if not one.holds and one.level == "fail":
            case.result = [Failure(_legal(one.sentence), "condition")]
        else:
            case.system_out = _legal(one.sentence if one.holds else f"WARNING: {one.sentence}")
        cases.append(case)
    return _document(cases)


def junit_of_error(message: str) -> bytes:
    """One test that could not be done."""
    from junitparser import Error, TestCase

    case = TestCase("comparison", SUITE)
    case.result = [Error(_legal(message), "UserError")]
    return _document([case])


def _document(cases: Iterable[TestCase]) -> bytes:
    from junitparser import JUnitXml, TestSuite

    suite, document = TestSuite(SUITE), JUnitXml(SUITE)
    for case in cases:
        suite.add_testcase(case)
    document.add_testsuite(suite)
    document.update_statistics()
    buffer = io.BytesIO()
    document.write(buffer)
    return buffer.getvalue()


def _legal(text: str) -> str:
    """Text without the characters that XML 1.0 cannot hold."""
    return _NO_XML.sub("\ufffd", text)
