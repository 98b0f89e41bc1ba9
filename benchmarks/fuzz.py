"""Damage valid files of every format at random, and see that nothing but a refusal comes out.

    python benchmarks/fuzz.py --seconds=600 --seed=0 --readers=checkpoint,npz --output=fuzz

Each reader runs in a process of its own, whose address space is bounded, so that a crash or a claim of
memory is seen; the file that caused it, or an error that is no refusal, stays in the output folder.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import re
import resource
import shutil
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import torch
from fuzz_files import READERS, Case
from hypothesis import HealthCheck, given, seed, settings

from recbole_finest.errors import UserError

ADDRESSES = 12 << 30  # bytes; torch alone maps several GB
SLOW = 20  # seconds


def _fuzz(make: Callable[[Path], Case], seconds: float, first: int, folder: Path) -> None:
    """Read damaged files for so long; counts and failing files are left in the folder."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    torch.set_num_threads(1)
    (folder / "work").mkdir(parents=True)
    case = make(folder / "work")
    path = folder / "work" / case.name
    counts: Counter[str] = Counter()
    slowest = 0.0

    def read(content: bytes) -> None:
        nonlocal slowest
        path.write_bytes(content)
        begin = time.monotonic()
        try:
            case.read(path)
            outcome = "fine"
        except UserError as error:
            outcome = "refused" if "\n" not in str(error) else "refused in several lines"
            trace = traceback.format_exc()
        except Exception as error:
            outcome = f"{type(error).__name__} {re.sub(r'[0-9]+', 'n', str(error))[:60]!r}"
            trace = traceback.format_exc()
        if outcome not in ("fine", "refused") and outcome not in counts:
            keep = folder / f"{len(counts)}-{path.name}"
            shutil.copy(path, keep)
            keep.with_suffix(".txt").write_text(trace)
        took = time.monotonic() - begin
        slowest = max(slowest, took)
        counts[outcome] += 1
        if took > SLOW:
            shutil.copy(path, folder / f"slow-{took:.0f}s")
            counts["slow"] += 1

    def note() -> None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        about = {"counts": counts, "slowest_seconds": slowest, "peak_MiB": peak, "seeds": used}
        (folder / "counts.json").write_text(json.dumps(about))

    end, used = time.monotonic() + seconds, [first, first]
    while time.monotonic() < end:
        run = settings(
            max_examples=200, database=None, deadline=None, suppress_health_check=list(HealthCheck)
        )
        seed(used[1])(run(given(case.damaged)(read)))()
        used[1] += 1
        note()


def main() -> int:
    """Fuzz the readers one after the other; returns 1 where something else than a refusal came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600, help="for each reader")
    parser.add_argument(
        "--seed", type=int, default=0, help="of the first 200 files; the next has seed + 1"
    )
    parser.add_argument("--readers", default=",".join(make.__name__ for make in READERS))
    parser.add_argument("--output", type=Path, default=Path("fuzz"))
    arguments = parser.parse_args()
    makers = {make.__name__: make for make in READERS}
    bad, names = False, arguments.readers.split(",")
    for name in names:
        if name not in makers:
            parser.error(f"--readers names '{name}'; there are {', '.join(makers)}")
    for name in names:
        folder = arguments.output / name
        shutil.rmtree(folder, ignore_errors=True)
        work = multiprocessing.get_context("fork").Process(
            target=_fuzz, args=(makers[name], arguments.seconds, arguments.seed, folder)
        )
        work.start()
        work.join()
        about = (
            json.loads((folder / "counts.json").read_text())
            if (folder / "counts.json").exists()
            else {}
        )
        counts = about.get("counts", {})
        bad = bad or work.exitcode != 0 or bool(set(counts) - {"fine", "refused"})
        print(
            f"{name}: {sum(counts.values())} files, {counts}, exit code {work.exitcode}, slowest "
            f"{about.get('slowest_seconds', 0):.2f} s, peak {about.get('peak_MiB', 0):.0f} MiB, seeds "
            f"{about.get('seeds')}",
            flush=True,
        )
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
