"""HTTP/1.1 with one client: requests are answered one after the other, in the order they came (RFC 9112)."""

from __future__ import annotations

from collections.abc import MutableSet
from typing import Final

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from iopproxy.http.deadlines import NEVER
from iopproxy.http.flow import PIPELINE, UPLOAD, Valve, left, unsent
from iopproxy.http.knownrequests import KnowingRequestReader
from iopproxy.http.pages import page
from iopproxy.http.relay import Relay
from iopproxy.http.stream1 import Http1Stream
from iopproxy.http.transport import Transport
from iopproxy.http.tunnel import End, Tunnel
from iopproxy.http.writing import CLOSE, own_response

__all__ = ["Http1Connection"]

_LOOK_TIME: Final = 5.0
"""Seconds between two looks at whether a client that isn't read from is still there."""


@implementer(IPushProducer)
class Http1Connection(Protocol):
    """A client's connection. It adds itself to ``connections`` while it is open."""

    transport: Transport  # type: ignore[assignment]  # Twisted declares the zope interface
    _valve: Valve
    _stream: Http1Stream

    def __init__(self, relay: Relay, connections: MutableSet[Http1Connection], scheme: bytes) -> None:
        self.relay = relay
        self.scheme = scheme
        self.address = b""
        self.deadline = NEVER
        self._connections = connections
        self._reader = KnowingRequestReader(relay.limits, relay.known)
        self._closing = False
        """Nothing more is answered; what comes is dropped."""
        self.full = False
        """The client leaves our send buffer full."""
        self._flush_by = NEVER
        """While lingering: when the client must have taken the answer."""
        self._timing_head = True
        self._pumping = False
        self.end: End | None = None

    def connectionMade(self) -> None:
        """Start listening to the client."""
        self.transport.registerProducer(self, True)
        self.address = self.transport.getPeer().host.encode("ascii")
        self._stream = Http1Stream(self, self.relay, self.address, self.transport.getHost().port)
        self._valve = Valve(self.transport)
        self._connections.add(self)
        self.relay.deadlines.add(self)
        self.deadline = self.relay.deadlines.after(self.relay.limits.head_time)

    def dataReceived(self, data: bytes) -> None:
        """More bytes of the client."""
        if self.end is not None:
            self.end.received(data)
            return
        if self._closing:
            return
        reader, exchange = self._reader, self._stream.exchange
        reader.feed(data)
        if exchange is None:
            self._pump()
        elif exchange.request.broken and reader.refusal is not None:
            exchange.refuse(reader.refusal.status)
        else:
            exchange.body_arrived()
            self._hold_pipeline()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The client is gone, or we are."""
        self._closing = True
        self._connections.discard(self)
        self.relay.deadlines.discard(self)
        if self.end is not None:
            self.end.lost(reason.check(ConnectionDone) is not None)
        elif self._stream.exchange is not None:
            self._stream.exchange.cancel()

    # Whose turn it is

    def _pump(self) -> None:
        """Answer what came, as long as the client takes the answers."""
        if self._pumping:
            return
        self._pumping = True
        stream, reader = self._stream, self._reader
        arrived = reader.arrived
        while stream.exchange is None and not self._closing and not self.full:
            if reader.rest and len(arrived) < 2:
                reader.read_on()
            if arrived and not arrived[0].broken:
                self.deadline = NEVER
                stream.begin(arrived.popleft(), False)
            elif reader.refusal is not None:
                self.refuse(reader.refusal.status)
            else:
                self._await_request()
                break
        self._pumping = False
        self._hold_pipeline()

    def _hold_pipeline(self) -> None:
        """Read no more while requests, or what may be another protocol, wait for their turn."""
        if (self._reader.arrived or self._reader.rest) and not self._closing:
            self._valve.hold(PIPELINE)
            self._look_later()
        elif self._valve.held:
            self._valve.release(PIPELINE)

    def _look_later(self) -> None:
        """Nothing is read while a request is under way: nobody would tell that the client left."""
        if self.deadline == NEVER and self._stream.exchange is not None:
            self.deadline = self.relay.deadlines.after(_LOOK_TIME)

    def _await_request(self) -> None:
        """Give the client its time for the (rest of the) next head; bytes that come don't prolong it."""
        if self._reader.in_head and not self._timing_head:
            self._timing_head = True
            self.deadline = self.relay.deadlines.after(self.relay.limits.head_time)

    def declined(self) -> None:
        """An offer to upgrade comes to nothing."""
        self._reader.go_on()

    def finished(self, last: bool, ended: bool) -> None:
        """The current request is answered: the ``last`` of this connection, read to its end or not."""
        if self._valve.held:
            self._valve.release(UPLOAD)
        if last and ended:
            self.close()
        elif last:
            self._linger()
        else:
            self._timing_head = False
            if not self.full:
                self.deadline = self.relay.deadlines.after(self.relay.limits.idle_time)
            reader = self._reader
            if reader.arrived or reader.in_head or reader.refusal is not None or self._valve.held:
                self._pump()

    def switch(self, tunnel: Tunnel) -> None:
        """Be a side of a tunnel from now on; what the client sent after its offer goes first."""
        self._valve.release(PIPELINE | UPLOAD)
        self.deadline = NEVER
        tunnel.join(self)
        if self.full:
            tunnel.client.full(True)
        if rest := self._reader.rest:
            tunnel.client.received(rest)

    def readConnectionLost(self) -> None:
        """The client closed its direction of a tunnel."""
        if self.end is not None:
            self.end.ended()

    def writeConnectionLost(self) -> None:
        """Ours of a tunnel is closed."""

    # The end

    def refuse(self, status: int) -> None:
        """Answer with an error and read nothing more."""
        self.relay.journal.refused(self.address, self.scheme, status)
        headers, body = page(status)
        self.transport.write(own_response(status, headers, body, CLOSE, with_body=True))
        self._linger()

    def close_if_idle(self) -> None:
        """End the connection unless a request is under way."""
        if self._stream.exchange is None and not self._closing and not self._reader.in_head:
            self.close()

    def abort(self) -> None:
        """End it now, with a reset: no client takes that for the end of a response."""
        self._closing = True
        self.transport.abortConnection()

    def close(self) -> None:
        """End it once all is sent."""
        self._closing = True
        self.deadline = self.relay.deadlines.after(self.relay.limits.write_stall_time)
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    def _linger(self) -> None:
        """Close our side, and drop what still comes: a reset would take the answer from the client's hands."""
        self._closing = True
        self._flush_by = self.relay.deadlines.after(self.relay.limits.write_stall_time)
        self.deadline = self.relay.deadlines.after(0)
        self.transport.unregisterProducer()
        self._valve.release(PIPELINE | UPLOAD)
        self.transport.loseWriteConnection()

    def expired(self) -> None:
        """The client took too long."""
        deadlines = self.relay.deadlines
        if deadlines.now < self._flush_by < NEVER:
            # Nothing tells when the kernel has sent it all, so it is asked at every tick.
            waiting = unsent(self.transport)
            self.deadline = deadlines.after(0 if waiting else self.relay.limits.linger_time)
            self._flush_by = self._flush_by if waiting else NEVER
        elif self._closing or self.full or self.end is not None:
            self.abort()
        elif self._stream.exchange is not None:
            if left(self.transport):
                self.abort()
            elif self._valve.held:
                self._look_later()
        elif self._reader.in_head:
            self.refuse(408)
        else:
            self.close()

    # Backpressure

    def hold_reading(self, held: bool) -> None:
        """The current request's body can't go on, or can again."""
        if held:
            self._valve.hold(UPLOAD)
            self._look_later()
        else:
            self._valve.release(UPLOAD)

    def pauseProducing(self) -> None:
        """The send buffer is full."""
        if self.end is not None:
            self.end.full(True)
            return
        self.full = True
        self.deadline = self.relay.deadlines.after(self.relay.limits.write_stall_time)
        if self._stream.exchange is not None:
            self._stream.exchange.hold(True)

    def resumeProducing(self) -> None:
        """The send buffer is empty."""
        if self.end is not None:
            self.end.full(False)
            return
        self.full = False
        if self._stream.exchange is not None:
            self.deadline = NEVER
            if self._valve.held:
                self._look_later()
            self._stream.exchange.hold(False)
        else:
            self.deadline = self.relay.deadlines.after(self.relay.limits.idle_time)
            self._pump()

    def stopProducing(self) -> None:
        """The transport is gone; connectionLost tells the rest."""
