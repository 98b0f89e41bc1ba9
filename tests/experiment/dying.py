"""Runs in processes that end at a chosen event: a step of training, or a change of a file.

Importing the packages takes longer than a run of the toy data, so every run is a fork of this process. A
file changes when half of it is written, when it is written but not yet renamed, renamed, removed, mapped.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from recbole_finest.cli.main import main
from recbole_finest.parallel import signals
from recbole_finest.train.resume import ResumableTrainer
from tests.conftest import SMALL, write_toy

COMMON = {**SMALL, "dataset": "toy", "epochs": 3, "finest_epochs": 3}
# what differs in how weights, streams and lists come about
CASES: list[dict[str, Any]] = [
    {"model": "SASRec", "n_layers": 1, "hidden_size": 8, "inner_size": 8, "n_heads": 1}
    | {"weight_average": "ema", "weight_average_decay": 0.9},
    {"model": "GRU4Rec", "loss_type": "BPR", "shuffle_order": "recbole", "embedding_size": 8}
    | {"hidden_size": 8, "finest_early_stopping": True, "learning_rate_schedule": "cosine"}
    | {"weight_average": "last_quarter"},
    {"model": "S3Rec", "pretrain_epochs": 2, "n_layers": 1, "hidden_size": 8, "inner_size": 8}
    | {"n_heads": 1, "baselines": "[distillation]"},
]
STEP = "a step"


class Events:
    """Counts what a run does, and ends it with a signal at one of them.

    Args:
        folder: events on files elsewhere do not count.
        at: number of the event at which the run ends; None lets it live, 0 leaves the place to ``wanted``.
        number: of the signal.
        wanted: it ends with the next event whose name has this in it, where one of ``at`` more has.
    """

    def __init__(self, folder: Path, at: int | None, number: int, wanted: str):
        self.folder, self.at, self.number, self.wanted = str(folder), at, number, wanted
        self.seen: list[str] = []

    def ends(self, what: str) -> bool:
        """Whether the run ends with the event that comes next."""
        if self.at is None or len(self.seen) < self.at:
            return False
        return self.wanted in what or (bool(self.at) and len(self.seen) >= 2 * self.at)

    def happen(self, what: str) -> None:
        """Note an event, and end the run where it is the one."""
        ends = self.ends(what)
        self.seen.append(what)
        if not ends:
            return
        self.at = None  # a signal that can be handled comes once
        with open(Path(self.folder).with_suffix(".kills"), "a") as file:
            file.write(what + "\n")
        os.kill(os.getpid(), self.number)

    def install(self) -> None:
        """Wrap what writes, removes and trains, in this process."""
        fsync, replace, unlink, check = os.fsync, os.replace, os.unlink, signals.check

        def counted_fsync(number: int) -> None:
            name = os.readlink(f"/proc/self/fd/{number}")
            what = f"half of {self._kind(name)} written"
            if self.ends(what) and self.number == signal.SIGKILL:
                os.ftruncate(number, os.fstat(number).st_size // 2)
            self.happen(what)
            fsync(number)

        def counted_replace(source: Any, target: Any) -> None:
            self.happen(f"{self._kind(target)} before its new name")
            replace(source, target)
            self.happen(f"{self._kind(target)} after its new name")

        def counted_unlink(path: Any, **more: Any) -> None:
            if str(path).startswith(self.folder) and os.path.lexists(path):
                self.happen(f"{self._kind(path)} before it is removed")
            unlink(path, **more)

        def counted_check() -> None:
            self.happen(STEP)
            check()

        mapped = np.lib.format.open_memmap

        def counted_mapped(path: Any, *args: Any, **more: Any) -> Any:
            made = mapped(path, *args, **more)
            self.happen(f"{self._kind(path)} mapped")
            return made

        np.lib.format.open_memmap = counted_mapped
        os.fsync, os.replace, os.unlink = counted_fsync, counted_replace, counted_unlink
        signals.check = counted_check

    @staticmethod
    def _kind(path: Any) -> str:
        """A file's kind: its name without what models are called."""
        name = Path(path).name.lstrip(".").removesuffix(".part")
        return ".".join(p for p in name.split(".") if len(p) != 16).removeprefix("base_")


def words(case: int, folder: Path, data: Path, **more: Any) -> list[str]:
    """The command line of a run."""
    given = {**COMMON, **CASES[case % len(CASES)], "data_path": data, "output_dir": folder, **more}
    return [f"--{name}={value}" for name, value in given.items()]


def run(given: list[str], folder: Path, at: int | None = None, **how: Any) -> int:
    """Run a command in new processes; returns the exit code of the first, negative for a signal.

    Args:
        given: the command line.
        folder: where the run's files go.
        at: event of the dying process at which it ends.
        how: ``by`` which signal, ``wanted`` as for :class:`Events`, ``world``, how many processes there
            are, and ``dying``, which of them dies.
    """
    world, dying = how.get("world", 1), how.get("dying", 0)
    by, wanted = how.get("by", signal.SIGKILL), how.get("wanted", "")
    port = _free_port()
    children = []
    for rank in range(world):
        child = os.fork()
        if child == 0:
            events = Events(folder, at if rank == dying else None, by, wanted)
            _child(given, folder, events, rank, world, port)
        children.append(child)
    status = {}
    while len(status) < world:
        child, status_of_it = os.wait()
        status[child] = os.waitstatus_to_exitcode(status_of_it)
        if child == children[dying] and status[child]:  # as a scheduler does
            for other in set(children) - set(status):
                os.kill(other, signal.SIGKILL)
    return status[children[dying]]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return probe.getsockname()[1]


def _child(
    given: list[str], folder: Path, events: Events, rank: int, world: int, port: int
) -> None:
    code = 70
    try:
        said = os.open(folder.with_suffix(".said"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(said, 1), os.dup2(said, 2)
        if world > 1:
            os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(world))
            os.environ.update(LOCAL_WORLD_SIZE=str(world), MASTER_ADDR="localhost")
            os.environ.update(MASTER_PORT=str(port))
        events.install()
        _count_epochs(folder.with_suffix(".epochs") if rank == 0 else Path(os.devnull))
        code = main(given)
        if rank == 0:
            folder.with_suffix(".events").write_text(json.dumps(events.seen))
    except BaseException as error:
        print("Traceback:", repr(error), file=sys.stderr)
    finally:
        sys.stderr.flush()
        os._exit(code)


def _count_epochs(file: Path) -> None:
    begin: Callable[..., None] = ResumableTrainer._begin_epoch
    pid = os.getpid()

    def counted(self: Any, loader: Any, epoch: int) -> None:
        begin(self, loader, epoch)
        name = "" if self.states is None else self.states.name
        with open(file, "a") as out:
            out.write(f"{pid} {name} {epoch}\n")

    ResumableTrainer._begin_epoch = counted  # type: ignore[method-assign]


def prepare(root: Path) -> None:
    """Data, and a run in this process, so that what it imports is there in all forks."""
    torch.set_num_threads(1)
    root.mkdir(parents=True, exist_ok=True)
    if not (root / "data").exists():
        write_toy(root / "data")
        items = "".join(f"i{item}\tc{item % 4}\n" for item in range(40))  # S3Rec reads them
        (root / "data/toy/toy.item").write_text("item_id:token\tclass:token_seq\n" + items)
    os.chdir(root)
    tqdm.monitor_interval = 0  # a thread, which no fork has
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        assert main(words(0, root / "warm", root / "data", epochs=1, overwrite=True)) == 0
