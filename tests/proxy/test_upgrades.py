"""WebSockets and whatever else two sides agree on with 101; and offers that nobody accepts."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.proxy.running import Proxy, wait_until
from tests.proxy.secure import HTTPS, SecureWire, certify, trusting
from tests.proxy.upstreams import Conversation, Handler, answer, echo
from tests.proxy.wire import Wire

OFFER = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
ACCEPTED = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Mine: 1\r\n\r\n"
)


def accepting(talk: Handler, accepted: bytes = ACCEPTED) -> Handler:
    """Switches, then talks; what came already is in the conversation's buffer."""

    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(accepted)
        talk(conversation)

    return serve


def repeat(conversation: Conversation) -> None:
    """Sends back whatever comes, and closes when the other side does."""
    while True:
        conversation.send(conversation.exactly(1))


def ask(host: str, extra: str = OFFER) -> bytes:
    return f"GET /chat HTTP/1.1\r\nHost: {host}\r\n{extra}\r\n".encode()


@pytest.mark.parametrize(
    "offer",
    [
        OFFER,
        "Upgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n",
        "connection: UPGRADE , keep-alive\r\nUPGRADE: websocket\r\n",
        "Connection: keep-alive\r\nConnection: upgrade\r\nUpgrade: websocket\r\n",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c, websocket\r\nHTTP2-Settings: AAMA\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n",
    ],
)
def test_bytes_go_both_ways_after_101(proxy: Proxy, wire: Wire, upstream: Any, offer: str) -> None:
    server = upstream(accepting(repeat))
    wire.send(ask(proxy.route(server.target), offer))
    head = wire.head()
    assert (head.status, head.get("x-mine"), head.get("upgrade")) == (101, "1", "websocket")
    assert (head.get("connection") or "").lower() == "upgrade"
    wire.send(b"\x81\x85\x00\x00\x00\x00hello")
    assert wire.exactly(11) == b"\x81\x85\x00\x00\x00\x00hello"
    (seen,) = server.seen
    assert [value.lower() for value in seen.all("upgrade")] == ["websocket"]
    assert [value.lower() for value in seen.all("connection")] == ["upgrade"]
    assert seen.all("http2-settings") == []


