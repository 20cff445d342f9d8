"""Noticing a peer that vanished without a word: a container's host that lost its power, a cable."""

from __future__ import annotations

import socket
from typing import Final

__all__ = ["keep_alive"]

_IDLE: Final = 15
"""Seconds that a connection may be silent before the kernel asks whether the other side is still there."""
_INTERVAL: Final = 5
"""Seconds between two such questions."""
_COUNT: Final = 3
"""Questions without an answer that end a connection."""


def keep_alive(connection: socket.socket) -> None:
    """Let the kernel end a silent connection whose other side is gone. Of a listening socket: all it accepts."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _IDLE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _INTERVAL)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _COUNT)
