"""Upstreams that are away, late, wrong, or end in the middle."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Any

import pytest

from tests.proxy.running import Proxy, wait_until
from tests.proxy.upstreams import Conversation, Upstream, answer, constant, dead_target, once
from tests.proxy.wire import Truncated, Wire


def test_nobody_there_is_502(proxy: Proxy, wire: Wire) -> None:
    host = proxy.route(dead_target())
    assert wire.get(host).status == 502
    assert wire.get(host).status == 502  # on the same connection


def test_the_next_target_is_tried(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    host = proxy.route(dead_target(), upstream(constant(answer())).target, dead_target())
    body = "Content-Length: 2\r\n\r\nhi"
    for _ in range(6):
        wire.send(f"POST / HTTP/1.1\r\nHost: {host}\r\n{body}".encode())
        assert wire.response().status == 200


def test_no_answer_in_time_is_504(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.head()

    server = upstream(serve)
    host = proxy.route(server.target, response_timeout=0.2)
    assert wire.get(host).status == 504
    assert proxy.in_flight(server.target) == 0


MALFORMED: dict[str, bytes] = {
    "not HTTP": b"hello\r\n\r\n",
    "HTTP/2.0": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/0.9": b"HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n",
    "status 99": b"HTTP/1.1 99 Low\r\nContent-Length: 0\r\n\r\n",
    "status 600": b"HTTP/1.1 600 High\r\nContent-Length: 0\r\n\r\n",
    "bare LF": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "folded line": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "control character": b"HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 0\r\n\r\n",
    "control character in the reason": b"HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "length and chunked": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "gzip coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx",
    "chunked in 1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "unasked upgrade": b"HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    "17 times 1xx": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 17 + answer(),
    "101 headers": b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 101 + b"Content-Length: 0\r\n\r\n",
    "huge head": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_response_is_502(proxy: Proxy, wire: Wire, upstream: Any, name: str) -> None:
    server = upstream(once(MALFORMED[name]))
    response = wire.get(proxy.route(server.target))
    assert response.status == 502
    assert len(server.seen) == 1
    assert proxy.in_flight(server.target) == 0


TRUNCATED: dict[str, bytes] = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "inside a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhello",
    "broken chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\n",
}


@pytest.mark.parametrize("version", ["1.1", "1.0"])
@pytest.mark.parametrize("name", TRUNCATED)
def test_an_early_end_is_visible(proxy: Proxy, wire: Wire, upstream: Any, name: str, version: str) -> None:
    started = threading.Event()

    def serve(conversation: Conversation) -> None:
        conversation.request()
        head, separator, rest = TRUNCATED[name].partition(b"\r\n\r\n")
        conversation.send(head + separator)
        started.wait(10)  # or the head would still be ours to replace by a 502
        conversation.send(rest)

    host = proxy.route(upstream(serve).target)
    wire.send(f"GET / HTTP/{version}\r\nHost: {host}\r\n\r\n".encode())
    with pytest.raises((Truncated, ConnectionResetError)):
        wire.socket.settimeout(10)
        while not wire._buffer:
            wire._fill()
        started.set()
        wire.response()


def test_a_reset_is_not_the_end_of_a_response(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    started = threading.Event()

    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(b"HTTP/1.1 200 OK\r\n\r\nhello")
        started.wait(10)
        conversation.reset()

    host = proxy.route(upstream(serve).target)
    wire.send(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    wire.head()
    assert wire.chunk() == b"hello"
    started.set()
    with pytest.raises((Truncated, ConnectionResetError)):
        wire.chunk()


def stale(conversation: Conversation) -> None:
    """The first connection answers once and is reset when it is asked again; later ones answer."""
    conversation.request()
    conversation.send(answer(b"first"))
    if conversation.number == 1:
        conversation.head()
        conversation.reset()
        return
    while True:
        conversation.request()
        conversation.send(answer(b"again"))


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS"])
def test_a_stale_connection_is_replaced(proxy: Proxy, wire: Wire, upstream: Any, method: str) -> None:
    server: Upstream = upstream(stale)
    host = proxy.route(server.target)
    wire.get(host)
    assert wire.get(host, method=method).status == 200
    assert [each.connection for each in server.seen] == [1, 1, 2]
    assert proxy.in_flight(server.target) == 0


def test_what_may_have_happened_is_not_done_twice(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    server: Upstream = upstream(stale)
    host = proxy.route(server.target)
    wire.get(host)
    wire.send(f"POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2\r\n\r\nhi".encode())
    assert wire.response().status == 502
    assert [each.method for each in server.seen] == ["GET", "POST"]


def test_a_fresh_connection_that_fails_is_not_retried(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    server = upstream(lambda conversation: conversation.head())
    assert wire.get(proxy.route(server.target)).status == 502
    assert len(server.seen) == 1


def test_bytes_behind_a_response_end_the_connection(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    """They must not become the answer to somebody else's request."""

    def serve(conversation: Conversation) -> None:
        while True:
            conversation.request()
            conversation.send(answer(b"mine") + answer(b"poison"))

    server = upstream(serve)
    host = proxy.route(server.target)
    assert [wire.get(host).body for _ in range(3)] == [b"mine"] * 3
    assert server.connections == 3


