"""Clients' connections: accepted within the caps and given to their protocols."""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from twisted.internet.protocol import Protocol

from iopproxy.http.caps import Caps
from iopproxy.http.tcp import Tcp

__all__ = ["Door"]

_BACKLOG: Final = 1024
"""uvloop listens anew on the socket that it is given; this is what it was opened with."""


class Door:
    """A listening socket; ``build`` makes the protocol for each of its clients."""

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
        self._server: asyncio.Server | None = None
        self._closed = False

    async def open(self) -> None:
        """Accept from now on."""
        if self._server is None and not self._closed:
            self._server = await self._loop.create_server(
                partial(_Accepted, self), sock=self._listening, backlog=_BACKLOG
            )

    async def close(self) -> None:
        """Accept who waits, then no more: who waits in the queue of a socket that is closed gets a reset."""
        await self.open()
        self._closed = True
        server, self._server = self._server, None
        if server is None:
            return
        poll = select.poll()
        poll.register(server.sockets[0].fileno(), select.POLLIN)
        for _ in range(4 * _BACKLOG):  # and not for ever when they come as fast as they go
            if not poll.poll(0):
                break
            await asyncio.sleep(0)
        server.close()


class _Accepted(Tcp):
    """One client's connection."""

    __slots__ = ("_door", "_host")

    def __init__(self, door: Door) -> None:
        super().__init__()
        self._door = door
        self._host: str | None = None
        """The client's address, once it is admitted."""

    def connection_made(self, transport: Any) -> None:
        """There is a client. One too many, and one that is gone already, get no further."""
        door = self._door
        peer = transport.get_extra_info("peername")
        if peer is None or not door.caps.admit(peer[0]):
            transport.abort()
            return
        self._host = peer[0]
        self.carry(transport, door.build())

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        if self._host is not None:
            self._door.caps.leave(self._host)
            super().connection_lost(exc)
