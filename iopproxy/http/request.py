"""A request as the proxy understood it, whatever protocol brought it."""

from __future__ import annotations

from typing import Final

from iopproxy.http.headers import Header

__all__ = ["IDEMPOTENT", "RefusedError", "Request"]

IDEMPOTENT: Final = frozenset({b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"})
"""Methods that may be sent twice (RFC 9110 section 9.2.2). TRACE isn't served."""


class RefusedError(Exception):
    """A request that is answered with an error and never sent on. ``status`` is the answer's code."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Request:
    """The head of a request, and of its body what hasn't gone on yet.

    ``headers`` are the lines that go on as they are; ``forwarded`` those in which a client says who it is.
    ``length`` is Content-Length; a body without it is ``chunked``, and with neither there is none.
    """

    __slots__ = (
        "authority",
        "broken",
        "chunked",
        "ended",
        "forwarded",
        "headers",
        "hops",
        "host",
        "id",
        "keep_alive",
        "length",
        "lines",
        "method",
        "modern",
        "parts",
        "received",
        "target",
        "trailers",
        "upgrade",
        "waits",
        "wants_trailers",
    )

    def __init__(self, method: bytes, target: bytes, modern: bool, keep_alive: bool) -> None:
        self.method = method
        self.target = target
        self.modern = modern
        """HTTP/1.1 or later: the client understands chunked bodies and 1xx responses."""
        self.keep_alive = keep_alive
        self.headers: list[Header] = []
        self.forwarded: list[Header] = []
        self.lines = b""
        """What ``written`` gave, where it is kept."""
        self.authority = b""
        """The host as the client wrote it."""
        self.host = ""
        """The host as routes know it."""
        self.id = b""
        """X-Request-ID: the client's own when it is a valid one, else the exchange gives it one."""
        self.upgrade: bytes | None = None
        """The protocols it offers to go on with (RFC 9110 section 7.8), if any."""
        self.wants_trailers = False
        """It said ``TE: trailers``."""
        self.waits = False
        """It said ``Expect: 100-continue``, and neither that came nor a byte of the body (RFC 9110 section 10.1.1)."""
        self.hops: int | None = None
        """How many more times an OPTIONS may be passed on."""
        self.length: int | None = None
        self.chunked = False
        self.parts: list[bytes] = []
        self.received = 0
        """Bytes of the body that came so far."""
        self.trailers: list[Header] = []
        """Complete once it is ``ended``."""
        self.ended = False
        """All of the body came."""
        self.broken = False
        """The rest of the body will never come: what the client sent makes no sense."""

    def written(self) -> bytes:
        """Host and ``headers`` as HTTP/1.1 writes them, without the last line end."""
        lines = [name + b": " + value for name, value in self.headers]
        return b"\r\n".join([b"Host: " + self.authority, *lines])

    def again(self, method: bytes, target: bytes) -> Request:
        """One that has no body and came with the same header lines. They share what nobody changes."""
        request = Request(method, target, True, True)
        request.headers = self.headers
        request.forwarded = self.forwarded
        request.lines = self.lines or self.written()
        request.authority = self.authority
        request.host = self.host
        request.id = self.id
        request.wants_trailers = self.wants_trailers
        request.ended = True
        return request

    def count_hop(self, line: Header) -> None:
        """Max-Forwards is for OPTIONS (and TRACE, which isn't served) only (RFC 9110 section 7.6.2)."""
        value = line[1].strip(b" \t")
        if self.method == b"OPTIONS" and value.isdigit() and len(value) < 10:
            self.hops = int(value)
            line = (line[0], b"%d" % max(self.hops - 1, 0))
        self.headers.append(line)

    def told(self, name: bytes) -> bytes:
        """The first value among ``forwarded`` of a header whose name is given in lower case, or b""."""
        return next((value for key, value in self.forwarded if key.lower() == name), b"")

    @property
    def repeatable(self) -> bool:
        """Whether it can be sent a second time: harmless to do twice, and without a body."""
        return self.method in IDEMPOTENT and not self.length and not self.chunked
