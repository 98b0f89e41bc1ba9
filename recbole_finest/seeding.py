"""Seeds derived from what they are for, so that no stream depends on what ran before it."""

from __future__ import annotations

import random
import zlib

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
    if torch.cuda.is_available():
        torch.manual_seed(seed)
    else:  # manual_seed also notes for every absent device who called it, which takes a millisecond
        torch.default_generator.manual_seed(seed)
