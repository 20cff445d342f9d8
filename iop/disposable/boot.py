"""Waiting until a server is up: systemd itself says so."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from iop.disposable.docker import docker
from iop.errors import IopError

__all__ = ["booting"]

BOOT_SECONDS = 120.0


@contextmanager
def booting(name: str, address: str, notify: Path) -> Iterator[None]:
    """The block starts the container ``name``; on leaving, wait until systemd has booted and sshd answers.

    ``notify`` is a socket that the container sees: systemd, told of it by NOTIFY_SOCKET, sends READY=1 there
    when all its start jobs are done (systemd's container interface). Raises IopError with the last lines of
    the server's console when that doesn't happen within BOOT_SECONDS.
    """
    notify.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
        ready.bind(str(notify))
        yield
        deadline = time.monotonic() + BOOT_SECONDS
        while b"READY=1" not in _message(ready, deadline - time.monotonic()):
            if time.monotonic() >= deadline:
                raise IopError(f"test server {name} did not boot: {docker('logs', '--tail', '3', name)}")
    _greeting(name, address)


def _message(ready: socket.socket, seconds: float) -> bytes:
    readable, _, _ = select.select([ready], [], [], max(0, seconds))
    return ready.recv(65536) if readable else b""


def _greeting(name: str, address: str) -> None:
    """Let sshd say who it is (RFC 4253, 4.2)."""
    with socket.create_connection((address, 22), timeout=20) as connection:
        if not connection.recv(255).startswith(b"SSH-2.0-"):
            raise IopError(f"sshd on test server {name} does not answer")
