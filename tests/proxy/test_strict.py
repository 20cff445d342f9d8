"""Input that one server reads one way and the next another: refused, the connection closed, nothing sent on."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

import pytest

from tests.proxy.running import Proxy
from tests.proxy.upstreams import Conversation, answer, constant
from tests.proxy.wire import Wire

GET = b"GET / HTTP/1.1\r\n"
POST = b"POST / HTTP/1.1\r\n"
HOST = b"Host: HOST\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"

REFUSED: dict[str, tuple[int, bytes]] = {
    "no host": (400, GET + b"\r\n"),
    "two hosts": (400, GET + HOST + HOST + b"\r\n"),
    "two different hosts": (400, GET + HOST + b"Host: other.example\r\n\r\n"),
    "empty host": (400, GET + b"Host: \r\n\r\n"),
    "host with a path": (400, GET + b"Host: HOST/x\r\n\r\n"),
    "host with credentials": (400, GET + b"Host: me@HOST\r\n\r\n"),
    "host with a space": (400, GET + b"Host: HOST HOST\r\n\r\n"),
    "host list": (400, GET + b"Host: HOST, other.example\r\n\r\n"),
    "host with a bad port": (400, GET + b"Host: HOST:99999\r\n\r\n"),
    "space before the colon": (400, GET + b"Host : HOST\r\n\r\n"),
    "no host in 1.0": (400, b"GET / HTTP/1.0\r\n\r\n"),
    "HTTP/0.9": (505, b"GET /\r\n\r\n"),
    "HTTP/2.0": (505, b"GET / HTTP/2.0\r\n" + HOST + b"\r\n"),
    "HTTP/2 preface": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "HTTP/1.2": (400, b"GET / HTTP/1.2\r\n" + HOST + b"\r\n"),
    "lower-case version": (400, b"GET / http/1.1\r\n" + HOST + b"\r\n"),
    "chunked in 1.0": (400, b"POST / HTTP/1.0\r\n" + HOST + CHUNKED + b"\r\n0\r\n\r\n"),
    "length and chunked": (400, POST + HOST + b"Content-Length: 5\r\n" + CHUNKED + b"\r\n0\r\n\r\n"),
    "chunked and length": (400, POST + HOST + CHUNKED + b"Content-Length: 5\r\n\r\n0\r\n\r\n"),
    "chunked twice": (400, POST + HOST + CHUNKED + CHUNKED + b"\r\n0\r\n\r\n"),
    "chunked in a list": (400, POST + HOST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    "gzip, chunked": (501, POST + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    "unknown encoding": (501, POST + HOST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    "identity": (501, POST + HOST + b"Transfer-Encoding: identity\r\n\r\n"),
    "obscured chunked": (400, POST + HOST + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n"),
    "two lengths": (400, POST + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
    "length list": (400, POST + HOST + b"Content-Length: 1, 2\r\n\r\nab"),
    "signed length": (400, POST + HOST + b"Content-Length: +1\r\n\r\na"),
    "negative length": (400, POST + HOST + b"Content-Length: -1\r\n\r\na"),
    "hexadecimal length": (400, POST + HOST + b"Content-Length: 0x1\r\n\r\na"),
    "empty length": (400, POST + HOST + b"Content-Length:\r\n\r\n"),
    "huge length": (400, POST + HOST + b"Content-Length: 99999999999999999999\r\n\r\n"),
    "bare LF lines": (400, b"GET / HTTP/1.1\nHost: HOST\n\n"),
    "bare LF in a header": (400, GET + b"X: a\nY: b\r\n" + HOST + b"\r\n"),
    "bare CR in a header": (400, GET + b"X: a\rY: b\r\n" + HOST + b"\r\n"),
    "NUL in a header": (400, GET + b"X: a\x00b\r\n" + HOST + b"\r\n"),
    "control character in a header": (400, GET + b"X: a\x01b\r\n" + HOST + b"\r\n"),
    "folded line": (400, GET + b"X: a\r\n b\r\n" + HOST + b"\r\n"),
    "line before the first": (400, GET + b" X: a\r\n" + HOST + b"\r\n"),
    "header without a colon": (400, GET + b"X\r\n" + HOST + b"\r\n"),
    "header without a name": (400, GET + b": x\r\n" + HOST + b"\r\n"),
    "separator in a name": (400, GET + b"X@Y: a\r\n" + HOST + b"\r\n"),
    "control character in the target": (400, b"GET /\x01 HTTP/1.1\r\n" + HOST + b"\r\n"),
    "space in the target": (400, b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n"),
    "fragment": (400, b"GET /a#b HTTP/1.1\r\n" + HOST + b"\r\n"),
    "foreign scheme": (400, b"GET ftp://HOST/ HTTP/1.1\r\n" + HOST + b"\r\n"),
    "asterisk": (400, b"GET * HTTP/1.1\r\n" + HOST + b"\r\n"),
    "credentials in the target": (400, b"GET http://me@HOST/ HTTP/1.1\r\n" + HOST + b"\r\n"),
    "invalid host beside an absolute target": (400, b"GET http://HOST/ HTTP/1.1\r\nHost: a b\r\n\r\n"),
    "connect": (501, b"CONNECT HOST:443 HTTP/1.1\r\n" + HOST + b"\r\n"),
    "trace": (501, b"TRACE / HTTP/1.1\r\n" + HOST + b"\r\n"),
    "unknown method": (501, b"FROB / HTTP/1.1\r\n" + HOST + b"\r\n"),
    "lower-case method": (501, b"get / HTTP/1.1\r\n" + HOST + b"\r\n"),
    "RTSP": (501, b"DESCRIBE / RTSP/1.0\r\n" + HOST + b"\r\n"),
    "TLS": (501, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "101 headers": (431, GET + HOST + b"X: a\r\n" * 100 + b"\r\n"),
    "headers of 33 KB": (431, GET + HOST + b"X: " + b"a" * 33_000 + b"\r\n\r\n"),
    "headers that never end": (431, GET + HOST + b"X: " + b"a" * 200_000),
    "target of 9 KB": (414, b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n"),
    "target that never ends": (414, b"GET /" + b"a" * 200_000),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(proxy: Proxy, wire: Wire, upstream: Any, name: str) -> None:
    status, data = REFUSED[name]
    server = upstream(constant(answer()))
    host = proxy.route(server.target).encode()
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"
    with suppress(BrokenPipeError, ConnectionResetError):  # it may be refused before all was sent
        wire.send(data.replace(b"HOST", host) + (b"" if "never ends" in name else smuggled))
    response = wire.response()
    assert response.status == status
    assert response.get("connection") == "close"
    assert wire.closed()
    assert server.seen == []


BROKEN_CHUNKS: dict[str, bytes] = {
    "not hexadecimal": b"xyz\r\nhello\r\n0\r\n\r\n",
    "prefixed": b"0x5\r\nhello\r\n0\r\n\r\n",
    "negative": b"-5\r\nhello\r\n0\r\n\r\n",
    "overflowing": b"FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n",
    "longer than it says": b"3\r\nhello\r\n0\r\n\r\n",
    "bare LF": b"5\nhello\n0\n\n",
    "space after the size": b"5 \r\nhello\r\n0\r\n\r\n",
    "broken trailer": b"5\r\nhello\r\n0\r\nno colon\r\n\r\n",
}


@pytest.mark.parametrize("name", BROKEN_CHUNKS)
def test_a_broken_chunk_ends_the_request(proxy: Proxy, wire: Wire, upstream: Any, name: str) -> None:
    server = upstream(constant(answer()))
    host = proxy.route(server.target).encode()
    head = POST + HOST.replace(b"HOST", host) + CHUNKED + b"\r\n"
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"
    wire.send(head + BROKEN_CHUNKS[name] + smuggled)
    assert wire.response().status == 400
    assert wire.closed()
    assert server.seen == []


def test_a_chunk_that_breaks_late_takes_the_upstream_request_with_it(
    proxy: Proxy, wire: Wire, upstream: Any
) -> None:
    """The part that was sent must not look like a whole request."""
    got: list[bytes] = []
    half, gone = threading.Event(), threading.Event()

    def serve(conversation: Conversation) -> None:
        conversation.head()
        got.append(conversation.exactly(10))
        half.set()
        try:
            got.append(conversation.exactly(1))
        except (EOFError, ConnectionResetError):
            gone.set()

    server = upstream(serve)
    host = proxy.route(server.target).encode()
    wire.send(POST + HOST.replace(b"HOST", host) + CHUNKED + b"\r\n5\r\nhello\r\n")
    assert half.wait(10)
    wire.send(b"junk\r\n")
    assert wire.response().status == 400
    assert wire.closed()
    assert gone.wait(10)
    assert got == [b"5\r\nhello\r\n"]
    assert proxy.in_flight(server.target) == 0


def test_requests_before_a_bad_one_are_answered(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    host = proxy.route(upstream(constant(answer())).target).encode()
    good = GET + b"Host: " + host + b"\r\n\r\n"
    wire.send(good + good + b"nonsense\r\n\r\n" + good)
    assert [wire.response().status for _ in range(3)] == [200, 200, 501]
    assert wire.closed()


def test_bytes_after_connection_close_are_not_a_request(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    server = upstream(constant(answer()))
    host = proxy.route(server.target).encode()
    head = GET + b"Host: " + host + b"\r\n"
    wire.send(head + b"Connection: close\r\n\r\n" + head + b"\r\n")
    assert wire.response().status == 200
    assert wire.closed()
    assert len(server.seen) == 1


def test_get_with_a_body_is_one_request(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    server = upstream(constant(answer()))
    host = proxy.route(server.target).encode()
    body = b"GET /smuggled HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"
    wire.send(GET + b"Host: " + host + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    assert wire.response().status == 200
    assert [each.body for each in server.seen] == [body]
