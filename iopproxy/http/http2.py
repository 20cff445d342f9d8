"""HTTP/2 with one client (RFC 9113): what its frames mean to its streams, and when the connection is over."""

from __future__ import annotations

from collections.abc import Callable, MutableSet
from typing import Any, Final

from h2 import events
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from iopproxy.http.engine2 import Engine
from iopproxy.http.guards.budget import Budget
from iopproxy.http.guards.frames import AbuseError
from iopproxy.http.guards.patience import Patience
from iopproxy.http.relay import Relay
from iopproxy.http.stream2 import Http2Stream
from iopproxy.http.streams2 import HANDLERS, LAST_STREAM, Streams
from iopproxy.http.transport import Transport

__all__ = ["Http2Connection"]

_DRAINING: Final = b"draining"
_ALIVE: Final = b"alive???"
_PIECE: Final = 32768
_MUCH: Final = 262144
"""Bytes that don't wait to be sent with others: only what is written can fill the send buffer, and so hold targets."""


@implementer(IPushProducer)
class Http2Connection(Protocol):
    """A client's connection. It adds itself to ``connections`` while it is open."""

    transport: Transport  # type: ignore[assignment]  # Twisted declares the zope interface

    def __init__(self, relay: Relay, connections: MutableSet[Any], scheme: bytes) -> None:
        self.relay = relay
        self.scheme = scheme
        self.address = b""
        self.port = 0
        self.full = False
        self.engine = Engine(relay.limits)
        self.budget = Budget(relay.limits, relay.deadlines.now)
        self.patience = Patience(self, relay.deadlines, relay.limits)
        self._connections = connections
        self._streams = Streams(self)
        self._reading = False
        """Nothing is written before all of what came is understood."""
        self._flushing = False
        """What there is will be written soon."""
        self._closing = False
        """Nothing more is answered; what comes is dropped."""
        self._noticed = False
        """The client was told that the end is near, and by a PING asked to say when it knows."""

    def connectionMade(self) -> None:
        """Start listening to the client."""
        self.transport.registerProducer(self, True)
        self.address = self.transport.getPeer().host.encode("ascii")
        self.port = self.transport.getHost().port
        self._connections.add(self)
        self.patience.start()
        if self.relay.draining:
            self.close_if_idle()
        self.flush()

    def dataReceived(self, data: bytes) -> None:
        """More bytes of the client."""
        if self._closing:
            return
        self._reading = True
        try:
            if len(data) <= _PIECE:
                self._understand(data)
            else:  # a flood is to be noticed before all of it is worked through
                for start in range(0, len(data), _PIECE):
                    if not self._closing:
                        self._understand(data[start : start + _PIECE])
        except AbuseError as abuse:
            self._refuse(abuse.code, 429 if abuse.code == ErrorCodes.ENHANCE_YOUR_CALM else 400)
        except ProtocolError:  # the library has its GOAWAY ready
            self._fall_silent(400)
        else:
            if not self._closing:
                self._streams.act()
        self._reading = False
        self._write()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The client is gone, or we are."""
        self._closing = True
        self._connections.discard(self)
        self.patience.stop()
        self._streams.drop()

    # What came

    def _understand(self, data: bytes) -> None:
        """Take in what the frames say. Raises AbuseError, ProtocolError."""
        self.budget.spend(data, self.relay.deadlines.now)
        self.patience.heard(self.budget.watch)
        streams = self._streams
        for event in self.engine.receive_data(data):
            kind = type(event)
            if kind in HANDLERS:
                HANDLERS[kind](streams, event)
            elif kind in _OWN_HANDLERS:
                _OWN_HANDLERS[kind](self, event)
            if self._closing:
                return

    def _terminated(self, event: events.ConnectionTerminated) -> None:
        """The client will send no more requests. What it asked for is answered, unless it gave up everything."""
        if event.error_code == ErrorCodes.NO_ERROR:
            self._go_away()
        else:
            self._streams.drop()
            self._close()

    def _pinged(self, event: events.PingAckReceived) -> None:
        if event.ping_data == _DRAINING:
            self._go_away()

    # What the streams call

    def flush(self) -> None:
        """Send what the engine holds, unless more comes at once: with several streams open, other responses may."""
        if self.engine.unsent >= _MUCH:
            self._write()
        if self._reading or self._closing or self._flushing:
            return
        if self._streams:
            self._flushing = True
            self.relay.soon(self._write)
        else:
            self._write()

    def _write(self) -> None:
        self._flushing = False
        if not self._closing:
            data = self.engine.data_to_send()
            if data:
                self.transport.write(data)

    def blocked(self, stream: Http2Stream, blocked: bool) -> None:
        """There is something to send that a window doesn't let through, or there no longer is."""
        self._streams.block(stream, blocked)

    def finished(self, stream: Http2Stream) -> None:
        """A stream is over."""
        if not self._streams.discard(stream) or self._closing:
            return
        if self._streams.last != LAST_STREAM:
            self._close()
        else:
            self.patience.rest()

    # The end

    def close_if_idle(self) -> None:
        """Ask the client to send no more requests (RFC 9113 section 6.8). Those on their way are still answered."""
        if not self._closing and not self._noticed and self._streams.last == LAST_STREAM:
            self._noticed = True
            self.engine.close_connection(last_stream_id=LAST_STREAM)
            self.engine.ping(_DRAINING)
            self.patience.notice()
            self.flush()

    def abort(self) -> None:
        """End it now, with a reset."""
        self._closing = True
        self.transport.abortConnection()

    def _go_away(self) -> None:
        """Answer what is open, and nothing else."""
        if self._streams.last == LAST_STREAM:
            self._streams.last = self.engine.highest_inbound_stream_id
            self.engine.close_connection(last_stream_id=self._streams.last)
        if self._streams:
            self.patience.serve()
            self.flush()
        else:
            self._close()

    def _close(self) -> None:
        """End it once all is sent."""
        self._write()
        self._closing = True
        self.patience.close(self.relay.limits.write_stall_time)
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    def _refuse(self, code: ErrorCodes, status: int) -> None:
        self.engine.close_connection(code)
        self._fall_silent(status)

    def _fall_silent(self, status: int) -> None:
        """Say nothing more, and drop what still comes: a reset would take the GOAWAY from the client's hands."""
        self.relay.journal.refused(self.address, self.scheme, status)
        self._write()
        self._closing = True
        self._streams.drop()
        self.patience.close(self.relay.limits.linger_time)
        self.transport.unregisterProducer()
        self.transport.loseWriteConnection()

    # What its patience calls

    def late(self) -> None:
        """The rest of a frame, or of a header block, didn't come in time."""
        self._refuse(ErrorCodes.ENHANCE_YOUR_CALM, 408)

    def idle(self) -> None:
        """Nothing was asked for too long, or nothing came back on the notice of the end."""
        self._go_away()

    def ask(self) -> None:
        """Is the client still there?"""
        self.engine.ping(_ALIVE)
        self.flush()

    # Backpressure

    def pauseProducing(self) -> None:
        """The send buffer is full. Nothing is read either: what the client says would have to be answered."""
        self.full = True
        self.patience.full(True)
        self.transport.pauseProducing()
        self._streams.hold(True)

    def resumeProducing(self) -> None:
        """The send buffer is empty."""
        self.full = False
        self.patience.full(False)
        self.transport.resumeProducing()
        self._streams.hold(False)
        self.flush()

    def stopProducing(self) -> None:
        """The transport is gone; connectionLost tells the rest."""


_OWN_HANDLERS: Final[dict[type[events.Event], Callable[[Http2Connection, Any], None]]] = {
    events.ConnectionTerminated: Http2Connection._terminated,
    events.PingAckReceived: Http2Connection._pinged,
}
