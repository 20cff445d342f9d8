"""HTTP/1 requests out of bytes, strictly (RFC 9112). No transport in here.

llhttp does the grammar: it refuses bare CR or LF, control characters, folded lines, a wrong chunk, Content-Length
twice or beside Transfer-Encoding. What it lets through and a proxy must not is refused here.
"""

from __future__ import annotations

from collections import deque

import httptools

from iopproxy.http import headers
from iopproxy.http.fields1 import sort
from iopproxy.http.headers import Header
from iopproxy.http.headers import kind as kind_of
from iopproxy.http.limits import Limits
from iopproxy.http.request import RefusedError, Request
from iopproxy.http.target import split
from iopproxy.routing.hosts import normalise

__all__ = ["RequestReader"]

_UNSERVED = frozenset(
    b"CONNECT TRACE PRI SOURCE DESCRIBE ANNOUNCE SETUP PLAY PAUSE TEARDOWN GET_PARAMETER SET_PARAMETER REDIRECT "
    b"RECORD FLUSH".split()
)
"""Tunnels, an echo of the client's own headers, and what llhttp knows of RTSP and ICE."""

_PIECE = 16384
"""Bytes that are read at a time when more came at once."""
_ENOUGH = 8
"""Requests that wait without more of them being read, but for those of the same piece."""


