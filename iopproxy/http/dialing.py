"""Connections to upstreams."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from functools import partial
from typing import Any, Final, TypeVar
from typing import Protocol as Seam

from twisted.internet.defer import Deferred
from twisted.internet.error import TimeoutError, getConnectError
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure

from iopproxy.http.keepalive import keep_alive
from iopproxy.http.limits import Limits
from iopproxy.http.tcp import Tcp

__all__ = ["Dialer", "Outgoing", "TcpDialer"]

_LAST_WORDS: Final = 1048576
"""Bytes that are still taken from a connection that broke."""


class Outgoing(Protocol):
    """A protocol that tells when it got its transport. Cancelling ``opened`` gives up connecting."""

    def __init__(self) -> None:
        self.opened: Deferred[None] = Deferred()
        self.ending = False
        """The connection is gone; what still comes are its last words."""

    def connectionMade(self) -> None:
        """There is a transport."""
        self.opened.callback(None)

    def failed(self, error: Failure | Exception) -> None:
        """There will be none."""
        if not self.opened.called:
            self.opened.errback(error)


class Dialer(Seam):
    """How a protocol gets a transport to an address."""

    def dial(self, address: str, port: int, protocol: Outgoing) -> Deferred[None]:
        """``protocol.opened``: fires once connected, fails with a Twisted ConnectError."""


class TcpDialer:
    """Over uvloop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, limits: Limits) -> None:
        self._loop = loop
        self._time = limits.connect_time

    def dial(self, address: str, port: int, protocol: Outgoing) -> Deferred[None]:
        """Connect ``protocol`` to a literal address within ``connect_time``."""
        dialling = self._loop.create_task(self._connect(address, port, protocol))
        # Not asyncio.timeout: it could cut a connection that was made in the same moment.
        timer = self._loop.call_later(self._time, protocol.failed, TimeoutError())
        protocol.opened.addBoth(_settle, timer, dialling)
        return protocol.opened

    async def _connect(self, address: str, port: int, protocol: Outgoing) -> None:
        try:
            await self._loop.create_connection(partial(_Dialled, protocol), address, port)
        except OSError as error:
            protocol.failed(getConnectError(error))


_Result = TypeVar("_Result")


def _settle(result: _Result, timer: asyncio.TimerHandle, dialling: asyncio.Task[None]) -> _Result:
    """Connected, or not: stop what else is under way."""
    timer.cancel()
    if isinstance(result, Failure):
        dialling.cancel()
    return result


class _Dialled(Tcp):
    """A connection whose last words are heard.

    Who answers early and closes with some of the request unread resets the connection. The answer is in the
    receive buffer then, and uvloop closes without a look at it once a write failed.
    """

    __slots__ = ("_outgoing",)

    def __init__(self, outgoing: Outgoing) -> None:
        super().__init__()
        self._outgoing = outgoing

    def connection_made(self, transport: Any) -> None:
        """Begin, unless nobody waits any longer."""
        if self._outgoing.opened.called:
            transport.abort()
            return
        keep_alive(transport.get_extra_info("socket"))
        self.carry(transport, self._outgoing)

    def connection_lost(self, exc: Exception | None) -> None:
        """The end, after what still lies in the receive buffer."""
        if self._stream is None:
            return
        if exc is not None:
            self._outgoing.ending = True
            taken = 0
            with suppress(OSError):
                while taken < _LAST_WORDS and (data := os.read(self.getHandle().fileno(), 65536)):
                    taken += len(data)
                    self._outgoing.dataReceived(data)
        super().connection_lost(exc)
