"""Listening sockets, opened apart from what serves them: workers inherit theirs."""

from __future__ import annotations

import re
import socket

from attrs import frozen

from iopproxy.http.keepalive import keep_alive

__all__ = ["Listen", "open_socket", "open_sockets"]

_BACKLOG = 1024
_DESCRIPTION = re.compile(r"tcp:(?P<port>[0-9]{1,5})(:interface=(?P<address>[0-9.]+))?")


@frozen
class Listen:
    """Where to listen. Port 0 lets the system choose."""

    port: int
    address: str = "0.0.0.0"

    @classmethod
    def parse(cls, description: str) -> Listen:
        """Read ``tcp:PORT`` or ``tcp:PORT:interface=ADDRESS``. Raises ValueError, a sentence for a person."""
        match = _DESCRIPTION.fullmatch(description)
        if match is None or int(match["port"]) > 65535:
            raise ValueError(f"{description!r} is not tcp:PORT or tcp:PORT:interface=ADDRESS")
        return cls(int(match["port"]), match["address"] or "0.0.0.0")


def open_socket(listen: Listen, shared: bool) -> socket.socket:
    """A listening socket. ``shared``: another of the same user may listen there too, to take over. Raises OSError."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        keep_alive(listening)
        listening.setblocking(False)
        listening.bind((listen.address, listen.port))
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def open_sockets(listen: Listen, count: int) -> list[socket.socket]:
    """As many listening sockets on one port; the kernel spreads the clients over them. Raises OSError."""
    opened = [open_socket(listen, shared=True)]
    port = opened[0].getsockname()[1]
    for _ in range(count - 1):
        opened.append(open_socket(Listen(port, listen.address), shared=True))
    return opened
