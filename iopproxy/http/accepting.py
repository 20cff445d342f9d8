"""Clients' connections: accepted within the caps and given to their protocols."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Final

from twisted.internet.address import IPv4Address
from twisted.internet.protocol import Protocol
from twisted.logger import Logger

from iopproxy.http.caps import Caps
from iopproxy.http.tcp import Tcp

__all__ = ["Door"]

_AT_ONCE: Final = 64
"""Connections that are accepted before those that are open get their turn again."""
_QUEUE: Final = 4096
"""More than can wait in a listening socket's queue."""
_PAUSE: Final = 0.5
"""Seconds without accepting when the system refuses a connection."""

_Address = tuple[str, int]


class Door:
    """A listening socket; ``build`` makes the protocol for each of its clients.

    It accepts by itself: uvloop's own server stops for good when the process has no descriptor left.
    """

    _log = Logger()

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        listening: socket.socket,
        caps: Caps,
        build: Callable[[], Protocol],
    ) -> None:
        self.caps = caps
        self.build = build
        self._loop = loop
        self._listening = listening
        self._beginning: set[asyncio.Task[object]] = set()

    def open(self) -> None:
        """Accept from now on."""
        if self._listening.fileno() >= 0:
            self._loop.add_reader(self._listening.fileno(), self._accept, _AT_ONCE)

    def close(self) -> None:
        """Accept who waits, then no more: who waits in the queue of a socket that is closed gets a reset."""
        if self._listening.fileno() >= 0:
            self._accept(_QUEUE)
            self._loop.remove_reader(self._listening.fileno())
            self._listening.close()

    def _accept(self, most: int) -> None:
        for _ in range(most):
            try:
                connection, address = self._listening.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                self._log.error("No connection can be accepted: {reason}", reason=str(error))
                self._loop.remove_reader(self._listening.fileno())
                self._loop.call_later(_PAUSE, self.open)
                return
            if self.caps.admit(address[0]):
                self._begin(connection, address)
            else:
                connection.close()

    def _begin(self, connection: socket.socket, address: _Address) -> None:
        client = _Accepted(self, address)
        beginning = self._loop.create_task(self._loop.connect_accepted_socket(lambda: client, connection))
        self._beginning.add(beginning)
        beginning.add_done_callback(self._beginning.discard)


class _Accepted(Tcp):
    """One client's connection."""

    __slots__ = ("_address", "_door")

    def __init__(self, door: Door, address: _Address) -> None:
        super().__init__()
        self._door = door
        self._address = address

    def connection_made(self, transport: Any) -> None:
        """The client can be heard."""
        self.carry(transport, self._door.build())

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._door.caps.leave(self._address[0])
        super().connection_lost(exc)

    def getPeer(self) -> IPv4Address:
        """The client, even if it is gone again already."""
        return IPv4Address("TCP", *self._address)
