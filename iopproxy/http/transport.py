"""What our protocols ask of the transport under them; ``tcp.Tcp`` has it, and so have the tests' fakes."""

from __future__ import annotations

from typing import Protocol

from twisted.internet.address import IPv4Address, IPv6Address

__all__ = ["Transport"]


class Handle(Protocol):
    """A socket, whatever kind of it."""

    def fileno(self) -> int:
        """Its descriptor."""


class Transport(Protocol):
    """The part of ``ITCPTransport`` and ``IPushProducer`` that the data path uses."""

    def write(self, data: bytes) -> None:
        """Send, sooner or later."""

    def getPeer(self) -> IPv4Address | IPv6Address:
        """Who is at the other end."""

    def getHost(self) -> IPv4Address | IPv6Address:
        """Our end."""

    def getHandle(self) -> Handle:
        """The socket, to ask the kernel about it."""

    def registerProducer(self, producer: object, streaming: bool) -> None:
        """Pause ``producer``, an IPushProducer, while the send buffer is full."""

    def unregisterProducer(self) -> None:
        """No longer."""

    def pauseProducing(self) -> None:
        """Read nothing."""

    def resumeProducing(self) -> None:
        """Read again."""

    def loseConnection(self) -> None:
        """Close once all is sent."""

    def loseWriteConnection(self) -> None:
        """Close our direction once all is sent, and go on reading."""

    def abortConnection(self) -> None:
        """Close with a reset."""
