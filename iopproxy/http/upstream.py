"""One connection to an upstream: requests go out, responses come in, one exchange at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from typing import Protocol as Seam

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from iopproxy.http.deadlines import NEVER
from iopproxy.http.dialing import Outgoing
from iopproxy.http.headers import Header
from iopproxy.http.known import Known
from iopproxy.http.knownresponses import KnowingResponseReader
from iopproxy.http.limits import Limits
from iopproxy.http.response import MalformedError, Response, ResponseReader
from iopproxy.http.transport import Transport

if TYPE_CHECKING:
    from iopproxy.http.tunnel import End

__all__ = ["Asker", "UpstreamConnection"]


class Asker(Seam):
    """Who waits for a response."""

    def answered(
        self,
        interim: Sequence[Response],
        head: Response | None,
        body: bytes,
        complete: bool,
        trailers: Sequence[Header],
    ) -> None:
        """What came at once: 1xx heads, the head, a piece of the body (or b""), the end and the trailers."""

    def switched(self, interim: Sequence[Response], head: Response, rest: bytes) -> None:
        """A 101 that was asked for, and what came after it. The connection is the asker's now."""

    def lost(self, why: str, repeatable: bool) -> None:
        """The response won't be completed. ``repeatable``: the connection was a used one and nothing came at all."""

    def upstream_full(self, full: bool) -> None:
        """Whether the upstream takes no more of the request for now."""


@implementer(IPushProducer)
class UpstreamConnection(Outgoing):
    """Speaks HTTP/1.1 to one target.

    ``at_rest(connection)`` is called when it can be used again, ``gone(connection)`` at its end, at least once.
    """

    transport: Transport  # type: ignore[assignment]  # Twisted declares the zope interface

    def __init__(
        self,
        target: str,
        at_rest: Callable[[UpstreamConnection], None],
        gone: Callable[[UpstreamConnection], None],
        limits: Limits,
        known: Known[Response],
    ) -> None:
        super().__init__()
        self.target = target
        self.deadline = NEVER
        self.rested_at = 0.0
        self._at_rest = at_rest
        self._gone = gone
        self._reader = KnowingResponseReader(limits, known)
        self._asker: Asker | None = None
        self._used = False
        self._sent_all = False
        self._reading_held = False
        self.end: End | None = None

    def connectionMade(self) -> None:
        """Tell who waits."""
        self.transport.registerProducer(self, True)
        super().connectionMade()

    # What the exchange calls

    def ask(self, asker: Asker, method: bytes, upgrade: bytes | None) -> None:
        """Start an exchange; ``send`` follows."""
        self._asker = asker
        self._sent_all = False
        self._reader.begin(method, upgrade)

    def send(self, data: bytes, last: bool) -> None:
        """A part of the request, ``last`` with its end."""
        self._sent_all = last
        self.transport.write(data)

    def hold(self, held: bool) -> None:
        """Read no response for now, or read on."""
        if held != self._reading_held:
            self._reading_held = held
            if held:
                self.transport.pauseProducing()
            else:
                self.transport.resumeProducing()

    def drop(self) -> None:
        """End it now, whatever is under way. The asker hears nothing more."""
        self._asker = None
        self._gone(self)
        self.transport.abortConnection()

    # What the deadlines call

    def expired(self) -> None:
        """It was idle for too long, or takes nothing of a tunnel."""
        self.drop()

    # What the transport calls

    def dataReceived(self, data: bytes) -> None:
        """A part of the response. Bytes that nobody asked for end the connection."""
        if self.end is not None:
            self.end.received(data)
            return
        asker, reader = self._asker, self._reader
        if asker is None:
            self.drop()
            return
        try:
            reader.feed(data)
        except MalformedError as error:
            self.drop()
            asker.lost(f"it sent no valid response: {error}", repeatable=False)
            return
        interim: Sequence[Response] = ()
        if reader.interim:
            interim, reader.interim = reader.interim, []
        head, reader.head = reader.head, None
        body, parts = b"", reader.parts
        if parts:
            body = parts[0] if len(parts) == 1 else b"".join(parts)
            parts.clear()
        if reader.switched is not None:
            self._asker = None
            asker.switched(interim, reader.switched, body)
            return
        complete, trailers = reader.complete, reader.trailers
        if complete:
            self._finish(reader)
        asker.answered(interim, head, body, complete, trailers)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The upstream closed, or the network failed."""
        self._gone(self)
        asker, self._asker = self._asker, None
        clean = reason.check(ConnectionDone) is not None
        if self.end is not None:
            self.end.lost(clean)
        elif asker is None:
            pass
        elif self._reader.closed(clean):
            asker.answered((), None, b"", True, ())
        else:
            asker.lost("it closed the connection", repeatable=self._used and not self._reader.started)

    def readConnectionLost(self) -> None:
        """The upstream closed its direction of a tunnel."""
        if self.end is not None:
            self.end.ended()

    def writeConnectionLost(self) -> None:
        """Ours of a tunnel is closed."""

    def _finish(self, reader: ResponseReader) -> None:
        """The response is complete: rest, or end."""
        self._asker = None
        self._used = True
        response = reader.response
        keep = response is not None and response.keep_alive and not reader.surplus
        if keep and self._sent_all and not self.ending:
            if self._reading_held:
                self.hold(False)
            self._at_rest(self)
        else:
            self.drop()

    # Backpressure on what is sent

    def pauseProducing(self) -> None:
        """The send buffer is full."""
        if self.end is not None:
            self.end.full(True)
        elif self._asker is not None:
            self._asker.upstream_full(True)

    def resumeProducing(self) -> None:
        """The send buffer is empty."""
        if self.end is not None:
            self.end.full(False)
        elif self._asker is not None:
            self._asker.upstream_full(False)

    def stopProducing(self) -> None:
        """The transport is gone; connectionLost tells the rest."""
