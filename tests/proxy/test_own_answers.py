"""What the proxy says by itself: its pages, maintenance, limits of bodies, and the request's id everywhere."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from tests.proxy.running import Proxy
from tests.proxy.upstreams import Conversation, answer, constant, dead_target, echo
from tests.proxy.wire import Response, Wire

ID = re.compile(r"[0-9a-f]{32}")


def late(conversation: Conversation) -> None:
    conversation.request()
    conversation.head()


def post(host: str, framing: str) -> bytes:
    return f"POST / HTTP/1.1\r\nHost: {host}\r\n{framing}\r\n".encode()


@pytest.mark.parametrize("status", [404, 502, 504])
def test_pages_are_small_and_carry_the_id(proxy: Proxy, wire: Wire, upstream: Any, status: int) -> None:
    host = {
        404: lambda: "nobody.example",
        502: lambda: proxy.route(dead_target()),
        504: lambda: proxy.route(upstream(late).target, response_timeout=0.1),
    }[status]()
    response = wire.get(host)
    identity = response.get("x-request-id")
    assert response.status == status
    assert identity is not None and ID.fullmatch(identity)
    assert response.get("content-type") == "text/plain; charset=utf-8"
    assert response.get("cache-control") == "no-store"
    assert len(response.body) < 200
    assert identity.encode() in response.body
    assert wire.get(host, method="HEAD").body == b""


def test_ids_are_made_and_told_to_both_sides(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    server = upstream(constant(answer(extra="X-Request-ID: the app's own\r\n")))
    host = proxy.route(server.target)
    told = [wire.get(host).all("x-request-id") for _ in range(3)]
    assert told == [seen.all("x-request-id") for seen in server.seen]
    assert all(ID.fullmatch(identity) for (identity,) in told)
    assert len({identity for (identity,) in told}) == 3


def test_a_valid_id_is_passed_on(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    server = upstream(constant(answer()))
    response = wire.get(proxy.route(server.target), extra="X-Request-ID: Ab-1_2.3\r\n")
    assert (response.all("x-request-id"), server.seen[0].all("x-request-id")) == (["Ab-1_2.3"],) * 2


@pytest.mark.parametrize("invalid", ["", "a b", "a" * 129, "a,b", '"a"', "é"])
def test_an_invalid_id_is_replaced(proxy: Proxy, wire: Wire, upstream: Any, invalid: str) -> None:
    server = upstream(constant(answer()))
    response = wire.get(proxy.route(server.target), extra=f"X-Request-ID: {invalid}\r\n")
    (identity,) = server.seen[0].all("x-request-id")
    assert ID.fullmatch(identity)
    assert response.all("x-request-id") == [identity]


def test_maintenance(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    server = upstream(constant(answer()))
    host = proxy.route(server.target, app="shop")
    page = "<h1>Back soon. Wir sind gleich zurück</h1>"
    assert proxy.api("PUT", "/v1/routes/test/shop/maintenance", {"page": page})[0] == 200
    response = wire.get(host, "/any/path")
    assert (response.status, response.body.decode()) == (503, page)
    assert response.get("content-type") == "text/html; charset=utf-8"
    assert int(response.get("retry-after") or 0) > 0
    head = wire.get(host, method="HEAD")
    assert (head.status, head.get("content-length")) == (503, str(len(page.encode())))
    wire.send(post(host, "Content-Length: 1000000\r\n"))  # nobody takes it
    assert wire.response().status == 503
    assert wire.closed()
    assert server.seen == []
    assert proxy.api("DELETE", "/v1/routes/test/shop/maintenance")[0] == 200
    with Wire(proxy.port) as again:
        assert again.get(host).status == 200


# Bodies


def test_a_body_that_says_it_is_too_large_is_not_sent_on(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    server = upstream(echo)
    host = proxy.route(server.target, max_body=10)
    wire.send(post(host, "Content-Length: 10\r\n") + b"x" * 10)
    assert wire.response().status == 200
    wire.send(post(host, "Content-Length: 11\r\nExpect: 100-continue\r\n"))
    response = wire.response()
    assert (response.status, response.interim, response.get("connection")) == (413, [], "close")
    assert wire.closed()
    assert len(server.seen) == 1


def test_a_body_that_turns_out_too_large_is_cut(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    got: list[bytes] = []
    first, gone = threading.Event(), threading.Event()

    def serve(conversation: Conversation) -> None:
        conversation.head()
        got.append(conversation.exactly(10))
        first.set()
        try:
            got.append(conversation.exactly(1))
        except (EOFError, ConnectionResetError):
            gone.set()

    server = upstream(serve)
    wire.send(post(proxy.route(server.target, max_body=9), "Transfer-Encoding: chunked\r\n"))
    wire.send(b"5\r\nhello\r\n")
    assert first.wait(10)
    wire.send(b"5\r\nworld\r\n")
    assert wire.response().status == 413
    assert wire.closed()
    assert gone.wait(10)
    assert got == [b"5\r\nhello\r\n"]
    assert proxy.in_flight(server.target) == 0


def test_a_chunked_body_may_be_as_large_as_is_allowed(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    host = proxy.route(upstream(echo).target, max_body=10)
    wire.send(post(host, "Transfer-Encoding: chunked\r\n") + b"5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n")
    assert wire.response().status == 200


def test_a_body_that_trickles_is_given_up(start_proxy: Callable[..., Proxy], upstream: Any) -> None:
    """Not the pause decides but the rate: each of these bytes comes in time."""
    over = threading.Event()

    def serve(conversation: Conversation) -> None:
        with suppress(EOFError, ConnectionResetError):
            conversation.request()

    proxy = start_proxy("--limit", "body_grace_time=0.5", "--limit", "body_rate=1000")
    host = proxy.route(upstream(serve).target)
    with Wire(proxy.port) as wire:
        wire.send(post(host, "Content-Length: 100000\r\n"))

        def trickle() -> None:
            with suppress(OSError):
                while not over.wait(0.05):
                    wire.send(b"x")

        sending = threading.Thread(target=trickle)
        sending.start()
        response = wire.response()
        over.set()
        sending.join()
        assert (response.status, response.get("connection")) == (408, "close")


def test_a_body_that_comes_fast_enough_may_take_long(
    start_proxy: Callable[..., Proxy], upstream: Any
) -> None:
    proxy = start_proxy("--limit", "body_grace_time=0.3", "--limit", "body_rate=100")
    host = proxy.route(upstream(echo).target, response_timeout=0.3)
    with Wire(proxy.port) as wire:
        wire.send(post(host, "Content-Length: 2000\r\n"))
        for _ in range(20):
            wire.send(b"x" * 100)
            threading.Event().wait(0.1)  # the time is what is tested
        assert wire.response().status == 200


def test_events_pass_one_by_one(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    """Server-sent events: every byte goes on when it comes."""
    got = threading.Semaphore(0)

    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        for byte in b"data: one\n\n":
            conversation.send(bytes([byte]))
            assert got.acquire(timeout=10)

    wire.send(f"GET / HTTP/1.1\r\nHost: {proxy.route(upstream(serve).target)}\r\n\r\n".encode())
    head: Response = wire.head()
    assert head.get("content-type") == "text/event-stream"
    for byte in b"data: one\n\n":
        assert wire.chunk() == bytes([byte])
        got.release()
    assert wire.chunk() == b""
