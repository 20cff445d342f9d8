"""A request as the proxy understood it, whatever protocol brought it."""

from __future__ import annotations

from typing import Final

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
        "host",
        "keep_alive",
        "length",
        "method",
        "modern",
        "parts",
        "target",
    )

    def __init__(self, method: bytes, target: bytes, modern: bool, keep_alive: bool) -> None:
        self.method = method
        self.target = target
        self.modern = modern
        """HTTP/1.1 or later: the client understands chunked bodies and 1xx responses."""
        self.keep_alive = keep_alive
        self.headers: list[tuple[bytes, bytes]] = []
        self.forwarded: list[tuple[bytes, bytes]] = []
        self.authority = b""
        """The host as the client wrote it."""
        self.host = ""
        """The host as routes know it."""
        self.length: int | None = None
        self.chunked = False
        self.parts: list[bytes] = []
        self.ended = False
        """All of the body came."""
        self.broken = False
        """The rest of the body will never come: what the client sent makes no sense."""

    @property
    def repeatable(self) -> bool:
        """Whether it can be sent a second time: harmless to do twice, and without a body."""
        return self.method in IDEMPOTENT and not self.length and not self.chunked
