"""Runs that die at chosen moments, and what is left when they have gone on to their end.

    python -m tests.experiment.crashes FOLDER KILLS CHAINS [PROCESSES] [SIGNAL]

Importing the packages takes longer than a run of the toy data, so every run is a fork of this process. A
chain is a run that is killed, the same command with --resume=True that is killed, and so on, until one is
left alone. An event is a step of training or a change of a file: half of it written, written but not yet
renamed, renamed, removed. Prints one JSON object a chain.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import sys
from collections import Counter
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
from tests.conftest import write_toy

COMMON = {
    "dataset": "toy",
    "epochs": 3,
    "finest_epochs": 3,
    "MAX_ITEM_LIST_LENGTH": 8,
    "train_batch_size": 64,
    "reference_k": 5,
    "list_depth": 20,
    "simulation_ratio": 0.05,
    "perturbation_ratio": 0.02,
    "show_progress": False,
    "state": "WARNING",
}
# what differs in how weights, streams and lists come about
CASES: list[dict[str, Any]] = [
    {"model": "SASRec", "n_layers": 1, "hidden_size": 8, "inner_size": 8, "n_heads": 1},
    {"model": "GRU4Rec", "loss_type": "BPR", "shuffle_order": "recbole", "embedding_size": 8}
    | {"hidden_size": 8, "finest_early_stopping": True, "learning_rate_schedule": "cosine"},
    {"model": "S3Rec", "pretrain_epochs": 2, "n_layers": 1, "hidden_size": 8, "inner_size": 8}
    | {"n_heads": 1, "baselines": "[distillation]"},
]
TIMES, STEP = ("seconds", "cost"), "a step"
WANTED = (
    STEP,
    "half of",
    "state.pth",
    "npy",
    ".pth before",
    "manifest",
    "training.pth",
    ".json",
    "removed",
)


class Events:
    """Counts what a run does, and ends it with a signal at one of them.

    Args:
        folder: events on files elsewhere do not count.
        at: number of the event at which the run ends; None lets it live.
        number: of the signal.
        wanted: it ends with the next event whose name has this in it, where one of ``at`` events has.
    """

    def __init__(self, folder: Path, at: int | None, number: int, wanted: str):
        self.folder, self.at, self.number, self.wanted = str(folder), at, number, wanted
        self.seen: list[str] = []

    def ends(self, what: str) -> bool:
        """Whether the run ends with the event that comes next."""
        if self.at is None or len(self.seen) < self.at:
            return False
        return self.wanted in what or len(self.seen) >= 2 * self.at

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
            self.happen(f"{self._kind(path)} mapped and empty")
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


# What is left ------------------------------------------------------------------------------------


def differences(whole: Path, cut: Path) -> list[str]:
    """Names of files and of parts of ``result.json`` that differ between two finished runs."""
    found = []
    names = {p.relative_to(f) for f in (whole, cut) for p in f.rglob("*") if p.is_file()}
    for name in sorted(n for n in names if n.suffix in (".npz", ".npy", ".pth", ".part")):
        one, other = whole / name, cut / name
        if not (one.is_file() and other.is_file()):
            found.append(f"{name} is there once")
        elif name.suffix == ".pth":
            found += [str(name)] if not _same_models(one, other) else []
        elif one.read_bytes() != other.read_bytes():
            found.append(str(name))
    one, other = (json.loads((f / "result.json").read_text()) for f in (whole, cut))
    found += [f"result.json: {k}" for k in one if k not in TIMES and one[k] != other.get(k)]
    curves = [(f / "curves.json").read_bytes() for f in (whole, cut)]
    return found + (["curves.json"] if curves[0] != curves[1] else [])


def _same_models(one: Path, other: Path) -> bool:
    first, second = (torch.load(path) for path in (one, other))
    weights = first["state_dict"]
    same = all(torch.equal(w, second["state_dict"][n]) for n, w in weights.items())
    return same and first.get("curve") == second.get("curve")


def most_repeated(file: Path) -> int:
    """The most epochs that a run trained although an earlier one had begun them."""
    runs: dict[str, list[tuple[str, str]]] = {}
    for line in file.read_text().splitlines():
        pid, name, epoch = line.split()
        runs.setdefault(pid, []).append((name, epoch))
    seen: set[tuple[str, str]] = set()
    most = 0
    for begun in runs.values():
        most = max(most, len(seen & set(begun)))
        seen |= set(begun)
    return most


def chain(root: Path, number: int, kills: int, world: int, by: int) -> dict[str, Any]:
    """One run, killed and resumed; what differs from an uninterrupted one, and what was said.

    Args:
        root: where files go.
        number: of the chain; says which case it is, and which events are hit.
        kills: how often it is killed.
        world: number of processes.
        by: number of the signal.
    """
    case = number % len(CASES) if world == 1 else 0  # S3Rec's pre-training wants one process
    whole, cut = root / f"whole{case}-{world}", root / f"cut{number}-{world}-{by}"
    data = root / "data"
    if not whole.exists():
        assert run(words(case, whole, data), whole, world=world) == 0, whole.with_suffix(".said")
    events = json.loads(whole.with_suffix(".events").read_text())
    rng = random.Random(number)
    codes, resume = [], False
    for kill in range(kills):
        given = words(case, cut, data, **({"resume": True} if resume else {}))
        at = int(len(events) / (kills + 1) * rng.uniform(0.4, 1.2))  # its share, more or less
        dying = kill % world if by == signal.SIGKILL else 0
        if dying:  # it writes nothing: its events are the steps alone
            at = int(at * events.count(STEP) / len(events))
        how = {"by": by, "world": world, "dying": dying}
        how["wanted"] = WANTED[(number * kills + kill) % len(WANTED)] if dying == 0 else STEP
        codes.append(run(given, cut, at, **how))
        resume = (cut / "config.yaml").is_file()
    last = run(words(case, cut, data, **({"resume": True} if resume else {})), cut, world=world)
    said = cut.with_suffix(".said").read_text()
    hit = cut.with_suffix(".kills")
    return {
        "chain": number,
        "case": CASES[case]["model"],
        "codes": codes,
        "last": last,
        "killed at": hit.read_text().splitlines() if hit.is_file() else [],
        "differ": differences(whole, cut) if last == 0 else ["not finished"],
        "repeated": most_repeated(cut.with_suffix(".epochs")),
        "traceback": "Traceback" in said,
        "said": [line for line in said.splitlines() if "continue with" in line],
    }


def report(root: Path, kills: int, chains: int, world: int = 1, by: int = signal.SIGKILL) -> list:
    """All chains."""
    torch.set_num_threads(1)
    root.mkdir(parents=True, exist_ok=True)
    if not (root / "data").exists():
        write_toy(root / "data")
        items = "".join(f"i{item}\tc{item % 4}\n" for item in range(40))  # S3Rec reads them
        (root / "data/toy/toy.item").write_text("item_id:token\tclass:token_seq\n" + items)
    os.chdir(root)
    _warm_up(root)
    return [chain(root, number, kills, world, by) for number in range(chains)]


def _warm_up(root: Path) -> None:
    """A run in this process: what it imports and what is slow when first used is there in all forks."""
    tqdm.monitor_interval = 0  # a thread, which no fork has
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        assert main(words(0, root / "warm", root / "data", epochs=1, overwrite=True)) == 0


def totals(found: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures of a table."""
    return {
        "killed": sum(len(one["killed at"]) for one in found),
        "chains": len(found),
        "identical": sum(not one["differ"] for one in found),
        "most epochs repeated": max(one["repeated"] for one in found),
        "tracebacks": sum(one["traceback"] for one in found),
        "at": dict(Counter(what for one in found for what in one["killed at"]).most_common()),
    }


if __name__ == "__main__":
    folder, kills, chains, *rest = sys.argv[1:]
    found = report(Path(folder).absolute(), int(kills), int(chains), *map(int, rest))
    for one in found:
        print(json.dumps(one))
    print(json.dumps(totals(found), indent=2))
