"""One request on an HTTP/2 connection: its body in, its response out, as the client's windows allow (RFC 9113)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from h2.errors import ErrorCodes

from iopproxy.http.deadlines import NEVER
from iopproxy.http.engine2 import Engine
from iopproxy.http.exchange import Exchange
from iopproxy.http.fields2 import head_of, status_field
from iopproxy.http.guards.budget import Budget
from iopproxy.http.guards.patience import Patience
from iopproxy.http.headers import Header
from iopproxy.http.relay import Relay
from iopproxy.http.request import Request
from iopproxy.http.response import Response
from iopproxy.http.tunnel import Tunnel
from iopproxy.http.writing import date

__all__ = ["Http2Stream", "Owner"]

_PIECE: Final = 65536
"""The most that goes into one DATA frame, even if the client takes larger ones: others get their turn."""
_LARGE: Final = 32768
"""Bytes of a request's body from which on more of it may be on its way than at the beginning."""
_DRIBBLE: Final = 1024
"""A client whose windows cut smaller pieces than this off a body makes a frame of ours out of each of its own."""
_NOTHING: Final = memoryview(b"")


class Owner(Protocol):
    """The connection, as its streams see it."""

    relay: Relay
    engine: Engine
    budget: Budget
    patience: Patience
    address: bytes
    scheme: bytes
    port: int
    full: bool
    """The transport takes nothing more for now."""

    def blocked(self, stream: Http2Stream, blocked: bool) -> None:
        """There is something to send that a window doesn't let through, or there no longer is."""

    def finished(self, stream: Http2Stream) -> None:
        """The response is complete, or was given up."""

    def flush(self) -> None:
        """Send what the engine holds, now or with more that comes at once."""


