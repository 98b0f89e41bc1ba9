"""Several processes of one training: which one this is, and what they tell each other.

Everything here does nothing, and costs nothing, in a run of one process. Processes are started by
:mod:`recbole_finest.parallel.launch` or by torchrun; both say in the environment who each one is. RecBole's
own distributed code (DistributedSampler, DistributedDataParallel, its reduction of metrics) is not used: it
pads the last batch with copies and weights processes by a wrong length.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, TypeVar

import torch
import torch.distributed as dist
from torch import nn

from recbole_finest.errors import UserError, first_line

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

    from recbole_finest.config.config import Config

T = TypeVar("T")
COLLECTIVE_TIMEOUT = timedelta(
    hours=2
)  # others wait while one process reads data or writes a report


class PeerLost(UserError):
    """Another process ended or cannot be reached: the consequence of an error that it reports itself."""


@dataclass(frozen=True)
class Place:
    """Which process this is: its number among all and on this machine, and how many there are."""

    rank: int = 0
    local_rank: int = 0
    world_size: int = 1
    local_world_size: int = 1


def place() -> Place:
    """This process's place by the environment, as torchrun and our launcher set it."""
    names = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE")
    if "RANK" not in os.environ or int(os.environ.get("WORLD_SIZE", 1)) < 2:
        return Place()
    return Place(
        *(int(os.environ.get(name, default)) for name, default in zip(names, (0, 0, 1, 1)))
    )


def rank() -> int:
    """Number of this process, 0 … world_size() - 1."""
    return dist.get_rank() if dist.is_available() and dist.is_initialized() else 0


def world_size() -> int:
    """Number of processes that train together; 1 outside :func:`joined`."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def is_main() -> bool:
    """Whether this process is the one that writes files and speaks."""
    return rank() == 0


# The group --------------------------------------------------------------------------------------

_store: Any = None


@contextmanager
def joined(config: Config) -> Iterator[None]:
    """Join the other processes that the environment tells of; gloo on CPUs, NCCL between GPUs.

    Raises:
        UserError: they did not all come within ``process_timeout`` seconds.
    """
    if place().world_size < 2 or dist.is_initialized():
        yield
        return
    _join(config)
    yield
    dist.destroy_process_group()  # after an error the process ends, and others may still be waiting


def _join(config: Config) -> None:
    global _store
    gpu = torch.device(config["device"]).type == "cuda"
    seconds = config["process_timeout"]
    try:
        found = dist.rendezvous("env://", timeout=timedelta(seconds=seconds))
        _store, number, size = next(found)
        dist.init_process_group(
            "cpu:gloo,cuda:nccl" if gpu else "gloo",
            store=dist.PrefixStore("recbole_finest", _store),
            rank=number,
            world_size=size,
            timeout=COLLECTIVE_TIMEOUT,
        )
    except (RuntimeError, ValueError, OSError) as error:
        where = f"{os.environ.get('MASTER_ADDR')}:{os.environ.get('MASTER_PORT')}"
        raise UserError(
            f"the {place().world_size} processes did not meet at {where} within {seconds} s "
            f"({first_line(error)[:200]}); check ip, port, world_size and group_offset on every machine, "
            "or raise process_timeout"
        ) from error


def reports_errors() -> bool:
    """Whether this process is the one to print an error: the first that fails, only once."""
    if _store is None:
        return place().rank == 0
    try:
        return bool(_store.add("recbole_finest/failed", 1) == 1)
    except RuntimeError:  # the process that kept the store is gone
        return place().rank == 0


@contextmanager
def _talking() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise PeerLost(
            f"another process of this training ended or cannot be reached ({first_line(error)[:200]}); "
            "what it says itself is the cause"
        ) from error


# What they tell each other ----------------------------------------------------------------------


def gather(value: T) -> list[T]:
    """Every process's value, in order of rank."""
    if world_size() == 1:
        return [value]
    found: list[Any] = [None] * world_size()
    with _talking():
        dist.all_gather_object(found, value)
    return found


def from_main(make: Callable[[], T]) -> T:
    """What ``make`` gives in the first process, in all of them; a UserError there is raised in all."""
    if world_size() == 1:
        return make()
    box: list[Any] = [None, None]
    if is_main():
        try:
            box[0] = make()
        except UserError as error:
            box[1] = error
    with _talking():
        dist.broadcast_object_list(box, src=0)
    if box[1] is not None:
        raise box[1]
    return box[0]


def barrier() -> None:
    """Wait until all processes are here."""
    gather(None)


def in_order(parts: Iterable[list[T]]) -> list[T]:
    """Lists whose items were dealt out in turn, joined in the order before: [[a, c], [b]] → [a, b, c]."""
    missing = object()
    rounds = zip_longest(*parts, fillvalue=missing)
    return [item for one in rounds for item in one if item is not missing]  # type: ignore[misc]


def interleave(own: list[T]) -> list[T]:
    """All processes' items, which were dealt out in turn, in every process."""
    return in_order(gather(own))


def in_turn(own: Iterator[T]) -> Iterator[T]:
    """As :func:`interleave`, round by round, so that no process holds more than one round."""
    if world_size() == 1:
        yield from own
        return
    while True:
        found = gather(next(own, None))
        if all(item is None for item in found):
            return
        yield from (item for item in found if item is not None)


def average_gradients(model: nn.Module) -> None:
    """Replace every gradient by its mean over the processes, in place.

    One that a process lacks counts as zero there, and one that all lack stays missing, so that the
    optimiser skips the same parameters as in one process.
    """
    if world_size() == 1:
        return
    weights = [p for p in model.parameters() if p.requires_grad]
    parts = [torch.zeros_like(p) if p.grad is None else p.grad.to_dense() for p in weights]
    there = torch.tensor([p.grad is not None for p in weights]).to(parts[0])
    flat = torch.cat([*(part.reshape(-1) for part in parts), there])
    with _talking():
        dist.all_reduce(flat)
    sums = flat[: len(flat) - len(weights)].split([p.numel() for p in weights])
    for weight, total, present in zip(weights, sums, flat[-len(weights) :].tolist()):
        weight.grad = (total / world_size()).view_as(weight) if present else None


def mean(value: torch.Tensor) -> torch.Tensor:
    """Mean of a tensor over the processes, in each of them."""
    if world_size() == 1:
        return value
    return torch.stack(gather(value.cpu())).mean(0).to(value.device)


class _Silent:
    """Takes any call and does nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: None


def without_files(writer: SummaryWriter) -> Any:
    """Remove the files that RecBole's trainer made for TensorBoard; returns a writer of none."""
    writer.close()
    shutil.rmtree(writer.log_dir, ignore_errors=True)
    return _Silent()


def same_weights(model: nn.Module) -> None:
    """Give every process the first one's weights."""
    if world_size() > 1:
        state = from_main(lambda: {k: v.cpu() for k, v in model.state_dict().items()})
        model.load_state_dict(state)
