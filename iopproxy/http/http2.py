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
from iopproxy.http.fields2 import MalformedError, finish, request_of, trailers_of
from iopproxy.http.guards.budget import Budget
from iopproxy.http.guards.frames import AbuseError
from iopproxy.http.guards.patience import Patience
from iopproxy.http.pages import page
from iopproxy.http.relay import Relay
from iopproxy.http.request import RefusedError
from iopproxy.http.stream2 import Http2Stream
from iopproxy.http.transport import Transport

__all__ = ["Http2Connection"]

_LAST_STREAM: Final = 2**31 - 1
_DRAINING: Final = b"draining"
_ALIVE: Final = b"alive???"


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
        self._patience = Patience(self, relay.deadlines, relay.limits)
        self._connections = connections
        self._streams: dict[int, Http2Stream] = {}
        self._arrived: dict[int, Http2Stream] = {}
        """Those for which something came with the bytes that are being read."""
        self._blocked: dict[int, Http2Stream] = {}
        self._widened = False
        """A window of the client's may have become wider."""
        self._reading = False
        """Nothing is written before all of what came is understood."""
        self._closing = False
        """Nothing more is answered; what comes is dropped."""
        self._noticed = False
        """The client was told that the end is near, and by a PING asked to say when it knows."""
        self._last_stream = _LAST_STREAM
        """Streams after it aren't served: the client was told to go elsewhere with them."""

    def connectionMade(self) -> None:
        """Start listening to the client."""
        self.transport.registerProducer(self, True)
        self.address = self.transport.getPeer().host.encode("ascii")
        self.port = self.transport.getHost().port
        self._connections.add(self)
        self._patience.start()
        self.flush()

    def dataReceived(self, data: bytes) -> None:
        """More bytes of the client."""
        if self._closing:
            return
        self._reading = True
        try:
            self._understand(data)
        except AbuseError as abuse:
            self._refuse(abuse.code)
        except ProtocolError:  # the library has its GOAWAY ready
            self._fall_silent()
        else:
            self._act()
        self._reading = False
        self.flush()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The client is gone, or we are."""
        self._closing = True
        self._connections.discard(self)
        self._patience.stop()
        self._drop_streams()

    # What came

    def _understand(self, data: bytes) -> None:
        """Take in what the frames say. Nothing is sent on a stream before all of them are taken in: the last one
        may be the end of it."""
        self.budget.spend(data, self.relay.deadlines.now)
        self._patience.heard(self.budget.watch)
        for event in self.engine.receive_data(data):
            handler = _HANDLERS.get(type(event))
            if handler is not None and not self._closing:
                handler(self, event)

    def _act(self) -> None:
        """Do what follows from it."""
        while self._arrived and not self._closing:
            arrived, self._arrived = self._arrived, {}
            for stream in arrived.values():
                stream.advance()
        if self._widened:
            self._widened = False
            self._pump()

    def _request(self, event: events.RequestReceived) -> None:
        stream_id, limits = event.stream_id, self.relay.limits
        if stream_id > self._last_stream or len(self._streams) >= limits.h2_streams:
            self.budget.spend_reset(self.relay.deadlines.now)
            self.engine.reset_if_open(stream_id, ErrorCodes.REFUSED_STREAM)
            return
        try:
            request = request_of(event.headers, event.stream_ended is not None, limits)
        except MalformedError:
            self.relay.journal.refused(self.address, self.scheme, 400)
            self.budget.spend_reset(self.relay.deadlines.now)
            self.engine.reset_if_open(stream_id, ErrorCodes.PROTOCOL_ERROR)
        except RefusedError as refusal:
            self.budget.spend_reset(self.relay.deadlines.now)
            self._answer(stream_id, refusal.status, event.stream_ended is not None)
        else:
            self.budget.earn_request()
            if not self._streams:
                self._patience.serve()
            stream = Http2Stream(self, stream_id, request)
            self._streams[stream_id] = self._arrived[stream_id] = stream

    def _data(self, event: events.DataReceived) -> None:
        stream_id = event.stream_id
        stream = self._streams.get(stream_id)
        if stream is None:
            self.engine.acknowledge_received_data(event.flow_controlled_length, stream_id)
            return
        stream.arrived(event.data, event.flow_controlled_length)
        if stream.request.length is not None and stream.request.received > stream.request.length:
            self._break(stream)
        else:
            self._arrived[stream_id] = stream

    def _trailers(self, event: events.TrailersReceived) -> None:
        stream = self._streams.get(event.stream_id)
        if stream is not None:
            try:
                stream.request.trailers = trailers_of(event.headers, self.relay.limits)
            except MalformedError:
                self._break(stream)

    def _ended(self, event: events.StreamEnded) -> None:
        stream = self._streams.get(event.stream_id)
        if stream is not None and not stream.request.ended:
            try:
                finish(stream.request)
            except MalformedError:
                self._break(stream)
            else:
                self._arrived[event.stream_id] = stream

    def _break(self, stream: Http2Stream) -> None:
        """The rest of a request makes no sense."""
        self.budget.spend_reset(self.relay.deadlines.now)
        self._arrived.pop(stream.id, None)
        stream.exchange.cancel()
        stream.reset(ErrorCodes.PROTOCOL_ERROR)

    def _reset(self, event: events.StreamReset) -> None:
        """Of the client's, or of the library's own because of what the client sent."""
        self.budget.spend_reset(self.relay.deadlines.now)
        self._arrived.pop(event.stream_id, None)
        stream = self._streams.get(event.stream_id)
        if stream is not None:
            stream.gone()
            self.finished(stream)

    def _window(self, event: events.WindowUpdated | events.RemoteSettingsChanged) -> None:
        self._widened = True

    def _settled(self, event: events.SettingsAcknowledged) -> None:
        self.engine.allow_large_lists()

    def _terminated(self, event: events.ConnectionTerminated) -> None:
        """The client will send no more requests. What it asked for is answered, unless something is wrong."""
        if event.error_code != ErrorCodes.NO_ERROR:
            raise AbuseError(ErrorCodes.NO_ERROR, "The client says that we made a mistake.")
        self._go_away()

    def _pinged(self, event: events.PingAckReceived) -> None:
        if event.ping_data == _DRAINING:
            self._go_away()

    def _answer(self, stream_id: int, status: int, ended: bool) -> None:
        """An error page for what can't become an exchange, without its body if the window is too small."""
        self.relay.journal.refused(self.address, self.scheme, status)
        headers, body = page(status)
        fields = [(b":status", b"%d" % status), *headers, (b"content-length", b"%d" % len(body))]
        engine = self.engine
        shown = engine.local_flow_control_window(stream_id) >= len(body)
        engine.send_headers(stream_id, fields, not shown)
        if shown:
            engine.send_data(stream_id, body, True)
        if not ended:
            engine.reset_if_open(stream_id, ErrorCodes.NO_ERROR)

    # What the streams call

    def flush(self) -> None:
        """Send what the engine holds, unless more comes at once."""
        if not self._reading and not self._closing:
            data = self.engine.data_to_send()
            if data:
                self.transport.write(data)

    def blocked(self, stream: Http2Stream, blocked: bool) -> None:
        """There is something to send that a window doesn't let through, or there no longer is."""
        if blocked:
            self._blocked[stream.id] = stream
        else:
            self._blocked.pop(stream.id, None)

    def finished(self, stream: Http2Stream) -> None:
        """A stream is over."""
        if self._streams.pop(stream.id, None) is None or self._streams or self._closing:
            return
        if self._last_stream != _LAST_STREAM:
            self._close()
        else:
            self._patience.rest()

    def _pump(self) -> None:
        """Let the blocked streams send, each a frame in turn."""
        waiting = list(self._blocked.values())
        while waiting:
            waiting = [each for each in waiting if each.pump() and each.id in self._blocked]

    # The end

    def close_if_idle(self) -> None:
        """Ask the client to send no more requests (RFC 9113 section 6.8). Those on their way are still answered."""
        if not self._closing and not self._noticed and self._last_stream == _LAST_STREAM:
            self._noticed = True
            self.engine.close_connection(last_stream_id=_LAST_STREAM)
            self.engine.ping(_DRAINING)
            self._patience.notice()
            self.flush()

    def abort(self) -> None:
        """End it now, with a reset."""
        self._closing = True
        self.transport.abortConnection()

    def _go_away(self) -> None:
        """Answer what is open, and nothing else."""
        if self._last_stream == _LAST_STREAM:
            self._last_stream = self.engine.highest_inbound_stream_id
            self.engine.close_connection(last_stream_id=self._last_stream)
        if self._streams:
            self._patience.serve()
            self.flush()
        else:
            self._close()

    def _close(self) -> None:
        """End it once all is sent."""
        self._reading = False
        self.flush()
        self._closing = True
        self._patience.close(self.relay.limits.write_stall_time)
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    def _refuse(self, code: ErrorCodes) -> None:
        self.engine.close_connection(code)
        self._fall_silent()

    def _fall_silent(self) -> None:
        """Say nothing more, and drop what still comes: a reset would take the GOAWAY from the client's hands."""
        self._reading = False
        self.flush()
        self._closing = True
        self._drop_streams()
        self._patience.close(self.relay.limits.linger_time)
        self.transport.unregisterProducer()
        self.transport.loseWriteConnection()

    def _drop_streams(self) -> None:
        streams, self._streams = self._streams, {}
        self._arrived.clear()
        for stream in streams.values():
            stream.gone()

    # What its patience calls

    def late(self) -> None:
        """The rest of a frame, or of a header block, didn't come in time."""
        self._refuse(ErrorCodes.ENHANCE_YOUR_CALM)

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
        self._patience.full(True)
        self.transport.pauseProducing()
        for stream in self._streams.values():
            stream.hold(True)

    def resumeProducing(self) -> None:
        """The send buffer is empty."""
        self.full = False
        self._patience.full(False)
        self.transport.resumeProducing()
        for stream in tuple(self._streams.values()):
            stream.hold(False)
        self._pump()
        self.flush()

    def stopProducing(self) -> None:
        """The transport is gone; connectionLost tells the rest."""


_HANDLERS: Final[dict[type[events.Event], Callable[[Http2Connection, Any], None]]] = {
    events.RequestReceived: Http2Connection._request,
    events.DataReceived: Http2Connection._data,
    events.TrailersReceived: Http2Connection._trailers,
    events.StreamEnded: Http2Connection._ended,
    events.StreamReset: Http2Connection._reset,
    events.WindowUpdated: Http2Connection._window,
    events.RemoteSettingsChanged: Http2Connection._window,
    events.SettingsAcknowledged: Http2Connection._settled,
    events.ConnectionTerminated: Http2Connection._terminated,
    events.PingAckReceived: Http2Connection._pinged,
}