class Http2Stream:
    """The ``Client`` of an exchange, on an HTTP/2 connection."""

    __slots__ = (
        "_complete",
        "_held",
        "_left",
        "_owed",
        "_owner",
        "_trailers",
        "_wider",
        "address",
        "begun",
        "deadline",
        "exchange",
        "id",
        "port",
        "protocol",
        "request",
        "scheme",
    )

    def __init__(self, owner: Owner, stream_id: int, request: Request) -> None:
        self.id = stream_id
        self.request = request
        self.address = owner.address
        self.scheme = owner.scheme
        self.port = owner.port
        self.protocol = b"HTTP/2"
        self.deadline = NEVER
        self._owner = owner
        self.begun = False
        """The exchange has taken up the request."""
        self._held = False
        """The body can't go on to the target for now."""
        self._owed = 0
        """Bytes of the client's windows that it gets back once they went on."""
        self._wider = 0
        """Bytes by which its window is wider than at its beginning."""
        self._left = _NOTHING
        """Of the response's body: what no window lets through yet."""
        self._complete = False
        """Nothing will be added to what is left, but these:"""
        self._trailers: Sequence[Header] = ()
        self.exchange = Exchange(owner.relay, request, self, owner.full)

    # What the connection calls

    def arrived(self, data: bytes, size: int) -> None:
        """A piece of the body, which took ``size`` bytes of the windows."""
        self._owed += size
        if data:
            self.request.received += len(data)
            self.request.parts.append(data)

    def advance(self) -> None:
        """Pass on what arrived."""
        if self.begun:
            self.exchange.body_arrived()
        else:
            self.begun = True
            self.exchange.start()
        self._go_on()

    def hold(self, held: bool) -> None:
        """The connection takes nothing more of any stream for now, or does again."""
        if not self._left:
            self.exchange.hold(held)

    def gone(self) -> None:
        """The client has reset it, or is gone itself."""
        self.exchange.cancel()
        self._leave()

    def pump(self) -> bool:
        """Send one frame of what is left, if the windows allow. Whether they did."""
        if not self._send_some():
            return False
        if self._left:
            self.deadline = self._owner.relay.deadlines.after(self._owner.relay.limits.write_stall_time)
        else:
            self._unblock()
        return True

    def expired(self) -> None:
        """The client keeps its window shut."""
        self.exchange.cancel()
        self.reset(ErrorCodes.CANCEL)

    # What the exchange calls

    def hold_body(self, held: bool) -> None:
        """Give the client no more window for now, or give back what is owed."""
        self._held = held
        if not held and self._owed:
            self._go_on()
            self._owner.flush()

    def interim(self, response: Response) -> None:
        """A 1xx response."""
        self._owner.engine.send_headers(self.id, [status_field(response.status), *response.headers])
        self._owner.flush()

    def respond(
        self, head: Response | None, body: bytes, complete: bool, trailers: Sequence[Header] = ()
    ) -> None:
        """The head (once), a piece of the body (or b""), the end and with it the trailers."""
        if head is not None:
            ends = complete and not body and not trailers
            self._owner.engine.send_headers(self.id, head_of(head), ends)
            if ends:
                self._finish()
                return
        self._complete = complete
        self._trailers = trailers
        self._write(body)

    def own(self, status: int, headers: Sequence[Header], body: bytes) -> None:
        """A whole response of the proxy's own, instead of any other."""
        ends = self.request.method == b"HEAD" or not body
        length = (b"content-length", b"%d" % len(body))
        fields = [status_field(status), *headers, (b"date", date()), length]
        self._owner.engine.send_headers(self.id, fields, ends)
        if ends:
            self._finish()
        else:
            self._complete = True
            self._write(body)

    def switch(self, head: Response, tunnel: Tunnel) -> None:
        """Never: a request over HTTP/2 offers no upgrade (RFC 9113 section 8.6)."""
        raise NotImplementedError

    def abort(self) -> None:
        """End visibly before the response is complete."""
        self.reset(ErrorCodes.INTERNAL_ERROR)

    def reset(self, code: ErrorCodes) -> None:
        """End the stream with RST_STREAM. The exchange is over already."""
        self._owner.engine.reset_if_open(self.id, code)
        self._leave()
        self._owner.finished(self)
        self._owner.flush()

    # Sending

    def _write(self, body: bytes) -> None:
        """Send as much as the windows allow, and keep the rest."""
        if self._left:
            self._left = memoryview(bytes(self._left) + body)
        elif not body:
            self._end()
        elif self._room(len(body)) == len(body):
            self._send(body)
        else:
            self._left = memoryview(body)
            while self._left:
                if not self._send_some():
                    self._block()
                    break
        self._owner.flush()

    def _room(self, wanted: int) -> int:
        """The size of the next DATA frame, at most ``wanted``; 0 if there can't be one now."""
        owner = self._owner
        if owner.full:
            return 0
        engine = owner.engine
        window = engine.local_flow_control_window(self.id)
        return max(0, min(wanted, window, engine.max_outbound_frame_size, _PIECE))

    def _send_some(self) -> bool:
        left = self._left
        room = self._room(len(left))
        if room:
            self._left = left[room:]
            self._send(left[:room])
        return room > 0

    def _send(self, piece: bytes | memoryview) -> None:
        """One DATA frame, with the end if this is the end."""
        owner, all_sent = self._owner, not self._left and self._complete
        ends = all_sent and not self._trailers
        owner.engine.send_data(self.id, piece, ends)
        if len(piece) >= _DRIBBLE or not self._left:
            owner.budget.earn_data()
        if ends:
            self._finish()
        elif all_sent:
            self._end()

    def _end(self) -> None:
        """The body is sent as far as it is there."""
        if not self._complete:
            return
        if self._trailers:
            self._owner.engine.send_headers(self.id, self._trailers, True)
            self._finish()
        else:
            self._owner.engine.end_stream(self.id)
            self._finish()

    def _finish(self) -> None:
        """The response is complete. Of the request nothing more is wanted (RFC 9113 section 8.1)."""
        if not self.request.ended:
            self._owner.engine.reset_if_open(self.id, ErrorCodes.NO_ERROR)
        self._leave()
        self._owner.finished(self)
        self._owner.flush()

    def _leave(self) -> None:
        """It is over: let go of everything. Without a way back to it, no garbage collector has to find the exchange."""
        self._unblock()
        self._held = False
        self._repay()
        self._owner.engine.spare += self._wider
        del self.exchange

    def _block(self) -> None:
        deadlines = self._owner.relay.deadlines
        self.deadline = deadlines.after(self._owner.relay.limits.write_stall_time)
        deadlines.add(self)
        self._owner.blocked(self, True)
        self.exchange.hold(True)

    def _unblock(self) -> None:
        if self.deadline != NEVER:
            self.deadline = NEVER
            self._owner.relay.deadlines.discard(self)
            self._owner.blocked(self, False)
            self.exchange.hold(self._owner.full)

    def _go_on(self) -> None:
        """The target takes what comes: let more of it come."""
        if self._owed and not self._held:
            self._repay()
            if self.request.received >= _LARGE and not self.request.ended:
                self._wider += self._owner.engine.widen(self.id, self._wider)

    def _repay(self) -> None:
        """Open the client's windows again by what went on."""
        if self._owed and not self._held:
            owed, self._owed = self._owed, 0
            self._owner.engine.acknowledge_received_data(owed, self.id)
