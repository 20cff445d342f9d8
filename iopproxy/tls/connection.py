"""TLS with one client: a protocol to the TCP transport under it, a transport to the protocol above it.

It works on the standard library's ssl in memory. uvloop has TLS of its own on the same library; measured, that takes
more than twice the CPU time for TLS itself, keeps 256 KB for each connection, and closes a connection whose
handshake failed without sending the alert.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from attrs import field, frozen
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from iopproxy.http.deadlines import NEVER, Deadlines
from iopproxy.http.transport import Handle, Transport

__all__ = ["Tls", "TlsConnection"]

_RECORD: Final = 16384
"""The most that one record holds (RFC 8446 section 5.1)."""

_ANSWERS: Final = 65536
"""Bytes that a client may have us answer to what is no data: each of its KeyUpdates costs 30 and a new key. A client
that asks for more is out to fill our send buffer (RFC 8446 section 4.6.3)."""

_EXPLANATION: Final = b"400 Bad Request\nThis port speaks HTTPS: use https:// here.\n"
_PLAIN_HTTP: Final = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n"
    b"Connection: close\r\n\r\n%b" % (len(_EXPLANATION), _EXPLANATION)
)

_EMPTY: Final = ssl.MemoryBIO()

_REASONS: Final = {
    "CALLBACK_FAILED": "unknown name",
    "HTTP_REQUEST": "plain HTTP",
    "UNSUPPORTED_PROTOCOL": "version",
    "VERSION_TOO_LOW": "version",
    "WRONG_VERSION_NUMBER": "no TLS",
    "NO_SHARED_CIPHER": "no common suite",
    "NO_SUITABLE_KEY_SHARE": "no common suite",
    "NO_SUITABLE_SIGNATURE_ALGORITHM": "no common suite",
}
"""What OpenSSL calls it, and what we do. Anything else is "alert" when the client says so, or "other"."""


@frozen
class Tls:
    """What all connections share.

    ``above``: the protocol for what ALPN chose, None if the client offered nothing we know.
    ``count``: told of each handshake's end: ``ok/TLSv1.3``, ``resumed/TLSv1.3``, or ``failed/`` and why, never in
    the client's words.
    """

    context: ssl.SSLContext
    deadlines: Deadlines
    handshake_time: float
    above: Callable[[str | None], Protocol]
    count: Callable[[str], None]
    begun: set[TlsConnection] = field(factory=set)
    """Those whose handshake isn't over. The others are known to the protocols above them."""

    def close_idle(self) -> None:
        """End the connections that have said nothing yet."""
        for connection in tuple(self.begun):
            connection.close_if_idle()

    def abort(self) -> None:
        """End all that are in their handshake."""
        for connection in tuple(self.begun):
            connection.abortConnection()


