"""uvloop's TCP as the transport of our protocols: it takes half the CPU time of Twisted's own sockets."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any, Final, cast

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure

__all__ = ["Tcp"]

_FULL: Final = 262144
"""Bytes of a send buffer from which on the producer is paused: what one read can bring is sent on without that."""
_RESET: Final = struct.pack("ii", 1, 0)
"""For SO_LINGER: closing sends a RST and drops what is unsent."""
_DONE: Final = Failure(ConnectionDone())
_LOST: Final = Failure(ConnectionLost())


def _drop(data: bytes) -> None:
    """Nothing is sent any more."""


class Tcp(asyncio.Protocol):
    """One connection: an asyncio protocol to uvloop, ``http.transport.Transport`` to the protocol above it."""

    __slots__ = ("_held", "_over", "_producer", "_protocol", "_stream", "write")

    def __init__(self) -> None:
        self.write: Any = _drop
        self._producer: Any = None
        self._held = False
        """Nothing is to be read."""
        self._over = False
        """Both directions are closed."""
        self._stream: Any = None
        """uvloop's transport."""
        self._protocol: Protocol

    def carry(self, stream: Any, protocol: Protocol) -> None:
        """Be the transport of ``protocol`` from now on."""
        self._stream, self._protocol = stream, protocol
        stream.set_write_buffer_limits(high=_FULL, low=0)
        self.write = stream.write  # no call in between
        protocol.makeConnection(self)
        if self._held:  # uvloop begins to read only now, whatever it was told before
            asyncio.get_running_loop().call_soon(self._hold_again)

    def _hold_again(self) -> None:
        if self._held:
            self.pauseProducing()

    # What uvloop calls

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        self._protocol.dataReceived(data)

    def eof_received(self) -> bool:
        """The other side closed its direction: that is the end, unless the protocol wants the other one to stay."""
        if IHalfCloseableProtocol.providedBy(self._protocol):
            cast(Any, self._protocol).readConnectionLost()
            return True
        self.write = _drop
        self._stream.abort()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Both directions are closed; ``exc`` is None when both sides wanted that."""
        self._over = True
        self.write = _drop
        self._producer = None
        self._protocol.connectionLost(_DONE if exc is None else _LOST)

    def pause_writing(self) -> None:
        """The send buffer is full."""
        if self._producer is not None:
            self._producer.pauseProducing()

    def resume_writing(self) -> None:
        """The send buffer is empty."""
        if self._producer is not None:
            self._producer.resumeProducing()

    # What the protocol calls: see http.transport.Transport

    def getPeer(self) -> IPv4Address:
        """Who is at the other end."""
        return IPv4Address("TCP", *self._stream.get_extra_info("peername")[:2])

    def getHost(self) -> IPv4Address:
        """Our end."""
        return IPv4Address("TCP", *self._stream.get_extra_info("sockname")[:2])

    def getHandle(self) -> Any:
        """The socket, to ask the kernel about it."""
        return self._stream.get_extra_info("socket")

    def registerProducer(self, producer: object, streaming: bool) -> None:
        """Pause ``producer`` while the send buffer is full."""
        self._producer = producer

    def unregisterProducer(self) -> None:
        """No longer."""
        self._producer = None

    def pauseProducing(self) -> None:
        """Read nothing."""
        self._held = True
        if not self._over:
            self._stream.pause_reading()

    def resumeProducing(self) -> None:
        """Read again."""
        self._held = False
        if not self._over:
            self._stream.resume_reading()

    def loseConnection(self) -> None:
        """Close once all is sent."""
        self.write = _drop
        if not self._over:
            self._stream.close()

    def loseWriteConnection(self) -> None:
        """Close our direction once all is sent, and go on reading."""
        self.write = _drop
        if not self._over:
            self._stream.write_eof()

    def abortConnection(self) -> None:
        """Close with a reset."""
        self.write = _drop
        if self._over:
            return
        handle = self._stream.get_extra_info("socket")
        if handle is not None and handle.fileno() >= 0:
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._stream.abort()
