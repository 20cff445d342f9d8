"""A connection after 101: bytes both ways, whatever they mean (RFC 9110 section 7.8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IHalfCloseableProtocol
from zope.interface import alsoProvides

from iopproxy.http.deadlines import NEVER
from iopproxy.http.relay import Relay
from iopproxy.http.transport import Transport

__all__ = ["Carrier", "End", "Tunnel"]


class Carrier(Protocol):
    """The protocol of a connection that becomes a side of a tunnel. Its ``deadline`` passing ends it."""

    transport: Transport
    deadline: float
    end: End | None
    """Once set, it hears of everything that happens to the connection."""


class End:
    """One side of a tunnel. Its connection tells what happens to it."""

    __slots__ = ("_carrier", "_ended", "_tunnel", "moved", "other")

    other: End

    def __init__(self, tunnel: Tunnel, carrier: Carrier) -> None:
        self._tunnel = tunnel
        self._carrier = carrier
        self._ended = False
        """Nothing more will come from here."""
        self.moved = 0
        """Bytes that came from here."""

    def received(self, data: bytes) -> None:
        """Bytes came."""
        if self._tunnel.open:
            self.moved += len(data)
            self._tunnel.touch()
            self.other._carrier.transport.write(data)

    def ended(self) -> None:
        """It closed its direction, and may still listen."""
        self._ended = True
        if self.other._ended:
            self._tunnel.close()
        elif self._tunnel.open:
            self._tunnel.touch()
            self.other._carrier.transport.loseWriteConnection()

    def full(self, full: bool) -> None:
        """Whether it takes no more for now; that mustn't last for ever."""
        if not self._tunnel.open:
            return
        self._carrier.deadline = self._tunnel.stalled_by() if full else NEVER
        if full:
            self.other._carrier.transport.pauseProducing()
        elif not self.other._ended:
            self.other._carrier.transport.resumeProducing()

    def lost(self, clean: bool) -> None:
        """Its connection is gone; one that broke breaks the other, too."""
        if not clean:
            self.other._carrier.transport.abortConnection()
        self._tunnel.close()

    def close(self) -> None:
        """End its connection once all is sent, or after the time that a full buffer gets."""
        self._carrier.deadline = self._tunnel.stalled_by()
        self._carrier.transport.unregisterProducer()
        self._carrier.transport.loseConnection()


class Tunnel:
    """From ``upstream``, a connection to ``target``, to the client that joins.

    ``over(tunnel, timely)`` is called at its end, once; ``timely`` is False when it was silent for too long.
    """

    client: End
    upstream: End

    def __init__(
        self, target: str, upstream: Carrier, relay: Relay, over: Callable[[Tunnel, bool], None]
    ) -> None:
        self.target = target
        self.deadline = NEVER
        self._carrier = upstream
        self._relay = relay
        self._over = over
        self.open = True
        """Bytes still go through it."""

    def join(self, client: Carrier) -> None:
        """Begin."""
        self.client, self.upstream = End(self, client), End(self, self._carrier)
        self.client.other, self.upstream.other = self.upstream, self.client
        client.end, self._carrier.end = self.client, self.upstream
        alsoProvides(client, IHalfCloseableProtocol)
        alsoProvides(self._carrier, IHalfCloseableProtocol)
        self._relay.tunnels.add(self)
        self._relay.deadlines.add(self)
        self.touch()

    def touch(self) -> None:
        """Something happened: the time of silence begins anew."""
        self.deadline = self._relay.deadlines.after(self._relay.limits.tunnel_idle_time)

    def stalled_by(self) -> float:
        """When a buffer that is full now must have emptied."""
        return self._relay.deadlines.after(self._relay.limits.write_stall_time)

    def expired(self) -> None:
        """Nothing came from either side for too long."""
        self.close(timely=False)

    def close(self, timely: bool = True) -> None:
        """End both sides once all is sent."""
        if not self.open:
            return
        self.open = False
        self.deadline = NEVER
        self._relay.deadlines.discard(self)
        self._relay.tunnels.discard(self)
        self.client.close()
        self.upstream.close()
        self._over(self, timely)
