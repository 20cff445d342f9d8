"""One request on an HTTP/1 connection, and how its response is framed (RFC 9112 section 6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from iopproxy.http.exchange import Exchange
from iopproxy.http.headers import Header
from iopproxy.http.relay import Relay
from iopproxy.http.request import Request
from iopproxy.http.response import Response
from iopproxy.http.transport import Transport
from iopproxy.http.tunnel import Tunnel
from iopproxy.http.writing import CLOSE, chunk, interim_head, last_chunk, own_response, response_head

__all__ = ["Http1Stream"]

_BODYLESS: Final = frozenset({204, 304})
"""Statuses whose responses end with the head, and need not say how long a body would be."""


class Owner(Protocol):
    """The connection, as its stream sees it."""

    scheme: bytes
    transport: Transport

    def hold_reading(self, held: bool) -> None:
        """The request's body can't go on, or can again."""

    def switch(self, tunnel: Tunnel) -> None:
        """The connection is a side of a tunnel from now on."""

    def declined(self) -> None:
        """The upgrade that was offered doesn't come: what follows the request is HTTP."""

    def finished(self, last: bool, ended: bool) -> None:
        """The response is complete: the ``last`` of this connection, its request read to its end or not."""

    def close(self) -> None:
        """End the connection once all is sent."""

    def abort(self) -> None:
        """End the connection with a reset."""


class Http1Stream:
    """The ``Client`` of exchanges on an HTTP/1 connection, one after the other."""

    __slots__ = (
        "_chunked",
        "_last",
        "_owner",
        "_relay",
        "_to_the_end",
        "address",
        "exchange",
        "port",
        "request",
        "scheme",
    )

    request: Request
    protocol = b"HTTP/1.1"
    """Also where ``request.modern`` says that the client knows 1.0 only."""

    def __init__(self, owner: Owner, relay: Relay, address: bytes, port: int) -> None:
        self.address = address
        self.scheme = owner.scheme
        self.port = port
        self.exchange: Exchange | None = None
        """The one that is under way."""
        self._owner = owner
        self._relay = relay
        self._chunked = False
        self._to_the_end = False
        """The end of the connection is the end of the body."""
        self._last = False
        """No other request of this connection is answered."""

    def begin(self, request: Request, held: bool) -> None:
        """Answer a request. ``held``: the client takes nothing of the response for now."""
        self.request = request
        self._chunked = False
        self._last = not request.keep_alive
        self.exchange = exchange = Exchange(self._relay, request, self, held)
        exchange.start()

    def hold_body(self, held: bool) -> None:
        """Read no more of the request's body for now, or read on."""
        self._owner.hold_reading(held)

    def interim(self, response: Response) -> None:
        """A 1xx response; HTTP/1.0 doesn't know them (RFC 9110 section 15.2)."""
        if self.request.modern:
            self._owner.transport.write(interim_head(response))

    def respond(
        self, head: Response | None, body: bytes, complete: bool, trailers: Sequence[Header] = ()
    ) -> None:
        """The head (once), a piece of the body (or b""), the end."""
        data = body
        if head is not None:
            begin = self._head(head)
            data = begin + (chunk(body) if self._chunked and body else body)
        elif self._chunked and body:
            data = chunk(body)
        if complete and self._chunked:
            data += last_chunk(trailers)
        self._owner.transport.write(data)
        if complete:
            self._finish()

    def own(self, status: int, headers: Sequence[Header], body: bytes) -> None:
        """A response of the proxy's own, instead of any other."""
        self._decide_last()
        with_body = self.request.method != b"HEAD"
        self._owner.transport.write(own_response(status, headers, body, self._connection(), with_body))
        self._finish()

    def switch(self, head: Response, tunnel: Tunnel) -> None:
        """A 101: what follows it goes through the tunnel."""
        self._owner.transport.write(response_head(head, b"", _upgrade(head)))
        self._owner.switch(tunnel)

    def abort(self) -> None:
        """End visibly before the response is complete: without its last chunk, or with fewer bytes than announced."""
        if self._to_the_end:
            self._owner.abort()
        else:
            self._owner.close()

    def _finish(self) -> None:
        request, self.exchange = self.request, None
        if request.upgrade is not None:
            self._owner.declined()
        self._decide_last()
        self._owner.finished(self._last, request.ended)

    def _decide_last(self) -> None:
        """No further request is read after one that isn't read to its end, nor once the program is to end."""
        if not self.request.ended or self._relay.draining:
            self._last = True

    def _head(self, response: Response) -> bytes:
        request, status = self.request, response.status
        self._decide_last()
        framing = b""
        if response.length is not None:
            if status != 204:
                framing = b"Content-Length: %d" % response.length
        elif status in _BODYLESS or request.method == b"HEAD":
            pass
        elif request.modern:
            self._chunked = True
            framing = b"Transfer-Encoding: chunked"
        else:
            self._last = self._to_the_end = True
        connection = b""
        if self._last or not request.modern or status == 426:
            connection = self._connection()
            if status == 426 and response.upgrade is not None:  # RFC 9110 section 15.5.22
                connection = _upgrade(response) + (b"\r\n" + connection if connection else b"")
        return response_head(response, framing, connection)

    def _connection(self) -> bytes:
        if self._last:
            return CLOSE
        return b"" if self.request.modern else b"Connection: keep-alive"


def _upgrade(response: Response) -> bytes:
    return b"Connection: Upgrade\r\nUpgrade: " + (response.upgrade or b"")
