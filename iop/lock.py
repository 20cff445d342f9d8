"""One deploy at a time on a server."""

from __future__ import annotations

import getpass
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager

from iop.commands import lock
from iop.connection import Server
from iop.errors import LockError

__all__ = ["locked"]

PATIENCE = 10
"""Seconds for a run that just died: its connection may not have been missed yet."""

SETTLE = 120
"""Seconds for what a run that died had started on the server, such as the stop of a container."""

LEASE = 40
"""Seconds without a heartbeat after which the lock is given up: we, or the network between, must be gone."""


@contextmanager
def locked(server: Server) -> Iterator[None]:
    """Hold the server's deploy lock. Raises LockError with who has it and since when."""
    who = f"{getpass.getuser()}@{platform.node()}, process {os.getpid()},"
    with server.session(lock.hold(who, PATIENCE, SETTLE, LEASE), "taking the deploy lock") as answer:
        if answer.startswith(who):
            raise LockError(
                f"{server.original_host} is a server that this run deploys to under another name as well",
                "call it by one name in iop.yml",
            )
        if answer != lock.HELD:
            raise LockError(
                f"{server.original_host}: another deploy is at work there: {answer or 'nobody knows whose'}",
                "run iop again when it has ended",
            )
        yield
