"""The newest rows of a log, as a data set of its own.

    python benchmarks/newest.py ml-1m 200000 [--data_path=../shared/data] [--folder=runs/newest]

Writes ``ml-1m-newest/ml-1m-newest.inter`` with user, item and time below the folder. Of equal times the
rows that stand last in the file are the newest.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from logs import TIME, read, write


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset")
    parser.add_argument("rows", type=int)
    parser.add_argument("--data_path", type=Path, default=Path("../shared/data"))
    parser.add_argument("--folder", type=Path, default=Path("runs/newest"))
    args = parser.parse_args()
    log = read(args.data_path / args.dataset / f"{args.dataset}.inter")
    newest = log.sort_values(TIME, kind="stable").tail(args.rows)
    write(newest, args.folder, name := f"{args.dataset}-newest")
    print(f"{args.folder / name}: {len(newest)} of {len(log)} rows")


if __name__ == "__main__":
    main()
