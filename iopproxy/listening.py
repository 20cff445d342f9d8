"""Listening sockets, opened apart from what serves them: processes that share one inherit it as it is."""

from __future__ import annotations

import re
import select
import socket

from attrs import frozen
from twisted.internet.protocol import Factory
from twisted.internet.tcp import Port

from iopproxy.http.keepalive import keep_alive
from iopproxy.reactor import Reactor

__all__ = ["Listen", "accept_all", "adopt", "open_socket"]

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


def adopt(reactor: Reactor, listening: socket.socket, factory: Factory) -> Port:
    """Serve a socket; ours is closed, the reactor has its own."""
    port: Port = reactor.adoptStreamPort(listening.fileno(), socket.AF_INET, factory)
    listening.close()
    return port


def accept_all(port: Port) -> None:
    """Accept until nobody waits: who waits in the queue of a socket that is closed gets a reset."""
    poll = select.poll()
    poll.register(port.fileno(), select.POLLIN)
    while poll.poll(0):
        port.doRead()
