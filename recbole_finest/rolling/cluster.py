"""The nights of several models and seeds at once, as tasks of a Ray cluster."""

from __future__ import annotations

from collections.abc import Sequence

from recbole_finest.compat import quiet_recbole
from recbole_finest.errors import UserError
from recbole_finest.parallel.cluster import RETRIES, connect
from recbole_finest.rolling.chain import Chain


def make_on_ray(address: str, replays: Sequence[Sequence[Chain]]) -> None:
    """Make all nights of several replays, of one model and seed each; the folder then has them.

    Args:
        address: ``auto``, ``local`` or ``host:port``.
        replays: methods of one model and seed, each with paths that are the same on every machine. They
            share their first model, so that one task makes them in turn; it takes one processor.

    Raises:
        UserError: no cluster answers, or what a task raised.
    """
    ray = connect(address)
    try:
        task = ray.remote(num_cpus=1, max_retries=RETRIES)(make_nights)
        ray.get([task.remote(list(chains)) for chains in replays])
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    except ray.exceptions.RayError as error:
        raise UserError(
            f"Ray at address '{address}' failed: {str(error).splitlines()[0]}"
        ) from error
    finally:
        ray.shutdown()


def make_nights(chains: Sequence[Chain]) -> None:
    """Make the nights of these methods that are not there."""
    quiet_recbole()
    for chain in chains:
        for _ in chain.nights():
            pass
