"""Seeds derived from what they are for, so that no stream depends on what ran before it."""

from __future__ import annotations

import hashlib
import random
import zlib
from collections.abc import Iterable, Iterator, Mapping
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


def saved_streams() -> dict[str, Any]:
    """:func:`global_streams` as tensors and plain values, as a checkpoint holds them."""
    (version, numbers, gauss), (name, keys, *rest), cpu, gpu = global_streams()
    own = {"version": version, "numbers": torch.tensor(numbers), "gauss": gauss}
    keys = torch.from_numpy(keys.astype(np.int64))
    return {"python": own, "numpy": [str(name), keys, *rest], "cpu": cpu, "gpu": gpu}


def restore_streams(saved: Mapping[str, Any]) -> None:
    """Let the global generators go on from where :func:`saved_streams` found them."""
    own, (name, keys, *rest) = saved["python"], saved["numpy"]
    python = own["version"], tuple(own["numbers"].tolist()), own["gauss"]
    numpy = name, keys.numpy().astype(np.uint32), *rest
    _set_streams((python, numpy, saved["cpu"], saved["gpu"]))


def _set_streams(streams: tuple[Any, ...]) -> None:
    python, numpy, cpu, gpu = streams
    random.setstate(python)
    np.random.set_state(numpy)
    torch.set_rng_state(cpu)
    if gpu is not None:
        torch.cuda.set_rng_state(gpu)


# Random numbers of what things are ---------------------------------------------------------------

Keys = np.ndarray  # uint64: one for each thing, equal wherever the thing is the same

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def token_keys(tokens: Iterable[object]) -> Keys:
    """A key for each token, whatever other tokens there are; BLAKE2b's first 8 bytes, ``[n]``."""
    digests = (hashlib.blake2b(str(t).encode(), digest_size=8).digest() for t in tokens)
    return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)


def mixed(keys: Keys, seed: int = 0) -> Keys:
    """Other keys, which look random beside the first ones: SplitMix64 (Steele et al., OOPSLA 2014)."""
    with np.errstate(over="ignore"):
        x = keys + np.uint64(seed % 2**64) + _GAMMA
        x = (x ^ (x >> np.uint64(30))) * _MIX[0]
        x = (x ^ (x >> np.uint64(27))) * _MIX[1]
    return x ^ (x >> np.uint64(31))


def keyed_uniform(keys: Keys, seed: int, width: int | None = None) -> np.ndarray:
    """Uniform numbers in [0, 1) that depend on key and seed alone, ``[n]`` or ``[n, width]``."""
    drawn = mixed(keys, seed)
    if width is not None:
        with np.errstate(over="ignore"):
            columns = np.arange(width, dtype=np.uint64) * _GAMMA
            drawn = mixed(drawn[:, None] + columns)
    return (drawn >> np.uint64(11)) * 2.0**-53


def bucket_of(keys: Keys, buckets: int) -> np.ndarray:
    """One of ``buckets`` for each key, ``[n]``, int64, about equally many in each.

    Of ``buckets + 1`` only those keys move that go into the new one, one in ``buckets + 1``: jump
    consistent hash (Lamping, Veach 2014, arXiv 1406.2294).
    """
    state = keys.copy()
    found = np.zeros(len(keys), np.int64)
    active: np.ndarray = np.arange(len(keys))
    jump: np.ndarray = np.zeros(len(keys), np.int64)
    with np.errstate(over="ignore"):
        while len(active):
            found[active] = jump
            state = state * np.uint64(2862933555777941757) + np.uint64(1)
            share = 2.0**31 / ((state >> np.uint64(33)) + np.uint64(1)).astype(np.float64)
            jump = ((jump + 1) * share).astype(np.int64)
            left = jump < buckets
            active, state, jump = active[left], state[left], jump[left]
    return found