class TlsConnection(Protocol):
    """One client. The protocol above is made, and gets this as its transport, once the handshake is done."""

    transport: Transport  # type: ignore[assignment]  # Twisted declares the zope interface
    _incoming: ssl.MemoryBIO
    _outgoing: ssl.MemoryBIO

    def __init__(self, tls: Tls) -> None:
        self._tls = tls
        self.deadline = NEVER
        self._above: Protocol | None = None
        self._ssl: ssl.SSLObject | None = None
        """None until something comes: who connects and says nothing costs little."""
        self._answered = 0
        """Bytes that OpenSSL answered by itself since the handshake."""
        self._reading = True
        self._writing = True

    # What the transport calls

    def connectionMade(self) -> None:
        """Wait for the client's first message."""
        self._tls.begun.add(self)
        self._tls.deadlines.add(self)
        self.deadline = self._tls.deadlines.after(self._tls.handshake_time)

    def dataReceived(self, data: bytes) -> None:
        """More of what the client sent."""
        if not self._reading:
            return
        connection = self._ssl
        if connection is None:
            self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            context = self._tls.context
            connection = self._ssl = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        parts: list[bytes] = []
        if len(data) <= _RECORD:
            self._take(connection, data, parts)
        else:
            view = memoryview(data)
            for start in range(0, len(data), _RECORD):
                self._take(connection, view[start : start + _RECORD], parts)
        if self._outgoing.pending:
            self._answered += self._outgoing.pending
            self._flush()
            if self._answered > _ANSWERS:
                self.abortConnection()
        if parts and self._above is not None:
            self._above.dataReceived(parts[0] if len(parts) == 1 else b"".join(parts))
        if not self._reading:
            self.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The client is gone, or we are."""
        self._reading = self._writing = False
        # Most of a connection's memory: it doesn't wait for the garbage collector.
        self._ssl = None
        self._incoming = self._outgoing = _EMPTY
        above, self._above = self._above, None
        if above is not None:
            above.connectionLost(reason)
        elif self.deadline != NEVER:
            self._end_handshake("failed/closed")

    def expired(self) -> None:
        """The handshake took too long."""
        self._end_handshake("failed/timeout")
        self.abortConnection()

    def close_if_idle(self) -> None:
        """End the connection if the client has said nothing yet."""
        if self._ssl is None:
            self.transport.loseConnection()

    # The handshake

    def _shake_hands(self, connection: ssl.SSLObject) -> bool:
        """Whether it is done."""
        try:
            connection.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return False
        except ssl.SSLError as error:
            self._fail(error.reason or "")
            return False
        self._flush()
        self._end_handshake(f"{'resumed' if connection.session_reused else 'ok'}/{connection.version()}")
        self._above = self._tls.above(connection.selected_alpn_protocol())
        self._above.makeConnection(self)
        return True

    def _fail(self, reason: str) -> None:
        """Close; OpenSSL has written the alert that says why."""
        why = _REASONS.get(reason, "alert" if "_ALERT_" in reason else "other")
        self._end_handshake(f"failed/{why}")
        self._reading = self._writing = False
        if reason == "HTTP_REQUEST":
            self.transport.write(_PLAIN_HTTP)
        else:
            self._flush()
        self.transport.loseConnection()

    def _end_handshake(self, label: str) -> None:
        self.deadline = NEVER
        self._tls.begun.discard(self)
        self._tls.deadlines.discard(self)
        self._tls.count(label)

    # Bytes

    def _take(self, connection: ssl.SSLObject, data: bytes | memoryview, parts: list[bytes]) -> None:
        """At most a record's size of what came; add what is in it to ``parts``. ``_reading`` ends with the client's.

        The memory that OpenSSL takes for a piece is kept as long as the connection is, so none is large.
        """
        if not self._reading:
            return
        incoming = self._incoming
        incoming.write(data)
        if self._above is None and not self._shake_hands(connection):
            return
        read, pending, size = connection.read, connection.pending, len(data)
        try:
            # Asking once more would only bring an exception, and that costs more than a record does.
            left = incoming.pending or pending()
            while left:
                part = read(size)
                if not part:
                    self._reading = False
                    return
                parts.append(part)
                # What doesn't fill the size was the last of its record.
                left = incoming.pending or (len(part) == size and pending())
                size = _RECORD
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self._flush()
            self.abortConnection()

    def _flush(self) -> None:
        if self._outgoing.pending:
            self.transport.write(self._outgoing.read())

    # What the protocol above calls: see http.transport.Transport

    def write(self, data: bytes) -> None:
        """Send, sooner or later."""
        connection = self._ssl
        if connection is None or not self._writing or not data:
            return
        if len(data) <= _RECORD:
            connection.write(data)
            self.transport.write(self._outgoing.read())
            return
        records, view = [], memoryview(data)
        for start in range(0, len(data), _RECORD):
            connection.write(view[start : start + _RECORD])
            records.append(self._outgoing.read())
        self.transport.write(b"".join(records))

    def loseConnection(self) -> None:
        """Say that it is the end and close once all is sent (RFC 8446 section 6.1)."""
        self._say_goodbye()
        self.transport.loseConnection()

    def loseWriteConnection(self) -> None:
        """Say that no more will come, and go on reading."""
        self._say_goodbye()
        self.transport.loseWriteConnection()

    def abortConnection(self) -> None:
        """Close with a reset."""
        self._reading = self._writing = False
        self.transport.abortConnection()

    def _say_goodbye(self) -> None:
        if self._writing and self._ssl is not None:
            self._writing = False
            with suppress(ssl.SSLError):  # it waits for the client's goodbye, which nobody needs
                self._ssl.unwrap()
            self._flush()

    # The rest is the TCP transport's

    def getPeer(self) -> IPv4Address | IPv6Address:
        """Who is at the other end."""
        return self.transport.getPeer()

    def getHost(self) -> IPv4Address | IPv6Address:
        """Our end."""
        return self.transport.getHost()

    def getHandle(self) -> Handle:
        """The socket, to ask the kernel about it."""
        return self.transport.getHandle()

    def registerProducer(self, producer: object, streaming: bool) -> None:
        """Pause ``producer``, an IPushProducer, while the send buffer is full."""
        self.transport.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """No longer."""
        self.transport.unregisterProducer()

    def pauseProducing(self) -> None:
        """Read nothing."""
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Read again."""
        self.transport.resumeProducing()
