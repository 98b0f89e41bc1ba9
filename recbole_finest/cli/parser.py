"""The parsers of the command line, whose errors are UserErrors, and the settings among its words."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from recbole_finest.cli import COMMANDS
from recbole_finest.errors import UserError

USAGE = (
    "run_finest.py --model=NAME --dataset=NAME [--config_files=a.yaml,b.yaml] [--setting=value …]"
)
DESCRIPTION = """\
Train a sequential recommender of RecBole, fine-tune it with FINEST so that its lists keep their order
under small changes of the training log, and measure accuracy and stability of both.

Any setting of RecBole, of the model's YAML or of the list below can be given as --setting=value or
--setting value; the command line wins over YAML files, and those over the shipped defaults.
"""


class CommandParser(argparse.ArgumentParser):
    """The parser of a command that takes arguments of its own and no settings."""

    @property
    def every_option(self) -> list[str]:
        """All options that it knows, ``--help`` included."""
        return list(self._option_string_actions)

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; see {self.prog} --help")


class SentenceParser(CommandParser):
    """As :class:`CommandParser`, of the commands whose messages are whole sentences."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message[:1].upper()}{message[1:]}; see {self.prog} --help.")


class SettingsParser(argparse.ArgumentParser):
    """The parser of a command that takes settings; their names are never abbreviated."""

    def __init__(self, prog: str, usage: str, description: str, epilog: str):
        super().__init__(
            prog=prog,
            usage=usage,
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; see --help")


def asks_for_help(argv: Sequence[str]) -> bool:
    """Whether a word is ``-h`` or ``--help``."""
    return any(word in ("-h", "--help") for word in argv)


def named_values(
    argv: Sequence[str], known: Sequence[str], wanted: Sequence[str]
) -> tuple[dict[str, str], list[str]]:
    """Values of some options on a command line, also one that cannot be parsed.

    Args:
        argv: the words.
        known: all options; an unambiguous beginning of one stands for it.
        wanted: the options to look for.

    Returns:
        ``{option: value}`` and all other words, of ``--option=value`` the value too.

    >>> named_values(["a", "--out=b", "--topk", "x"], ["--output", "--topk"], ["--output"])
    ({'--output': 'b'}, ['a', '--topk', 'x'])
    """
    values: dict[str, str] = {}
    others: list[str] = []
    words = list(argv)
    while words:
        word = words.pop(0)
        flag, equals, value = word.partition("=")
        meant = [flag] if flag in known else [one for one in known if one.startswith(flag)]
        if not flag.startswith("--") or len(meant) != 1 or meant[0] not in wanted:
            others += [word, value] if equals else [word]
        elif equals:
            values[meant[0]] = value
        elif words and not words[0].startswith("-"):
            values[meant[0]] = words.pop(0)
    return {option: value for option, value in values.items() if value}, others


def parse_settings(argv: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Split a command line into settings and config files.

    Returns:
        ``{setting: text}`` in the order given, and the YAML files.

    Raises:
        UserError: a word that is no setting, a value missing, a setting given twice with two values.
    """
    parser = SettingsParser("run_finest.py", USAGE, DESCRIPTION, _other_commands())
    parser.add_argument("--version", action=_Version)
    groups = _help_texts() if asks_for_help(argv) else {}
    known = {name for texts in groups.values() for name in texts}
    words = {word for word in argv if word.startswith("--")} - {"--help", "--version"}
    names = {word[2:].partition("=")[0] for word in words} - known
    flags = _flags() if any("=" not in word for word in words) else set()
    groups[""] = dict.fromkeys(sorted(names), argparse.SUPPRESS)
    for title, texts in groups.items():
        group = parser.add_argument_group(title)
        for name, text in texts.items():
            bare: dict[str, Any] = {"nargs": "?", "const": "True"} if name in flags else {}
            more = {"metavar": "VALUE", "help": text, "default": None, **bare}
            group.add_argument(f"--{name}", action="append", **more)
    given = {k: v for k, v in vars(parser.parse_args(list(argv))).items() if v is not None}
    for name, values in given.items():
        if len(set(values)) > 1:
            raise UserError(
                f"--{name} is given twice, as {values[0]!r} and {values[1]!r}; give it once"
            )
    settings = {name: values[0] for name, values in given.items()}
    return settings, config_files(settings.pop("config_files", ""))


def config_files(text: str) -> list[str]:
    """The paths of YAML files, separated by commas or, as RecBole has it, by blanks.

    A path may hold blanks, too: what is there decides, and else a blank separates after ``.yaml``.

    >>> config_files("a.yaml b.yml,my settings/c.yaml")
    ['a.yaml', 'b.yml', 'my settings/c.yaml']
    """
    found: list[str] = []
    for part in filter(None, map(str.strip, text.split(","))):
        ways = [part], part.split(), re.split(r"(?<=\.yaml)\s+|(?<=\.yml)\s+", part)
        there = (way for way in ways if all(Path(path).is_file() for path in way))
        found += next(there, ways[-1])
    return found


class _Version(argparse.Action):
    """``--version``: prints ours and those of what a result depends on, and ends."""

    def __init__(self, option_strings: Sequence[str], dest: str):
        text = "show the versions of this package and of RecBole, and exit"
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, help=text)

    def __call__(self, *given: Any) -> NoReturn:
        from importlib.metadata import version

        from recbole_finest import __version__

        others = ", ".join(f"{name} {version(name)}" for name in ("recbole", "torch"))
        print(f"recbole-finest {__version__} ({others})")
        raise SystemExit(0)


def _other_commands() -> str:
    """The end of ``run_finest.py --help``: a line for each row of ``COMMANDS``."""
    lines = [
        f"  {name:9} {text:41} (run_finest.py {name} --help)\n"
        for name, (_, text) in COMMANDS.items()
    ]
    return "other commands:\n" + "".join(lines)


def _flags() -> set[str]:
    """Names of the boolean settings, RecBole's and its models' included."""
    import recbole

    from recbole_finest.config.settings import properties_dir, read_yaml

    folders = [Path(recbole.__file__).parent / "properties", properties_dir()]
    files = [
        f
        for folder in folders
        for part in ("*.yaml", "model/*.yaml", "dataset/sample.yaml")
        for f in folder.glob(part)
    ]
    found = {name: value for file in files for name, value in read_yaml(file).items()}
    return {name for name, value in found.items() if isinstance(value, bool)}


def _help_texts() -> dict[str, dict[str, str]]:
    """``{group: {setting: help}}``: what is trained on what, and the sections of ``finest.yaml``."""
    from recbole_finest.config.settings import described_sections, properties_dir
    from recbole_finest.config.values import GENERAL

    first = {
        "model": "(str) A sequential model of RecBole or of ours, or package.module:Class.",
        "dataset": "(str) A data set: ml-100k (shipped with RecBole) or a folder under data_path.",
        "config_files": "(str) YAML files of settings, separated by commas; blanks in a path are fine.",
        "data_path": "(str) Where data sets are looked for: <data_path>/<dataset>/<dataset>.inter.",
        "epochs": "(int) Epochs of base.",
        "seed": "(int) Random seed.",
    }
    groups = {"What is trained": first, **described_sections(properties_dir() / "finest.yaml")}

    def said(name: str, text: str) -> str:
        rule = f" It must be {GENERAL[name].text}." if name in GENERAL else ""
        return (text + rule).replace("%", "%%")

    return {t: {name: said(name, text) for name, text in of.items()} for t, of in groups.items()}
