"""Disks of several sizes that a run fills: what it says, how it ends, and whether it can be continued.

python benchmarks/full_disk.py [--sizes=15] [--model=GRU4Rec] [--nproc=1]

Mounts a tmpfs for each size in a mount namespace of its own (``unshare``, from util-linux on Linux; no
rights are needed where users may make namespaces). Each run's models and rank lists are compared with those
of a run that nothing interrupted.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from tabulate import tabulate

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from tests.conftest import SMALL, write_toy  # noqa: E402

SETTINGS = {**SMALL, "dataset": "toy", "baselines": "[]"}
INSIDE = "--inside"  # says that this process has its own mounts
SMALLEST, LARGER = 8192, "64m"


def run(words: list[str], folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """A run in a process of its own."""
    command = [sys.executable, str(ROOT / "run_finest.py"), *words, f"--output_dir={folder}", *more]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder.parent.parent)


def mount(place: Path, *options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", place], check=True)


def differences(one: Path, other: Path) -> list[str]:
    """Models and rank lists of two runs that differ, or that one of them lacks."""
    patterns = ("*.pth", "ranklists*/*.npz")
    names = {
        str(p.relative_to(f)) for f in (one, other) for pattern in patterns for p in f.glob(pattern)
    }
    return sorted(name for name in names if not same(one / name, other / name))


def same(one: Path, other: Path) -> bool:
    if not (one.is_file() and other.is_file()):
        return False
    if one.suffix == ".npz":
        return one.read_bytes() == other.read_bytes()
    a, b = (torch.load(path, weights_only=True)["state_dict"] for path in (one, other))
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def one_size(size: int, words: list[str], disk: Path, whole: Path) -> dict[str, object]:
    """Fill a disk of so many bytes, make room, go on."""
    mount(disk, f"size={size}")
    folder = disk / "run"
    first = run(words, folder)
    said = [line for line in first.stderr.splitlines() if line.strip()]
    there = sorted(p.stem for p in folder.glob("*.pth"))
    mount(disk, "remount", f"size={LARGER}")
    told = ["--resume=True"] if "--resume=True" in first.stderr else []
    second = run(words, folder, *told)
    other = differences(folder, whole)
    leftovers = [p for p in folder.rglob("*") if p.name.endswith((".part", ".training.pth"))]
    subprocess.run(["umount", disk], check=True)
    print(f"{size}: exit code {first.returncode}: {said[-1] if said else 'nothing'}", flush=True)
    if second.returncode:
        print(second.stderr, flush=True)
    return {
        "bytes": size,
        "exit code": first.returncode,
        "lines": len(said),
        "models kept": len(there),
        "continued": "resume" if told else "begun again",
        "exit code then": second.returncode,
        "models and lists": "differ: " + ", ".join(other) if other else "equal",
        "unfinished files": len(leftovers),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, default=15)
    parser.add_argument("--model", default="GRU4Rec")
    parser.add_argument("--nproc", type=int, default=1)
    parser.add_argument(INSIDE, action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if not given.inside:
        os.execvp("unshare", ["unshare", "-rm", sys.executable, *sys.argv, INSIDE])
    with TemporaryDirectory() as name:
        place = Path(name)
        words = [f"--model={given.model}", f"--data_path={write_toy(place / 'data')}"]
        words += [f"--{name}={value}" for name, value in SETTINGS.items()]
        words += [f"--nproc={given.nproc}"] if given.nproc > 1 else []
        whole, disk = place / "other" / "run", place / "disk"
        whole.parent.mkdir(), disk.mkdir()
        run(words, whole).check_returncode()
        largest = sum(p.stat().st_size for p in whole.rglob("*"))
        sizes = np.geomspace(SMALLEST, largest, given.sizes + 1)[:-1].astype(int) // 4096 * 4096
        rows = [one_size(int(size), words, disk, whole) for size in sizes]
    print(tabulate(rows, headers="keys", tablefmt="github"))
    said = sum(row["exit code"] == 2 and row["lines"] == 1 for row in rows)
    well = sum(row["exit code then"] == 0 and row["models and lists"] == "equal" for row in rows)
    print(
        f"{said} of {len(rows)}: one sentence, exit code 2; {well} of {len(rows)}: continued, equal"
    )
    return int(said < len(rows) or well < len(rows))


if __name__ == "__main__":
    sys.exit(main())