def test_bytes_on_an_idle_connection_end_it(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    may_poison, poisoned = threading.Event(), threading.Event()

    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(answer(b"mine"))
        if conversation.number == 1:
            may_poison.wait(10)
            conversation.send(answer(b"poison"))
            try:
                conversation.head()
            except (EOFError, ConnectionResetError):
                poisoned.set()

    host = proxy.route(upstream(serve).target)
    assert wire.get(host).body == b"mine"
    may_poison.set()
    assert poisoned.wait(3)  # less than an idle connection is kept for
    assert wire.get(host).body == b"mine"


@pytest.mark.parametrize("more", [b"", b"GET /another HTTP/1.1\r\nHost: any.example\r\n\r\n"])
def test_a_client_that_leaves_takes_its_request_along(proxy: Proxy, upstream: Any, more: bytes) -> None:
    """With another request in the queue nothing is read that would tell, so it is asked for."""
    asked, gone = threading.Event(), threading.Event()

    def serve(conversation: Conversation) -> None:
        conversation.request()
        asked.set()
        try:
            conversation.head()
        except (EOFError, ConnectionResetError):
            gone.set()

    server = upstream(serve)
    host = proxy.route(server.target)
    with Wire(proxy.port) as wire:
        wire.send(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert asked.wait(10)
        assert proxy.in_flight(server.target) == 1
        wire.send(more)
    assert gone.wait(10)
    wait_until(lambda: proxy.in_flight(server.target) == 0)


def test_a_client_that_closes_its_half_counts_as_gone(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    asked, gone = threading.Event(), threading.Event()

    def serve(conversation: Conversation) -> None:
        conversation.request()
        asked.set()
        try:
            conversation.head()
        except (EOFError, ConnectionResetError):
            gone.set()

    host = proxy.route(upstream(serve).target)
    wire.send(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert asked.wait(10)
    wire.socket.shutdown(socket.SHUT_WR)
    assert gone.wait(10)
    assert wire.closed()


def test_an_early_answer_reaches_a_client_that_still_sends(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.head()
        conversation.send(answer(b"too much", "413 Content Too Large", "Connection: close\r\n"))

    host = proxy.route(upstream(serve).target)
    wire.send(f"POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000000\r\n\r\n".encode())
    wire.send(b"x" * 10_000)
    response = wire.response()
    assert (response.status, response.body, response.get("connection")) == (413, b"too much", "close")
    assert wire.closed()


def test_an_early_answer_survives_the_reset_that_follows_it(proxy: Proxy, upstream: Any) -> None:
    """Who closes with unread data resets; the answer is there all the same, whichever of the two is seen first."""

    def serve(conversation: Conversation) -> None:
        conversation.head()
        conversation.send(answer(b"too much", "413 Content Too Large", "Connection: close\r\n"))

    host = proxy.route(upstream(serve).target)

    def send(wire: Wire) -> None:
        with suppress(OSError):
            wire.send(b"x" * 3_000_000)

    got = []
    for _ in range(40):
        with Wire(proxy.port) as wire:
            wire.send(f"POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 3000000\r\n\r\n".encode())
            sending = threading.Thread(target=send, args=(wire,))
            sending.start()
            got.append(wire.response().status)
            sending.join()
    assert got == [413] * 40


def test_a_connection_that_got_half_a_request_is_not_used_again(
    proxy: Proxy, wire: Wire, upstream: Any
) -> None:
    """What is sent next on it would be the other half."""

    def serve(conversation: Conversation) -> None:
        while True:
            conversation.head()
            conversation.send(answer(b"early"))

    server = upstream(serve)
    host = proxy.route(server.target)
    wire.send(f"POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 10\r\n\r\nhalf".encode())
    assert wire.response().get("connection") == "close"
    with Wire(proxy.port) as other:
        assert other.get(host).body == b"early"
    assert server.connections == 2
