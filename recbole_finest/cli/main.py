"""The command line: ``run_finest.py`` and the console script ``recbole-finest``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from recbole_finest.errors import UserError, nearest

USAGE = (
    "run_finest.py --model=NAME --dataset=NAME [--config_files=a.yaml,b.yaml] [--setting=value …]"
)
DESCRIPTION = """\
Train a sequential recommender of RecBole, fine-tune it with FINEST so that its lists keep their order
under small changes of the training log, and measure accuracy and stability of both.

Any setting of RecBole, of the model's YAML or of the list below can be given as --setting=value or
--setting value; the command line wins over YAML files, and those over the shipped defaults.
"""
COMMANDS = """\
other commands:
  perturb   draw a perturbation without training      (run_finest.py perturb --help)
  convert   turn a CSV or TSV into atomic files        (run_finest.py convert --help)
  compare   compare rank lists of any systems          (run_finest.py compare --help)
  export    write our rank lists as a TREC run         (run_finest.py export --help)
  report    write the report of a finished run again   (run_finest.py report --help)
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code: 0, 1 (a gate failed) or 2 (the user can put it right)."""
    argv = list(sys.argv[1:] if argv is None else argv)
    try:
        if argv and not argv[0].startswith("-"):
            return _command(argv[0])(argv[1:])
        return _run(argv)
    except UserError as error:
        if _reports_errors():
            print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; continue with --resume=True and the same output_dir", file=sys.stderr)
        return 130


def _command(name: str) -> Callable[[Sequence[str]], int]:
    from recbole_finest.cli.data import convert_main, perturb_main
    from recbole_finest.cli.lists import compare_main, export_main
    from recbole_finest.cli.report import report_main

    table: dict[str, Callable[[Sequence[str]], int]] = {
        "perturb": perturb_main,
        "convert": convert_main,
        "compare": compare_main,
        "export": export_main,
        "report": report_main,
    }
    if name not in table:
        hint = nearest(name, list(table))
        raise UserError(f"unknown command '{name}'; {hint} Settings start with --")
    return table[name]


def _run(argv: Sequence[str]) -> int:
    settings, files = parse_settings(argv)
    from recbole_finest.quick_start import run_finest

    model, dataset = settings.pop("model", None), settings.pop("dataset", None)
    result = run_finest(model=model, dataset=dataset, config_file_list=files, command_line=settings)
    if _is_main():
        print(_table(result))
        print(f"report: {Path(result['output_dir']) / 'report.html'}")
    return 0


def _is_main() -> bool:
    from recbole_finest.parallel.distributed import place

    return place().rank == 0


def _reports_errors() -> bool:
    """Of several processes that torchrun started, one prints an error."""
    if "recbole_finest.parallel.distributed" not in sys.modules:
        return True
    from recbole_finest.parallel.distributed import reports_errors

    return reports_errors()


def _table(result: dict[str, Any]) -> str:
    from recbole_finest.report.run.summary_table import summary_table

    return summary_table(result)


class SettingsParser(argparse.ArgumentParser):
    """An argparse parser whose errors are :class:`UserError`."""

    def error(self, message: str) -> Any:
        raise UserError(f"{message}; see --help")


def parse_settings(argv: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Split a command line into settings and config files.

    Returns:
        ``{setting: text}`` in the order given, and the YAML files.

    Raises:
        UserError: a word that is no setting, a value missing, a setting given twice with two values.
    """
    parser = SettingsParser(
        prog="run_finest.py",
        usage=USAGE,
        description=DESCRIPTION,
        epilog=COMMANDS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    known = _help_texts() if any(word in ("-h", "--help") for word in argv) else {}
    names = {word[2:].partition("=")[0] for word in argv if word.startswith("--")} - {"help"}
    flags = _flags() if any(word.startswith("--") and "=" not in word for word in argv) else set()
    for name in {**known, **dict.fromkeys(sorted(names))}:
        bare: dict[str, Any] = {"nargs": "?", "const": "True"} if name in flags else {}
        parser.add_argument(
            f"--{name}",
            action="append",
            metavar="VALUE",
            help=known.get(name),
            default=None,
            **bare,
        )
    given = {k: v for k, v in vars(parser.parse_args(list(argv))).items() if v is not None}
    for name, values in given.items():
        if len(set(values)) > 1:
            raise UserError(
                f"--{name} is given twice, as {values[0]!r} and {values[1]!r}; give it once"
            )
    settings = {name: values[0] for name, values in given.items()}
    files = [f for f in (settings.pop("config_files", None) or "").replace(",", " ").split() if f]
    return settings, files


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


def _help_texts() -> dict[str, str]:
    from recbole_finest.config.settings import described_settings, properties_dir

    texts = {
        "model": "(str) A sequential model of RecBole or of ours, or package.module:Class.",
        "dataset": "(str) A data set: ml-100k (shipped with RecBole) or a folder under data_path.",
        "config_files": "(str) YAML files of settings, separated by commas.",
        "data_path": "(str) Where data sets are looked for: <data_path>/<dataset>/<dataset>.inter.",
        "epochs": "(int) Epochs of base.",
        "seed": "(int) Random seed.",
    }
    texts.update(described_settings(properties_dir() / "finest.yaml"))
    return {name: text.replace("%", "%%") for name, text in texts.items()}
