"""Fields behind a chunked body, in both directions (RFC 9110 section 6.5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.proxy.running import Proxy
from tests.proxy.upstreams import Conversation, Seen, answer
from tests.proxy.wire import Wire

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
FORBIDDEN = [
    "Host: other.example",
    "Authorization: Basic eA==",
    "Set-Cookie: a=b",
    "Cookie: a=b",
    "Content-Type: text/html",
    "Connection: close",
    "X-Forwarded-For: 1.2.3.4",
    "X_Forwarded_For: 1.2.3.4",
    "X-Request-ID: mine",
    "Location: https://other.example/",
]


def collecting(lines: list[bytes], heads: list[Seen]) -> Callable[[Conversation], None]:
    """Keeps what comes behind the last chunk."""

    def serve(conversation: Conversation) -> None:
        while True:
            heads.append(conversation.head())
            while size := int(conversation._until(b"\r\n"), 16):
                conversation.exactly(size + 2)
            while line := conversation._until(b"\r\n"):
                lines.append(line)
            conversation.send(answer())

    return serve


def trailers(wire: Wire) -> list[bytes]:
    """The lines behind the last chunk of a response."""
    lines = []
    while size := int(wire._until(b"\r\n"), 16):
        wire.exactly(size + 2)
    while line := wire._until(b"\r\n"):
        lines.append(line)
    return lines


def test_of_a_request(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    lines: list[bytes] = []
    heads: list[Seen] = []
    host = proxy.route(upstream(collecting(lines, heads)).target)
    for _ in range(2):
        wire.send(f"POST / HTTP/1.1\r\nHost: {host}\r\nTrailer: X-Sum\r\n".encode())
        wire.send(b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\nX-Also: 2\r\n\r\n")
        assert wire.response().status == 200
    assert lines == [b"X-Sum: 1", b"X-Also: 2"] * 2
    assert heads[0].all("trailer") == ["X-Sum"]


def test_of_a_response(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    def serve(conversation: Conversation) -> None:
        while True:
            conversation.request()
            conversation.send(
                CHUNKED + b"Trailer: X-Sum\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\nX-Also: 2\r\n\r\n"
            )

    server = upstream(serve)
    host = proxy.route(server.target)
    for _ in range(2):
        wire.send(
            f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: TE\r\nTE: gzip;q=0.5, trailers\r\n\r\n".encode()
        )
        assert wire.head().all("trailer") == ["X-Sum"]
        assert trailers(wire) == [b"X-Sum: 1", b"X-Also: 2"]
    assert server.connections == 1
    assert (server.seen[0].all("te"), server.seen[0].all("connection")) == (["trailers"], ["TE"])


def test_a_body_that_is_not_chunked_has_none(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    """For a client that knows no chunks they end here, and so does what announces them."""

    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(CHUNKED + b"\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n")

    wire.send(f"GET / HTTP/1.0\r\nHost: {proxy.route(upstream(serve).target)}\r\n\r\n".encode())
    assert wire.response().body == b"hi"


@pytest.mark.parametrize("line", FORBIDDEN)
def test_none_that_would_be_taken_for_a_header(proxy: Proxy, wire: Wire, upstream: Any, line: str) -> None:
    lines: list[bytes] = []

    def respond(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(CHUNKED + f"\r\n2\r\nhi\r\n0\r\n{line}\r\nX-Good: 1\r\n\r\n".encode())

    wire.send(f"POST / HTTP/1.1\r\nHost: {proxy.route(upstream(collecting(lines, [])).target)}\r\n".encode())
    wire.send(f"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n{line}\r\nX-Good: 1\r\n\r\n".encode())
    assert wire.response().status == 200
    assert lines == [b"X-Good: 1"]
    with Wire(proxy.port) as other:
        other.send(f"GET / HTTP/1.1\r\nHost: {proxy.route(upstream(respond).target)}\r\n\r\n".encode())
        other.head()
        assert trailers(other) == [b"X-Good: 1"]


@pytest.mark.parametrize("line", ["Content-Length: 2", "Transfer-Encoding: chunked", "no colon"])
def test_framing_in_trailers_is_refused(proxy: Proxy, wire: Wire, upstream: Any, line: str) -> None:
    lines: list[bytes] = []
    wire.send(f"POST / HTTP/1.1\r\nHost: {proxy.route(upstream(collecting(lines, [])).target)}\r\n".encode())
    wire.send(f"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n{line}\r\n\r\n".encode())
    assert wire.response().status == 400
    assert wire.closed()
    assert lines == []


def test_too_many(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    lines: list[bytes] = []
    wire.send(f"POST / HTTP/1.1\r\nHost: {proxy.route(upstream(collecting(lines, [])).target)}\r\n".encode())
    wire.send(b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: 1\r\n" * 101 + b"\r\n")
    assert wire.response().status == 431
    assert wire.closed()
    assert lines == []
