"""One training in several processes: RecBole's ``nproc``, ``world_size``, ``ip`` and ``port``."""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import torch.multiprocessing as mp

from recbole_finest.errors import Unwritten, UserError
from recbole_finest.files import write_json, write_text
from recbole_finest.folders.own import temporary
from recbole_finest.parallel.distributed import PeerLost, place
from recbole_finest.parallel.signals import Interrupted, handled

if TYPE_CHECKING:
    from recbole_finest.config.config import Config

PATIENCE = 60  # seconds that an interrupted process has for the step that it is in
ADVICE = "continue.txt"  # what the first process says of how to go on


def wanted(config: Config) -> bool:
    """Whether this process is to start others: settings ask for several, and it is not one of them.

    Raises:
        UserError: the settings contradict each other or torchrun, or nothing can listen at the address.
    """
    nproc, world_size = config["nproc"], config["world_size"]
    started = place()
    if started.world_size > 1:
        if nproc not in (1, started.local_world_size):
            raise UserError(
                f"nproc is {nproc}, but torchrun started {started.local_world_size} processes here; "
                "leave nproc out"
            )
        return False
    if nproc == 1 and world_size in (-1, 1):
        return False
    _check(config)
    return True


def _check(config: Config) -> None:
    nproc, offset = config["nproc"], config["group_offset"]
    size = _size(config)
    if size < nproc + offset:
        raise UserError(
            f"world_size is {size}, but nproc is {nproc} and group_offset {offset}, which makes "
            f"{nproc + offset} processes; world_size counts those of all machines"
        )
    try:
        socket.getaddrinfo(config["ip"], config["port"])
    except OSError as error:
        raise UserError(
            f"ip is {config['ip']!r}, which is no known address ({error.strerror}); give the address of "
            "the machine with group_offset 0"
        ) from error
    if offset == 0:
        _check_port(config["port"])


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError as error:
            raise UserError(
                f"port {port} of this machine cannot be used ({error.strerror}); give another --port"
            ) from error


def _size(config: Config) -> int:
    return config["nproc"] if config["world_size"] == -1 else config["world_size"]


def launch(
    config: Config, function: Callable[..., dict[str, Any]], arguments: tuple
) -> dict[str, Any]:
    """Call ``function(*arguments)`` in ``nproc`` new processes; returns what it returns in the first.

    Args:
        config: the run's settings.
        function: of a module, as pickling needs it; its result is written as JSON.
        arguments: its arguments.

    Raises:
        UserError: one of them raised it, or was killed; the others are ended.
    """
    logging.getLogger("torch.multiprocessing.spawn").setLevel(logging.ERROR)
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "FATAL")  # what matters comes as an exception
    nproc = config["nproc"]
    common = {"WORLD_SIZE": _size(config), "LOCAL_WORLD_SIZE": nproc}
    common |= {"MASTER_ADDR": config["ip"], "MASTER_PORT": config["port"]}
    with temporary() as name:
        folder = Path(name)
        rest = (config["group_offset"], common, function, arguments, folder)
        context: Any = mp.spawn(_process, rest, nprocs=nproc, join=False)
        try:
            while not context.join():
                pass
        except mp.ProcessExitedException as error:
            raise UserError(_reason(folder, error, nproc)) from error
        except BaseException as error:
            _end(context.processes)
            if isinstance(error, Interrupted) and (folder / ADVICE).is_file():
                error.advice = (folder / ADVICE).read_text()
            raise
        return json.loads((folder / "result.json").read_text())


def _end(processes: Sequence[Any]) -> None:
    """End all processes: each finishes what it writes, and is killed where that takes too long."""
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(PATIENCE)
        process.kill()


def _process(
    number: int,
    offset: int,
    common: dict[str, Any],
    function: Callable[..., dict[str, Any]],
    arguments: tuple,
    folder: Path,
) -> None:
    """What each process does; a UserError goes to the parent through a file, as exit code 2."""
    who = {"RANK": number + offset, "LOCAL_RANK": number, **common}
    os.environ.update({name: str(value) for name, value in who.items()})
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, torch.get_num_threads() // common["LOCAL_WORLD_SIZE"]))
    try:
        # PyTorch interrupts it when the parent dies; a command in the background would ignore that
        with handled(child=True):
            result = function(*arguments)
        if number == 0:
            write_json(folder / "result.json", result)
    except Interrupted as error:
        if number == 0 and error.advice is not None:
            write_text(folder / ADVICE, error.advice)
        sys.exit(error.exit_code)
    except UserError as error:
        lost = isinstance(error, PeerLost)
        try:
            write_text(folder / f"{number}.{'lost' if lost else 'error'}", str(error))
        except Unwritten:  # the parent has a sentence for that
            print(f"process {number}: {error}", file=sys.stderr)
        if lost:
            time.sleep(5)  # the process with the cause is to end first
        sys.exit(2)


def _reason(folder: Path, error: mp.ProcessExitedException, nproc: int) -> str:
    first = folder / f"{error.error_index}.error"
    said = [first] if first.exists() else [*folder.glob("*.error"), *folder.glob("*.lost")]
    if error.signal_name is None and said:
        return said[0].read_text()
    if error.exit_code == 2:
        return f"process {error.error_index} of {nproc} ended; what it says itself is the cause"
    how = error.signal_name or f"exit code {error.exit_code}"
    return (
        f"process {error.error_index} of {nproc} was ended by {how} (short of memory?); lower nproc or "
        "train_batch_size, or free memory"
    )
