"""HTTP/2 to clients over TLS: what passes, what waits for whom, and how it ends."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator

import pytest
from h2.errors import ErrorCodes

from tests.proxy.running import Proxy, wait_until
from tests.proxy.secure import HTTPS, certify
from tests.proxy.upstreams import Conversation, Handler, Upstream, answer, constant, echo
from tests.proxy.wire2 import Wire2

Start = Callable[[Handler], Upstream]
MEGABYTE = 1000000


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    running = Proxy(tmp_path_factory.mktemp("state"), *HTTPS)
    yield running
    running.stop()


@pytest.fixture
def serve(proxy: Proxy, upstream: Start) -> Callable[[Handler], Wire2]:
    """A client of an app with this handler."""

    def start(handler: Handler) -> Wire2:
        host = proxy.route(upstream(handler).target)
        certify(proxy, host)
        return Wire2(proxy.tls_port, host)

    return start


Serve = Callable[[Handler], Wire2]


def test_a_request_and_its_response(serve: Serve) -> None:
    with serve(echo) as wire:
        stream = wire.ask("/x?y", "POST", [(b"cookie", b"a=1"), (b"cookie", b"b=2")], end=False)
        wire.send(stream, b"hello", end=True)
        response = wire.answer(stream)
        seen = json.loads(response.body)
        told = {name.lower(): value for name, value in seen["headers"]}
        assert (response.status, seen["method"], seen["target"], seen["body"]) == (
            200,
            "POST",
            "/x?y",
            "hello",
        )
        assert (told["host"], told["cookie"]) == (wire.host, "a=1; b=2")
        assert (told["x-forwarded-proto"], told["x-forwarded-for"]) == ("https", "127.0.0.1")
        assert told["x-request-id"] == response.get("x-request-id")


def test_many_at_once(serve: Serve) -> None:
    with serve(echo) as wire:
        streams = [wire.ask(f"/{number}") for number in range(100)]
        for number, stream in enumerate(streams):
            assert json.loads(wire.answer(stream).body)["target"] == f"/{number}"


def test_a_large_upload_and_a_large_download(serve: Serve) -> None:
    def back(conversation: Conversation) -> None:
        conversation.send(answer(conversation.request().body))

    body = bytes(range(256)) * 20000
    with serve(back) as wire:
        stream = wire.ask("/", "POST", [(b"content-length", b"%d" % len(body))], end=False)
        wire.send(stream, body, end=True)
        assert hashlib.sha256(wire.answer(stream).body).digest() == hashlib.sha256(body).digest()


def test_events_come_when_they_are_sent(serve: Serve) -> None:
    seen = threading.Event()

    def events(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(3):
            conversation.send(b"4\r\none\n\r\n")
            assert seen.wait(10)
            seen.clear()
        conversation.send(b"0\r\nX-Sum: 3\r\n\r\n")

    with serve(events) as wire:
        stream = wire.ask(more=[(b"te", b"trailers")])
        for number in range(1, 4):
            while wire.answers[stream].body != b"one\n" * number:
                wire.read()
            seen.set()
        assert wire.answer(stream).trailers == [(b"x-sum", b"3")]


def test_interim_responses(serve: Serve) -> None:
    def continuing(conversation: Conversation) -> None:
        seen = conversation.head()
        conversation.send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        conversation.body(seen)
        conversation.send(answer(seen.body))

    with serve(continuing) as wire:
        stream = wire.ask("/", "POST", [(b"expect", b"100-continue")], end=False)
        while wire.answers[stream].interim != [100, 103]:
            wire.read()
        wire.send(stream, b"hello", end=True)
        assert wire.answer(stream).body == b"hello"


def test_a_client_that_does_not_read_a_stream_holds_only_its_target(serve: Serve) -> None:
    sent: list[int] = []

    def much(conversation: Conversation) -> None:
        while True:
            if conversation.request().target == "/small":
                conversation.send(answer())
                continue
            conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (100 * MEGABYTE))
            for _ in range(100):
                conversation.send(b"x" * MEGABYTE)
                sent.append(MEGABYTE)

    with serve(much) as wire:
        wire.h2.increment_flow_control_window(10 * MEGABYTE)  # of the connection
        large = wire.ask("/large")
        while len(wire.answers[large].body) < 65535:
            wire.read(widen=False)
        for _ in range(20):
            assert wire.get("/small").body == b"ok"
        assert sum(sent) < 50 * MEGABYTE
        assert len(wire.answers[large].body) == 65535


def test_an_upload_that_its_target_does_not_take_holds_nobody_else(serve: Serve) -> None:
    size, may_read = 20 * MEGABYTE, threading.Event()

    def slow(conversation: Conversation) -> None:
        while True:
            seen = conversation.head()
            if seen.target == "/quick":
                conversation.body(seen)
            else:
                assert may_read.wait(20)
                for _ in range(size // 10000):
                    conversation.exactly(10000)
            conversation.send(answer(seen.target.encode()))

    with serve(slow) as wire:
        stalled = wire.ask("/slow", "POST", [(b"content-length", b"%d" % size)], end=False)
        sent = 0
        while room := min(wire.h2.local_flow_control_window(stalled), 16384, size - sent):
            wire.h2.send_data(stalled, b"x" * room)
            wire.flush()
            sent += room
            wire.h2.ping(b"are you?")  # so that there is something to read
            wire.flush()
            wire.read()
        assert sent < size
        quick = wire.ask("/quick", "POST", end=False)
        wire.send(quick, b"x" * MEGABYTE, end=True)
        assert wire.answer(quick).body == b"/quick"
        may_read.set()
        wire.send(stalled, b"x" * (size - sent), end=True)
        assert wire.answer(stalled).body == b"/slow"


def test_a_response_that_is_cut_is_a_reset(serve: Serve) -> None:
    def cut(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")

    with serve(cut) as wire:
        for _ in range(2):
            response = wire.get()
            assert (response.body, response.ended, response.reset) == (
                b"hello",
                False,
                ErrorCodes.INTERNAL_ERROR,
            )


def test_a_request_that_is_taken_back_leaves_its_target(proxy: Proxy, upstream: Start) -> None:
    asked, left = threading.Event(), threading.Event()

    def waiting(conversation: Conversation) -> None:
        conversation.request()
        asked.set()
        try:
            conversation.exactly(1)
        except (EOFError, OSError):
            left.set()

    target = upstream(waiting).target
    host = proxy.route(target)
    certify(proxy, host)
    with Wire2(proxy.tls_port, host) as wire:
        stream = wire.ask()
        assert asked.wait(10)
        wire.h2.reset_stream(stream, ErrorCodes.CANCEL)
        wire.flush()
        assert left.wait(10)
        wait_until(lambda: proxy.in_flight(target) == 0)


def test_pages_of_our_own(proxy: Proxy, serve: Serve) -> None:
    with serve(echo) as wire:
        wire.host = "nobody.example"
        response = wire.get()
        assert response.status == 404
        assert f"Request: {response.get('x-request-id')}" in response.body.decode()
        wire.host = "a b"
        assert wire.get().status == 400


def test_a_body_that_is_too_large_is_413_and_the_connection_goes_on(proxy: Proxy, upstream: Start) -> None:
    host = proxy.route(upstream(constant(answer())).target, max_body=1000)
    certify(proxy, host)
    with Wire2(proxy.tls_port, host) as wire:
        said = wire.ask(method="POST", more=[(b"content-length", b"1001")], end=False)
        assert wire.answer(said).status == 413
        unsaid = wire.ask(method="POST", end=False)
        wire.send(unsaid, bytes(1001))
        assert wire.answer(unsaid).status == 413
        fits = wire.ask(method="POST", end=False)
        wire.send(fits, bytes(1000), end=True)
        assert wire.answer(fits).status == 200


def test_a_switch_is_seen_by_open_connections(proxy: Proxy, upstream: Start) -> None:
    host = proxy.route(upstream(constant(answer(b"blue"))).target, app="switching")
    certify(proxy, host)
    with Wire2(proxy.tls_port, host) as wire:
        assert wire.get().body == b"blue"
        proxy.route(upstream(constant(answer(b"green"))).target, app="switching", host=host)
        assert wire.get().body == b"green"


def test_draining(start_proxy: Callable[..., Proxy], upstream: Start) -> None:
    """The client is asked to stop, what is on its way is answered, and the program ends."""
    may_end = threading.Event()

    def waiting(conversation: Conversation) -> None:
        while True:
            if conversation.request().target == "/long":
                assert may_end.wait(20)
            conversation.send(answer())

    proxy = start_proxy(*HTTPS)
    host = proxy.route(upstream(waiting).target)
    certify(proxy, host)
    with Wire2(proxy.tls_port, host) as wire, Wire2(proxy.tls_port, host) as idle:
        assert wire.get("/short").status == 200
        long = wire.ask("/long")
        assert idle.get("/short").status == 200
        proxy.terminate()
        while len(wire.goaways) < 2:
            wire.read()
        assert wire.goaways == [(0, 2**31 - 1), (0, long)]
        assert idle.closed()
        assert idle.goaways == [(0, 2**31 - 1), (0, 1)]
        may_end.set()
        assert wire.answer(long).body == b"ok"
        assert wire.closed()
    proxy.wait()


def test_a_flood_ends_its_connection_and_no_other(serve: Serve) -> None:
    with serve(constant(answer())) as wire, Wire2(wire.socket.getpeername()[1], wire.host) as other:
        with pytest.raises((EOFError, ConnectionError)):
            for _ in range(1000):
                for _ in range(10):
                    stream = wire.ask()
                    wire.h2.reset_stream(stream)
                wire.h2.ping(b"are you?")
                wire.flush()
                wire.read()
        assert wire.goaways == [] or wire.goaways[0][0] == ErrorCodes.ENHANCE_YOUR_CALM
        assert other.get().body == b"ok"
