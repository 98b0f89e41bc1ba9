"""The commands ``perturb`` and ``convert``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from recbole_finest.compat import quiet_recbole
from recbole_finest.errors import UserError

# The data set is loaded as for this model; no model is made.
LOADING_MODEL = "SASRec"


def perturb_main(argv: Sequence[str]) -> int:
    """Draw the test perturbation that these settings name, show it, and write it."""
    from recbole_finest.cli.main import parse_settings

    if any(word in ("-h", "--help") for word in argv):
        print(_PERTURB_HELP)
        return 0
    settings, files = parse_settings(argv)
    output = settings.pop("output", None)
    atomic = settings.pop("output_dataset", None)
    show_perturbation(settings, files, output, atomic)
    return 0


_PERTURB_HELP = """\
usage: run_finest.py perturb --dataset=NAME [--perturbation_…=…] [--output=changes.json]
                             [--output_dataset=FOLDER] [--model=NAME] [--setting=value …]

Draw a perturbation without training; print what it changes by user, item and position.

  --output           write the changes as perturbation.json, to be replayed with perturbation_file
  --output_dataset   write the perturbed log as RecBole atomic files: FOLDER/NAME/NAME.inter
"""


def show_perturbation(
    settings: dict[str, Any], files: Sequence[str], output: str | None, atomic: str | None
) -> None:
    """Draw, print and, where asked for, write a perturbation.

    Raises:
        UserError: the settings ask for none, or a file cannot be written.
    """
    import logging

    from recbole_finest.config.config import Config
    from recbole_finest.data.convert.convert import write_atomic
    from recbole_finest.data.from_settings import draw_test_perturbation
    from recbole_finest.data.perturbation import save_changes
    from recbole_finest.data.prepare import prepare
    from recbole_finest.data.summary import summarise

    quiet_recbole()
    model = settings.pop("model", LOADING_MODEL)
    config = Config(model, settings.pop("dataset", None), files, None, settings)
    data = prepare(config)
    drawn = draw_test_perturbation(config, data, logging.getLogger())
    if drawn is None:
        raise UserError("perturbation_ratio is 0, which changes nothing; set it, or a count")
    log, changes = drawn
    tokens = data.dataset.field2id_token
    users, items = tokens[data.train.fields.user], tokens[data.train.fields.item]
    print(summarise(changes, data.log, users, items))
    if output:
        save_changes(output, changes, users, items, config["dataset"])
        print(f"changes: {output}")
    if atomic:
        name = Path(atomic).name
        path = Path(atomic) / f"{name}.inter"
        write_atomic(log, users, items, path, overwrite=config["overwrite"])
        print(f"perturbed data set: --data_path={Path(atomic).parent} --dataset={name}")


class _Parser(argparse.ArgumentParser):
    """An argparse parser whose errors are :class:`UserError`."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; see run_finest.py convert --help")


def convert_main(argv: Sequence[str]) -> int:
    """Turn a CSV or TSV into RecBole atomic files."""
    from recbole_finest.data.convert.convert import convert

    parser = _Parser(
        prog="run_finest.py convert",
        description="Turn a CSV or TSV file of interactions into RecBole atomic files.",
    )
    parser.add_argument("file", help="the file; the separator and a header are recognised")
    parser.add_argument(
        "--columns",
        default="user,item,time",
        help="names of the file's columns in order (of its last ones, when it has more); "
        "user, item and time are kept (default: %(default)s)",
    )
    parser.add_argument("--dataset", help="name of the data set (default: the file's name)")
    parser.add_argument(
        "--data_path", default="dataset", help="folder to write to (default: %(default)s)"
    )
    parser.add_argument("--separator", help="column separator, where it is not recognised")
    parser.add_argument("--header", choices=["auto", "yes", "no"], default="auto")
    parser.add_argument("--overwrite", action="store_true", help="replace existing files")
    args = parser.parse_args(list(argv))
    report = convert(
        args.file,
        [c.strip() for c in args.columns.split(",")],
        output_dir=args.data_path,
        dataset=args.dataset or Path(args.file).stem,
        header={"auto": None, "yes": True, "no": False}[args.header],
        separator=args.separator,
        overwrite=args.overwrite,
    )
    print(report)
    return 0
