"""Noticing a peer that vanished without a word: a container's host that lost its power, a cable."""

from __future__ import annotations

import socket

from iopproxy.http.limits import KEEPALIVE_COUNT, KEEPALIVE_IDLE, KEEPALIVE_INTERVAL

__all__ = ["keep_alive"]


def keep_alive(connection: socket.socket) -> None:
    """Let the kernel end a silent connection whose other side is gone. Of a listening socket: all it accepts."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_INTERVAL)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_COUNT)