class RequestReader:
    """What came on one connection. ``feed`` never raises; it fills ``arrived`` and at last sets ``refusal``.

    ``arrived``: requests in order, the last one possibly without all of its body.
    ``refusal``: why nothing more of this connection is understood.
    ``in_head``: part of a request's head came.
    ``rest``: what isn't read yet. After a request with an ``upgrade`` it may be another protocol; ``go_on`` reads it
    as HTTP once that was declined. After many requests ``read_on`` reads it, once not two are left in ``arrived``.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.arrived: deque[Request] = deque()
        self.refusal: RefusedError | None = None
        self.in_head = False
        self._open: Request | None = None
        self._offering: Request | None = None
        self._waiting = False
        self.rest = b""
        self._last = False
        self._over = False
        self._idle_bytes = 0
        """Without a complete head or a piece of a body."""
        self._size = 0
        """What has come since the current message began, and possibly before it in the same piece."""
        self._piece = 0
        self._target = b""
        self._plain: list[Header] = []
        self._special: list[tuple[int, Header]] = []
        self._parser = httptools.HttpRequestParser(self)

    def feed(self, data: bytes) -> None:
        """More bytes. After a refusal, and after a request that ends the connection, they are ignored."""
        if self.rest or self._waiting:
            self.rest += data
        elif len(data) <= _PIECE:
            self._feed(data)
        else:
            self._feed_pieces(memoryview(data))

    def _feed_pieces(self, data: memoryview) -> None:
        """Requests take many times the memory of their bytes, so when enough of them wait, the others stay bytes."""
        while data and not (self._waiting or self._over or self.refusal is not None):
            if len(self.arrived) > _ENOUGH:
                break
            request, size = self._open, _PIECE
            if request is not None and request.length is not None:
                size = max(size, min(len(data), request.length - request.received))
            self._feed(data[:size])
            data = data[size:]
        if not (self._over or self.refusal is not None):
            self.rest += bytes(data)

    def _feed(self, data: bytes | memoryview) -> None:
        if self._over or self.refusal is not None:
            return
        self._piece = size = len(data)
        self._idle_bytes += size
        self._size += size
        try:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                self._read_on(memoryview(data)[upgrade.args[0] :])
            if self._idle_bytes > self._limits.head_size or self.in_head:
                self._check_progress()
        except RefusedError as refusal:
            self.refusal = refusal
        except httptools.HttpParserError as error:
            if not self._over:
                self.refusal = _refusal(error)
        if self.refusal is not None and self._open is not None:
            self._open.broken = True

    def _read_on(self, rest: memoryview) -> None:
        """A request offers another protocol: unless that goes further, what is behind it is HTTP."""
        while not self._waiting and not self._over:
            self._parser = httptools.HttpRequestParser(self)
            try:
                if self._offering is not None:
                    self._go_on_with(self._offering)
                elif self.arrived[-1].upgrade is not None:
                    self._waiting = True
                    self.rest = bytes(rest)
                    return
                self._parser.feed_data(rest)
            except httptools.HttpParserUpgrade as upgrade:
                rest = rest[upgrade.args[0] :]
            else:
                return

    def _check_progress(self) -> None:
        lines, limits = len(self._plain) + len(self._special), self._limits
        if self._idle_bytes > limits.head_size or lines > limits.header_count:
            raise _too_large(self.in_head and not lines)

    def go_on(self) -> None:
        """The last request's upgrade was declined: what follows it is HTTP."""
        self._waiting = False
        self.read_on()

    def read_on(self) -> None:
        """Hardly any requests wait any more: read the ``rest``, unless it may be another protocol."""
        if self.rest and not self._waiting:
            rest, self.rest = self.rest, b""
            self.feed(rest)

    def _go_on_with(self, request: Request) -> None:
        """Read the body of a request that offers another protocol: llhttp took it for bytes of that protocol.

        A new parser is shown the same framing under a head without an offer.
        """
        last = self._last
        framing = (
            b"Transfer-Encoding: chunked"
            if request.chunked
            else b"Content-Length: %d" % (request.length or 0)
        )
        self._offering = None
        self._parser.feed_data(b"POST / HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\n\r\n")
        self.arrived.pop()
        self._open, self._last = request, last

    # What the parser calls

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self.in_head = True
        self._target = b""

    def on_url(self, piece: bytes) -> None:
        """A part of the target."""
        self._target += piece

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header line, or a trailer line."""
        kind = kind_of(name)
        if kind:
            self._special.append((kind, (name, value)))
        else:
            self._plain.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is complete."""
        self.in_head = False
        request = self._understand()
        self._idle_bytes = 0
        self._last = not request.keep_alive
        self._open = request
        self.arrived.append(request)

    def on_body(self, piece: bytes) -> None:
        """A part of the body, without chunk framing."""
        self._idle_bytes = 0
        request: Request = self._open  # type: ignore[assignment]  # there is one: the parser saw its head
        request.parts.append(piece)
        request.received += len(piece)

    def on_message_complete(self) -> None:
        """The end of a request."""
        if self._offering is not None:
            return
        request: Request = self._open  # type: ignore[assignment]
        if self._plain or self._special:
            self._check_size()
            request.trailers = headers.trailers(self._plain)
            self._plain, self._special = [], []
        self._idle_bytes = 0
        self._size = self._piece
        request.ended = True
        self._open = None
        self._over = self._last

    def _understand(self) -> Request:
        """The request of a complete head. Raises RefusedError."""
        parser, limits, target = self._parser, self._limits, self._target
        version = parser.get_http_version()
        if version not in ("1.1", "1.0"):
            raise RefusedError(505, "The version is neither HTTP/1.1 nor HTTP/1.0.")
        method = parser.get_method()
        if method in _UNSERVED:
            raise RefusedError(501, "The method isn't served.")
        if len(target) > limits.target_size:
            raise RefusedError(414, "The target is too long.")
        if self._size > limits.head_size or len(self._plain) + len(self._special) > limits.header_count:
            self._check_size()
        named: bytes | None = None
        if not target.startswith(b"/") or b"#" in target:
            target, named = split(target, method)
        request = Request(method, target, version == "1.1", parser.should_keep_alive())
        request.headers, self._plain = self._plain, []
        special, self._special = self._special, []
        sort(request, special)
        if request.upgrade is not None:
            self._consider(request, request.upgrade)
        host = normalise(request.authority)
        if host is None:
            raise RefusedError(400, "There is no valid Host.")
        if named is not None:
            # RFC 9112 section 3.2.2: the host of an absolute-form target counts, not the header.
            request.authority = named
            host = normalise(named)
            if host is None:
                raise RefusedError(400, "The target's host isn't valid.")
        request.host = host
        return request

    def _consider(self, request: Request, offer: bytes) -> None:
        """There is an Upgrade. After a body we decline: what follows it could be either protocol."""
        request.upgrade = None
        if not self._parser.should_upgrade():
            return  # Connection doesn't name it
        if request.length or request.chunked:
            self._offering = request
        elif request.modern:
            request.upgrade = headers.upgrades(offer)

    def _check_size(self) -> None:
        lines = [*self._plain, *(line for _, line in self._special)]
        size = sum([len(name) + len(value) + 4 for name, value in lines])
        if len(lines) > self._limits.header_count or size > self._limits.head_size:
            raise _too_large(False)


def _too_large(target: bool) -> RefusedError:
    """A head that is too large, ``target``: because of its target."""
    return RefusedError(414 if target else 431, "The head is too large.")


def _refusal(error: httptools.HttpParserError) -> RefusedError:
    """What a parser's error means to the client."""
    if isinstance(error, httptools.HttpParserCallbackError) and isinstance(error.__context__, RefusedError):
        return error.__context__
    if isinstance(error, httptools.HttpParserInvalidMethodError):
        return RefusedError(501, "The method is unknown.")
    return RefusedError(400, f"{error}.")
