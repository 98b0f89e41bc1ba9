"""The command ``convert``: a CSV or TSV file into RecBole's atomic files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from recbole_finest.cli.parser import CommandParser
from recbole_finest.errors import kept

HEADER = {"auto": None, "yes": True, "no": False}


def main(argv: Sequence[str]) -> int:
    """Run ``convert FILE``: write the data set and print what was left out; returns 0.

    Raises:
        UserError: bad arguments, or a file that cannot be read or written.
    """
    parser = CommandParser(
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
    parser.add_argument("--header", choices=list(HEADER), default="auto")
    parser.add_argument("--overwrite", action="store_true", help="replace existing files")
    args = parser.parse_args(list(argv))
    from recbole_finest.data.convert.convert import convert

    with kept("data_path", args.data_path):
        report = convert(
            args.file,
            [c.strip() for c in args.columns.split(",")],
            output_dir=args.data_path,
            dataset=args.dataset or Path(args.file).stem,
            header=HEADER[args.header],
            separator=args.separator,
            overwrite=args.overwrite,
        )
    print(report)
    return 0
