"""A connection to a Ray cluster."""

from __future__ import annotations

import logging
import socket
import threading
import warnings
from typing import Any

from recbole_finest.errors import UserError, first_line

RETRIES = 3  # of a task whose worker or machine was lost
_QUIET: dict[str, Any] = {"log_to_driver": False, "logging_level": "critical"}
ANSWER, CONNECT = 5.0, 60.0  # seconds to answer at all, and to let us in


def connect(address: str) -> Any:
    """Connect to a cluster within a bounded time; returns the module ``ray``.

    Raises:
        UserError: there is none at the address, or no Ray here.
    """
    check_address(address)
    if address not in ("auto", "local"):
        _answers(address)
    ray = _quiet_ray()
    if address == "local":  # not in a thread: what Ray starts is killed when the thread ends
        ray.init(address=address, include_dashboard=False, **_QUIET)
        return ray
    failed: list[str] = []

    def begin() -> None:
        try:
            ray.init(address=address, **_QUIET)
        except (Exception, SystemExit) as error:
            failed.append(" ".join(str(error).split())[:200])

    thread = threading.Thread(target=begin, daemon=True)
    thread.start()
    thread.join(CONNECT)
    if thread.is_alive() or failed:
        raise _silent(address, failed[0] if failed else f"no answer in {CONNECT:.0f} s")
    return ray


def _quiet_ray() -> Any:
    """Import Ray without its warning about ``pkg_resources`` and the tracebacks that it logs.

    Raises:
        UserError: there is none, or Ray 2.6 lacks ``pkg_resources``, which setuptools 81 took away.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import ray
        except ImportError as error:
            raise UserError(
                f"a cluster needs Ray, which cannot be imported ({first_line(error)}); run "
                "pip install 'recbole-finest[ray]', or leave out --engine=ray or --address"
            ) from error
    logging.getLogger("ray").setLevel(logging.CRITICAL)
    return ray


def check_address(address: str) -> None:
    """Refuse, with :class:`UserError`, what is no address of a cluster."""
    host, port = _parts(address)
    if address not in ("auto", "local") and not (host and port.isdigit()):
        raise UserError(f"address is '{address}', but must be auto, local or host:port")


def _parts(address: str) -> tuple[str, str]:
    host, _, port = address.removeprefix("ray://").rpartition(":")
    return host, port


def _answers(address: str) -> None:
    host, port = _parts(address)
    try:
        socket.create_connection((host, int(port)), ANSWER).close()
    except (OSError, OverflowError) as error:
        raise _silent(address, error) from error


def _silent(address: str, why: object) -> UserError:
    return UserError(
        f"no Ray cluster answers at address '{address}' ({why}); start one with 'ray start --head', or "
        "use --address=local"
    )