def test_any_protocol_will_do(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    accepted = b"HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: tcp\r\n\r\n"
    host = proxy.route(upstream(accepting(repeat, accepted)).target)
    wire.send(ask(host, "Connection: upgrade\r\nUpgrade: tcp, other/2\r\n"))
    assert wire.head().status == 101
    wire.send(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")  # it isn't HTTP any more
    assert wire.exactly(5) == b"GET /"


def test_nothing_that_came_early_is_lost(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    host = proxy.route(upstream(accepting(repeat, ACCEPTED + b"welcome")).target)
    wire.send(ask(host) + b"impatient")
    assert wire.head().status == 101
    assert wire.exactly(16) == b"welcomeimpatient"


def test_1xx_before_101(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    host = proxy.route(upstream(accepting(repeat, b"HTTP/1.1 103 Early Hints\r\n\r\n" + ACCEPTED)).target)
    wire.send(ask(host))
    assert [wire.head().status, wire.head().status] == [103, 101]


def test_each_direction_ends_by_itself(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    """Who has said everything may still listen."""
    heard = []

    def talk(conversation: Conversation) -> None:
        while data := conversation.socket.recv(100):
            heard.append(data)
        conversation.send(b"goodbye")

    server = upstream(accepting(talk))
    wire.send(ask(proxy.route(server.target)))
    wire.head()
    wire.send(b"that's all")
    wire.socket.shutdown(socket.SHUT_WR)
    assert wire.exactly(7) == b"goodbye"
    assert wire.closed()
    assert b"".join(heard) == b"that's all"
    wait_until(lambda: proxy.in_flight(server.target) == 0)


def test_the_upstream_may_end_first(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    last = threading.Event()

    def talk(conversation: Conversation) -> None:
        conversation.socket.shutdown(socket.SHUT_WR)
        if conversation.exactly(4) == b"last":
            last.set()

    wire.send(ask(proxy.route(upstream(accepting(talk)).target)))
    wire.head()
    assert wire.rest() == b""
    wire.send(b"last")
    assert last.wait(10)


def test_a_tunnel_is_in_flight_until_its_end(proxy: Proxy, upstream: Any) -> None:
    gone = threading.Event()

    def talk(conversation: Conversation) -> None:
        try:
            repeat(conversation)
        finally:
            gone.set()

    server = upstream(accepting(talk))
    with Wire(proxy.port) as wire:
        wire.send(ask(proxy.route(server.target)))
        wire.head()
        assert proxy.in_flight(server.target) == 1
    assert gone.wait(10)
    wait_until(lambda: proxy.in_flight(server.target) == 0)


def test_a_broken_side_breaks_the_other(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    def talk(conversation: Conversation) -> None:
        conversation.exactly(1)
        conversation.reset()

    wire.send(ask(proxy.route(upstream(accepting(talk)).target)))
    wire.head()
    wire.send(b"x")
    with pytest.raises(ConnectionResetError):
        wire.rest()


@pytest.mark.parametrize("reader", ["client", "upstream"])
def test_a_slow_side_slows_the_other_down(proxy: Proxy, upstream: Any, reader: str) -> None:
    size, may_read = 100_000_000, threading.Event()
    sent = [0]

    def send(connection: socket.socket) -> None:
        while sent[0] < size:
            connection.sendall(bytes(1_000_000))
            sent[0] += 1_000_000

    def receive(connection: Wire | Conversation) -> None:
        may_read.wait(30)
        for _ in range(size // 1_000_000):
            connection.exactly(1_000_000)
        connection.send(b"all")

    def talk(conversation: Conversation) -> None:
        if reader == "upstream":
            receive(conversation)
        else:
            send(conversation.socket)
            assert conversation.exactly(3) == b"all"

    def stands_still() -> bool:
        before = sent[0]
        threading.Event().wait(0.3)
        return 0 < before == sent[0]

    host = proxy.route(upstream(accepting(talk)).target)
    with Wire(proxy.port) as wire:
        wire.send(ask(host))
        wire.head()
        before = proxy.rss
        client = threading.Thread(
            target=lambda: send(wire.socket) if reader == "upstream" else receive(wire), daemon=True
        )
        client.start()
        wait_until(stands_still)
        assert sent[0] < size / 2
        assert proxy.rss - before < 12_000_000
        may_read.set()
        client.join(30)
        assert not client.is_alive()
        assert reader == "client" or wire.exactly(3) == b"all"


def test_over_https(start_proxy: Callable[..., Proxy], upstream: Any) -> None:
    gone = threading.Event()

    def talk(conversation: Conversation) -> None:
        try:
            repeat(conversation)
        finally:
            gone.set()

    proxy = start_proxy(*HTTPS)
    server = upstream(accepting(talk, ACCEPTED + b"welcome"))
    host = proxy.route(server.target)
    certify(proxy, host)
    data = bytes(range(256)) * 400
    with SecureWire(proxy.tls_port, host, trusting(alpn=("http/1.1",))) as wire:
        wire.send(ask(host) + b"impatient")
        assert wire.head().status == 101
        assert wire.exactly(16) == b"welcomeimpatient"
        wire.send(data)
        assert wire.exactly(len(data)) == data
    assert gone.wait(10)
    wait_until(lambda: proxy.in_flight(server.target) == 0)


# Offers that come to nothing


def test_an_answer_that_is_no_101_is_an_ordinary_one(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    host = proxy.route(upstream(echo).target)
    wire.send(ask(host) + f"GET /2 HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert [json.loads(wire.response().body)["target"] for _ in range(2)] == ["/chat", "/2"]
    assert wire.get(host).status == 200


def test_426_says_which_protocol_is_wanted(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    required = answer(b"no", "426 Upgrade Required", "Connection: Upgrade\r\nUpgrade: websocket\r\n")
    response = wire.get(proxy.route(upstream(lambda each: (each.request(), each.send(required))).target))
    assert (response.get("upgrade"), response.get("connection")) == ("websocket", "Upgrade")


@pytest.mark.parametrize(
    "offer",
    [
        "Connection: Upgrade\r\nUpgrade: h2c\r\n",
        "Connection: Upgrade\r\nUpgrade: H2C, h2\r\n",
        "Connection: Upgrade\r\nUpgrade: HTTP/2.0\r\n",
        "Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMA\r\nUpgrade: h2c\r\n",
        "Upgrade: websocket\r\n",
        "Connection: Upgrade\r\n",
    ],
)
def test_no_offer_reaches_the_upstream(proxy: Proxy, wire: Wire, upstream: Any, offer: str) -> None:
    server = upstream(echo)
    host = proxy.route(server.target)
    wire.send(ask(host, offer) + f"GET /2 HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert [json.loads(wire.response().body)["target"] for _ in range(2)] == ["/chat", "/2"]
    assert not server.seen[0].all("upgrade") + server.seen[0].all("connection")


def test_http_1_0_can_not_upgrade(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    server = upstream(echo)
    wire.send(f"GET / HTTP/1.0\r\nHost: {proxy.route(server.target)}\r\n{OFFER}\r\n".encode())
    assert wire.response().status == 200
    assert server.seen[0].all("upgrade") == []


@pytest.mark.parametrize("protocol", ["h2c", "websocket"])
@pytest.mark.parametrize(
    "framed", ["Content-Length: 27\r\n\r\n{}", "Transfer-Encoding: chunked\r\n\r\n1b\r\n{}\r\n0\r\n\r\n"]
)
def test_the_body_of_an_offer_is_a_body(
    proxy: Proxy, wire: Wire, upstream: Any, protocol: str, framed: str
) -> None:
    """llhttp alone would take it for the next request. Java's client offers h2c with every request."""
    server = upstream(echo)
    host = proxy.route(server.target)
    body = "GET /smuggled HTTP/1.1\r\n\r\n+"
    offer = f"POST /1 HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n"
    wire.send((offer + framed.format(body) + f"GET /2 HTTP/1.1\r\nHost: {host}\r\n\r\n").encode())
    first, second = json.loads(wire.response().body), json.loads(wire.response().body)
    assert (first["target"], first["body"], second["target"]) == ("/1", body, "/2")
    assert server.seen[0].all("upgrade") == []


@pytest.mark.parametrize(
    ("offer", "accepted"),
    [
        ("", ACCEPTED),
        (OFFER, ACCEPTED.replace(b"Upgrade: websocket\r\n", b"")),
        (OFFER, ACCEPTED.replace(b"websocket", b"h2c")),
        (OFFER, ACCEPTED.replace(b"websocket", b"websocket, h2c")),
        ("Connection: Upgrade\r\nUpgrade: h2c\r\n", ACCEPTED.replace(b"websocket", b"h2c")),
        ("Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\nx", ACCEPTED),
    ],
)
def test_a_101_that_nobody_asked_for_is_502(
    proxy: Proxy, wire: Wire, upstream: Any, offer: str, accepted: bytes
) -> None:
    server = upstream(accepting(repeat, accepted))
    data = ask(proxy.route(server.target), offer)
    wire.send(data.removesuffix(b"\r\n") if b"\r\n\r\nx" in data else data)
    assert wire.response().status == 502
    assert proxy.in_flight(server.target) == 0


def test_a_silent_tunnel_is_closed_after_its_time(start_proxy: Callable[..., Proxy], upstream: Any) -> None:
    gone = threading.Event()

    def talk(conversation: Conversation) -> None:
        try:
            repeat(conversation)
        finally:
            gone.set()

    proxy = start_proxy("--limit", "tunnel_idle_time=0.5")
    server = upstream(accepting(talk))
    with Wire(proxy.port) as wire:
        wire.send(ask(proxy.route(server.target)))
        wire.head()
        for _ in range(10):
            wire.send(b"x")  # what is said prolongs it
            assert wire.exactly(1) == b"x"
            threading.Event().wait(0.1)  # the time is what is tested
        assert wire.closed()
    assert gone.wait(10)


def test_a_side_that_takes_nothing_ends_its_tunnel(start_proxy: Callable[..., Proxy], upstream: Any) -> None:
    """As long as it is full, nothing is silent: this has a time of its own."""
    gone = threading.Event()

    def flood(conversation: Conversation) -> None:
        try:
            while True:
                conversation.send(bytes(65536))
        finally:
            gone.set()

    proxy = start_proxy("--limit", "write_stall_time=0.5")
    server = upstream(accepting(flood))
    with Wire(proxy.port) as wire:
        wire.send(ask(proxy.route(server.target)))
        wire.head()
        assert gone.wait(20)
    wait_until(lambda: proxy.in_flight(server.target) == 0)
