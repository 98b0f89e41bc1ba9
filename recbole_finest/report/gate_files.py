"""The files that a gate leaves: JSON, Markdown, JUnit XML; never those of an earlier comparison."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recbole_finest.errors import UserError, kept, writes
from recbole_finest.evaluator.lists.compare import Comparison
from recbole_finest.evaluator.lists.verdicts import Verdict
from recbole_finest.files import write_json, write_text, written_whole
from recbole_finest.report.gate_junit import check_installed, junit, junit_of_error
from recbole_finest.report.gate_summary import summary, summary_of_error

ERROR_CODE = 2
Writer = Callable[[str], None]


@dataclass(frozen=True)
class Outputs:
    """Which files are asked for.

    Attributes:
        output: the JSON, or None.
        summary: the Markdown, or None.
        junit: the JUnit XML, or None.
    """

    output: str | None = None
    summary: str | None = None
    junit: str | None = None

    @property
    def named(self) -> dict[str, str]:
        """``{option: path}`` of those asked for."""
        paths = {"--output": self.output, "--summary": self.summary, "--junit": self.junit}
        return {option: path for option, path in paths.items() if path is not None}

    def check(self, inputs: Iterable[str]) -> None:
        """Refuse what could not be written, before anything is read.

        Args:
            inputs: the files to be read.

        Raises:
            UserError: no such folder, a path that is a folder, an input or another output; no
                junitparser.
        """
        if self.junit is not None:
            check_installed()
        seen = {path: "a file to be read" for path in inputs}
        for option, path in self.named.items():
            for other, what in seen.items():
                if _same(path, other):
                    raise UserError(f"{option} {path} is {what}, too: give it a name of its own.")
            seen[path] = f"the file of {option}"
            if _special(path):
                raise UserError(
                    f"Cannot write {option} {path!r}: name a file, no folder or device."
                )
            with kept(option, path), writes(path):
                nowhere = not Path(path).absolute().parent.is_dir()
            if nowhere:
                raise UserError(f"Cannot write {path}: there is no folder {Path(path).parent}.")

    def clear(self) -> None:
        """Remove what an earlier comparison left: should this one be killed, nothing old is there."""
        for option, path in self.named.items():
            with kept(option, path), writes(path):
                Path(path).unlink(missing_ok=True)

    def write(
        self,
        comparisons: Iterable[Comparison],
        verdicts: Iterable[Verdict],
        exit_code: int,
        **settings: Any,
    ) -> None:
        """Write the files asked for, each whole.

        The JSON is ``{pairs: [{reference, other, n, metrics, …}], …settings, conditions, exit_code}``.

        Raises:
            UserError: a file cannot be written.
        """
        pairs, verdicts = list(comparisons), list(verdicts)
        if self.output is not None:
            content = {
                "pairs": [pair.to_dict() for pair in pairs],
                **settings,
                "conditions": [one.to_dict() for one in verdicts],
                "exit_code": exit_code,
            }
            with kept("--output", self.output):
                write_json(self.output, content)
        if self.summary is not None:
            with kept("--summary", self.summary):
                _write_markdown(self.summary, summary(pairs, verdicts))
        if self.junit is not None:
            with kept("--junit", self.junit):
                _write_bytes(self.junit, junit(verdicts))

    def write_error(self, message: str, inputs: Iterable[str]) -> list[str]:
        """Put the error in the place of the files asked for.

        Args:
            message: what was wrong.
            inputs: files that are never touched, though an output is named like one.

        Returns:
            A sentence for each file that could not be replaced and may be an earlier comparison's.
        """
        inputs = list(inputs)
        content = {"error": message, "exit_code": ERROR_CODE}
        writers: Mapping[str, Writer] = {
            "--output": lambda path: write_json(path, content),
            "--summary": lambda path: _write_markdown(path, summary_of_error(message)),
            "--junit": lambda path: _write_bytes(path, junit_of_error(message)),
        }
        left = []
        for option, path in self.named.items():
            if _special(path) or any(_same(path, other) for other in inputs):
                continue
            try:
                writers[option](path)
            except (OSError, ImportError):  # no junitparser
                try:
                    Path(path).unlink(missing_ok=True)
                except OSError as error:
                    if os.path.isfile(path):
                        left.append(f"{path} could not be replaced ({error.strerror}) and is old.")
        return left


def _write_markdown(path: str, text: str) -> None:
    write_text(path, text.encode("utf-8", "replace").decode())  # a file's name may be no text


def _write_bytes(path: str, content: bytes) -> None:
    with written_whole(path) as file:
        file.write(content)


def _special(path: str) -> bool:
    """Whether a folder, a device or a pipe stands there, which is not replaced."""
    return os.path.exists(path) and not os.path.isfile(path)


def _same(one: str, other: str) -> bool:
    """Whether two paths name one file, through links too."""
    if os.path.realpath(one) == os.path.realpath(other):
        return True
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):
        return False
