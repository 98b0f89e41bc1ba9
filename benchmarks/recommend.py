"""Speed of ``Recommender`` against the evaluation's own pass, and memory of a stream of many people.

    python benchmarks/recommend.py [--users=1000000] [--histories=1000] [--model=GRU4Rec] [--repeats=5]
        [--outputs=csv,parquet,npz] [--threads=1]

The model is untrained: what it recommends is nonsense, and takes as long. It knows 2,000 people and
``--items`` items; a history has 20 interactions on average. *Speed*: medians of both, measured in turn
in one process (A B A B …), on the same test histories. *Stream*: ``run_finest.py recommend
--histories=FILE`` in a process of its own for each format, of people whom the model has never seen; the
peak memory is that process's. Goals: full-sort speed; a million people in 2 GiB.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from tabulate import tabulate

from recbole_finest import Recommender
from recbole_finest.compat import quiet_recbole
from recbole_finest.config.config import Config
from recbole_finest.data.loader import EvalLoader
from recbole_finest.data.prepare import prepare
from recbole_finest.evaluator.topk import top_items_and_scores
from recbole_finest.model.build import build_model
from recbole_finest.train.checkpoint import origin, save_checkpoint

ROOT = Path(__file__).parents[1]
KNOWN, LENGTH, K = 2000, 20, 10


def write_log(path: Path, people: int, items: int, header: str, sep: str, seed: int) -> None:
    """Write people of 10 to 30 interactions each, in the order of people and times."""
    rng = np.random.default_rng(seed)
    with open(path, "w") as file:
        file.write(header + "\n")
        for first in range(0, people, 10_000):
            length = rng.integers(LENGTH // 2, LENGTH * 3 // 2 + 1, min(10_000, people - first))
            user = np.repeat(np.arange(first, first + len(length)), length)
            item = rng.integers(items, size=len(user))
            rows = enumerate(zip(user.tolist(), item.tolist()))
            file.writelines(f"u{seed}-{u}{sep}i{i}{sep}{10**9 + n}\n" for n, (u, i) in rows)


def make_model(folder: Path, model: str, items: int) -> Path:
    """An untrained model's checkpoint; its data set is written beside it."""
    (folder / "known").mkdir()
    header = "user_id:token\titem_id:token\ttimestamp:float"
    write_log(folder / "known" / "known.inter", KNOWN, items, header, "\t", 0)
    config = Config(model, "known", config_dict={"data_path": str(folder), "show_progress": False})
    data = prepare(config)
    path = folder / "model.pth"
    save_checkpoint(
        path, build_model(config, data.train), config, stage="base", **origin(data, None)
    )
    return path


def speed(path: Path, n: int, repeats: int) -> tuple[float, float]:
    """Seconds of the evaluation's full sorting of ``n`` histories, and of ``recommend`` for them."""
    recommender = Recommender.load(path)
    data = prepare(recommender.config)
    view = data.test.inter_feat
    part = data.test.copy(view[: min(n, len(view))])
    log, items = data.log, recommender.vocabulary.items
    positions = part.inter_feat.positions
    histories = [items[log.item[log.user_begin[log.user[p]] : p]].tolist() for p in positions]

    def full_sort() -> None:
        with torch.no_grad():
            for batch, *_ in EvalLoader(recommender.config, part):
                scores = recommender.scorer.all_items(
                    batch.to(recommender.config["device"])
                ).float()
                scores[:, 0] = -torch.inf
                top_items_and_scores(scores, K)

    contenders = [full_sort, lambda: recommender.recommend(histories, K)]
    spent: list[list[float]] = [[], []]
    for repeat in range(repeats + 1):
        for contender, seconds in zip(contenders, spent):
            begin = time.perf_counter()
            contender()
            seconds += [time.perf_counter() - begin] if repeat else []  # the first warms up
    one, other = map(statistics.median, spent)
    return one, other


def stream(path: Path, histories: Path, output: Path) -> tuple[float, float]:
    """Seconds and peak memory in GiB of the command, start and loading included."""
    command = [sys.executable, str(ROOT / "run_finest.py"), "recommend", f"--model_file={path}"]
    command += [f"--histories={histories}", f"--output={output}", f"--topk={K}"]
    begin = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    return time.perf_counter() - begin, used.ru_maxrss / 2**20


def rows(arguments: argparse.Namespace, folder: Path) -> Iterator[list[str]]:
    path = make_model(folder, arguments.model, arguments.items)
    full_sort, asked = speed(path, arguments.histories, arguments.repeats)
    n = min(arguments.histories, KNOWN)
    yield [f"full sorting of {n:,} test histories", f"{full_sort:.3f} s", ""]
    yield [f"recommend for the same, in tokens: {asked / full_sort:.2f} ×", f"{asked:.3f} s", ""]
    histories = folder / "histories.csv"
    write_log(histories, arguments.users, arguments.items, "user,item,time", ",", 1)
    for suffix in arguments.outputs.split(","):
        seconds, peak = stream(path, histories, folder / f"lists.{suffix}")
        size = (folder / f"lists.{suffix}").stat().st_size / 2**20
        what = f"{arguments.users:,} new people streamed into .{suffix} ({size:,.0f} MiB)"
        yield [what, f"{seconds:.1f} s", f"{peak:.2f} GiB"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument("--items", type=int, default=2000)
    parser.add_argument("--model", default="GRU4Rec")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--outputs", default="csv,parquet,npz")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    quiet_recbole()
    torch.set_num_threads(arguments.threads)
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)
    with tempfile.TemporaryDirectory() as folder:
        print(tabulate(rows(arguments, Path(folder)), ["what", "time", "peak memory"], "github"))
    here = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{arguments.model}, {arguments.items:,} items, lists of {K}; this process: {here:.2f} GiB"
    )


if __name__ == "__main__":
    main()
