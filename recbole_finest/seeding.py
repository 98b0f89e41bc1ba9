"""Seeds derived from what they are for, so that no stream depends on what ran before it."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


def derive_seed(*parts: int | str) -> int:
    """A 63-bit seed that depends on all of ``parts`` (seed, stage, epoch, step, …) and nothing else."""
    words = [zlib.crc32(p.encode()) if isinstance(p, str) else int(p) for p in parts]
    return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0]) >> 1


def generator(*parts: int | str) -> np.random.Generator:
    """A NumPy generator seeded with :func:`derive_seed`."""
    return np.random.default_rng(derive_seed(*parts))


def seed_globals(seed: int) -> None:
    """Seed the global generators, from which RecBole's models, samplers and transforms draw.

    Nothing of ours draws from them; they are set before every step so that a step's draws depend on
    its own place alone.
    """
    random.seed(seed)
    np.random.seed(seed % 2**32)
    seed_torch(seed)


def seed_torch(seed: int) -> None:
    """Seed PyTorch's global generators alone, from which dropout draws."""
    if torch.cuda.is_available():
        torch.manual_seed(seed)
    else:  # manual_seed also notes for every absent device who called it, which takes a millisecond
        torch.default_generator.manual_seed(seed)


def global_streams() -> tuple[Any, ...]:
    """Where the global generators stand (Python's, NumPy's, PyTorch's of CPU and GPU)."""
    gpu = torch.cuda.get_rng_state() if torch.cuda.is_available() else None
    return random.getstate(), np.random.get_state(), torch.get_rng_state(), gpu


@contextmanager
def replayed(streams: tuple[Any, ...]) -> Iterator[None]:
    """Inside the block the global generators go on from ``streams``; after it, from before the block.

    Args:
        streams: from :func:`global_streams`.
    """
    before = global_streams()
    _set_streams(streams)
    try:
        yield
    finally:
        _set_streams(before)


def _set_streams(streams: tuple[Any, ...]) -> None:
    python, numpy, cpu, gpu = streams
    random.setstate(python)
    np.random.set_state(numpy)
    torch.set_rng_state(cpu)
    if gpu is not None:
        torch.cuda.set_rng_state(gpu)
