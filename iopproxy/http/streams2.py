"""All streams of an HTTP/2 connection: what its client says to each, and whose turn it is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from h2 import events
from h2.errors import ErrorCodes
from h2.exceptions import StreamClosedError

from iopproxy.http.fields2 import MalformedError, finish, request_of, trailers_of
from iopproxy.http.pages import page
from iopproxy.http.request import RefusedError
from iopproxy.http.stream2 import Http2Stream, Owner

__all__ = ["HANDLERS", "LAST_STREAM", "Streams"]

LAST_STREAM: Final = 2**31 - 1


class Streams:
    """``last``: streams after it aren't served, the client was told to go elsewhere with them.

    Events are taken in first and acted upon when there are no more: what came last may be the end of a stream.
    Taking one in may raise AbuseError.
    """

    __slots__ = ("_arrived", "_blocked", "_open", "_owner", "_widened", "last")

    def __init__(self, owner: Owner) -> None:
        self.last = LAST_STREAM
        self._owner = owner
        self._open: dict[int, Http2Stream] = {}
        self._arrived: dict[int, Http2Stream] = {}
        """Those for which something came."""
        self._blocked: dict[int, Http2Stream] = {}
        self._widened = False
        """A window of the client's may have become wider."""

    def __len__(self) -> int:
        return len(self._open)

    # What came

    def request(self, event: events.RequestReceived) -> None:
        """The head of a request."""
        owner, stream_id, ended = self._owner, event.stream_id, event.stream_ended is not None
        if stream_id > self.last or len(self._open) >= owner.relay.limits.h2_streams:
            self._spend_reset()
            owner.engine.reset_if_open(stream_id, ErrorCodes.REFUSED_STREAM)
            return
        try:
            request = request_of(event.headers, ended, owner.relay.limits)
        except MalformedError:
            self._spend_reset()
            owner.relay.journal.refused(owner.address, owner.scheme, 400)
            owner.engine.reset_if_open(stream_id, ErrorCodes.PROTOCOL_ERROR)
        except RefusedError as refusal:
            self._spend_reset()
            owner.relay.journal.refused(owner.address, owner.scheme, refusal.status)
            with suppress(StreamClosedError):
                self._answer(stream_id, refusal.status, ended)
        else:
            owner.budget.earn_request()
            if not self._open:
                owner.patience.serve()
            self._open[stream_id] = self._arrived[stream_id] = Http2Stream(owner, stream_id, request)

    def data(self, event: events.DataReceived) -> None:
        """A piece of a request's body."""
        stream_id = event.stream_id
        stream = self._open.get(stream_id)
        if stream is None:
            self._owner.engine.acknowledge_received_data(event.flow_controlled_length, stream_id)
            return
        stream.arrived(event.data, event.flow_controlled_length)
        request = stream.request
        if request.length is not None and request.received > request.length:
            self._break(stream)
        else:
            self._arrived[stream_id] = stream

    def trailers(self, event: events.TrailersReceived) -> None:
        """A request's trailers; its end follows."""
        stream = self._open.get(event.stream_id)
        if stream is not None:
            try:
                stream.request.trailers = trailers_of(event.headers, self._owner.relay.limits)
            except MalformedError:
                self._break(stream)

    def ended(self, event: events.StreamEnded) -> None:
        """A request's end, if it didn't come with its head."""
        stream = self._open.get(event.stream_id)
        if stream is not None and not stream.request.ended:
            try:
                finish(stream.request, stream.begun)
            except MalformedError:
                self._break(stream)
            else:
                self._arrived[event.stream_id] = stream

    def reset(self, event: events.StreamReset) -> None:
        """The client's, or the library's own because of what the client sent."""
        self._spend_reset()
        self._arrived.pop(event.stream_id, None)
        stream = self._open.get(event.stream_id)
        if stream is not None:
            stream.gone()
            self._owner.finished(stream)

    def widened(self, event: events.WindowUpdated | events.RemoteSettingsChanged) -> None:
        """More may be sent."""
        self._widened = True

    def _spend_reset(self) -> None:
        self._owner.budget.spend_reset(self._owner.relay.deadlines.now)

    def _break(self, stream: Http2Stream) -> None:
        """The rest of a request makes no sense."""
        self._spend_reset()
        self._arrived.pop(stream.id, None)
        stream.exchange.cancel()
        stream.reset(ErrorCodes.PROTOCOL_ERROR)

    def _answer(self, stream_id: int, status: int, ended: bool) -> None:
        """An error page for what can't become an exchange, without its body if the window is too small."""
        headers, body = page(status)
        fields = [(b":status", b"%d" % status), *headers, (b"content-length", b"%d" % len(body))]
        engine = self._owner.engine
        shown = engine.local_flow_control_window(stream_id) >= len(body)
        engine.send_headers(stream_id, fields, not shown)
        if shown:
            engine.send_data(stream_id, body, True)
        if not ended:
            engine.reset_if_open(stream_id, ErrorCodes.NO_ERROR)

    # What follows from it

    def act(self) -> None:
        """Do what follows from all that was taken in."""
        arrived, self._arrived = self._arrived, {}
        for stream in arrived.values():
            stream.advance()
        if self._widened:
            self._widened = False
            self.pump()

    def pump(self) -> None:
        """Let the blocked streams send, each a frame in turn."""
        waiting = list(self._blocked.values())
        while waiting:
            waiting = [each for each in waiting if each.pump() and each.id in self._blocked]
            self._owner.flush()

    def block(self, stream: Http2Stream, blocked: bool) -> None:
        """There is something to send that a window doesn't let through, or there no longer is."""
        if blocked:
            self._blocked[stream.id] = stream
        else:
            self._blocked.pop(stream.id, None)

    def hold(self, held: bool) -> None:
        """The connection takes nothing more for now, or does again."""
        for stream in tuple(self._open.values()):
            stream.hold(held)
        if not held:
            self.pump()

    def discard(self, stream: Http2Stream) -> bool:
        """It is over. Whether it was the last one that was open."""
        return self._open.pop(stream.id, None) is not None and not self._open

    def drop(self) -> None:
        """The client is gone."""
        streams, self._open = self._open, {}
        self._arrived.clear()
        for stream in streams.values():
            stream.gone()


HANDLERS: Final[dict[type[events.Event], Callable[[Streams, Any], None]]] = {
    events.RequestReceived: Streams.request,
    events.DataReceived: Streams.data,
    events.TrailersReceived: Streams.trailers,
    events.StreamEnded: Streams.ended,
    events.StreamReset: Streams.reset,
    events.WindowUpdated: Streams.widened,
    events.RemoteSettingsChanged: Streams.widened,
}
