"""What goes through unchanged, what is added, what is taken away."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from tests.proxy.running import WORKERS, Proxy
from tests.proxy.upstreams import Conversation, answer, constant, echo
from tests.proxy.wire import Wire


@pytest.fixture
def echoed(proxy: Proxy, upstream: Any) -> str:
    return proxy.route(upstream(echo).target)


def seen(response: Any) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(response.body)
    shown["all"] = lambda name: [value for key, value in shown["headers"] if key.lower() == name.lower()]
    return shown


def test_path_query_and_host_go_on_as_they_came(wire: Wire, echoed: str) -> None:
    host = f"{echoed.upper()}:8080"
    shown = seen(wire.get(host, "/a%20b/../c?x=1&y=%2f"))
    assert shown["target"] == "/a%20b/../c?x=1&y=%2f"
    assert shown["all"]("host") == [host]


@pytest.mark.parametrize("spelling", ["{}", "{}.", "{}:80", "{}.:80", "{}:"])
def test_host_is_found_whatever_its_spelling(wire: Wire, echoed: str, spelling: str) -> None:
    assert wire.get(spelling.format(echoed.title())).status == 200


def test_unknown_host_is_404_and_the_connection_stays(wire: Wire, echoed: str) -> None:
    response = wire.get("nobody.example")
    assert (response.status, response.get("content-type")) == (404, "text/plain; charset=utf-8")
    assert wire.get(echoed).status == 200


def test_forwarded_headers_are_ours(proxy: Proxy, wire: Wire, echoed: str) -> None:
    lies = "X-Forwarded-For: 1.2.3.4\r\nx-forwarded-proto: https\r\nX-Forwarded-Host: bank.example\r\n"
    lies += "Forwarded: for=1.2.3.4\r\nX-Real-IP: 1.2.3.4\r\nX_Forwarded_For: 1.2.3.4\r\n"
    lies += "X-Forwarded-Scheme: https\r\nX-Forwarded-Anything: 1\r\n"
    shown = seen(wire.get(echoed, extra=lies))
    assert shown["all"]("x-forwarded-for") == ["127.0.0.1"]
    assert shown["all"]("x-forwarded-proto") == ["http"]
    assert shown["all"]("x-forwarded-host") == [echoed]
    assert shown["all"]("x-forwarded-port") == [str(proxy.port)]
    assert shown["all"]("x-real-ip") == ["127.0.0.1"]
    assert not shown["all"]("forwarded") + shown["all"]("x_forwarded_for")
    assert not shown["all"]("x-forwarded-scheme") + shown["all"]("x-forwarded-anything")


def test_forwarded_headers_are_believed_where_the_route_says_so(
    proxy: Proxy, wire: Wire, upstream: Any
) -> None:
    host = proxy.route(upstream(echo).target, forward_headers=True)
    told = "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: bank.example\r\n"
    shown = seen(wire.get(host, extra=told + "X-Real-IP: 1.2.3.4\r\n"))
    assert shown["all"]("x-forwarded-for") == ["1.2.3.4, 127.0.0.1"]
    assert shown["all"]("x-forwarded-proto") == ["https"]
    assert shown["all"]("x-forwarded-host") == ["bank.example"]
    assert shown["all"]("x-real-ip") == ["1.2.3.4"]


def test_hop_by_hop_headers_end_here(wire: Wire, echoed: str) -> None:
    extra = "Connection: keep-alive, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: timeout=5\r\nTE: gzip\r\n"
    extra += "Proxy-Authorization: Basic eA==\r\nX-Yours: 2\r\n"
    names = {name.lower() for name, _ in seen(wire.get(echoed, extra=extra))["headers"]}
    assert "x-yours" in names
    assert not names & {"connection", "x-mine", "keep-alive", "te", "proxy-authorization"}


@pytest.mark.parametrize(
    ("method", "left", "goes_on"), [("OPTIONS", "3", "2"), ("OPTIONS", "x", "x"), ("GET", "0", "0")]
)
def test_max_forwards_is_counted_for_options(
    wire: Wire, echoed: str, method: str, left: str, goes_on: str
) -> None:
    for _ in range(2):
        response = wire.get(echoed, "/", method, f"Max-Forwards: {left}\r\n")
    assert ["Max-Forwards", goes_on] in json.loads(response.body)["headers"]


def test_an_options_that_may_go_no_further_is_answered_here(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    server = upstream(echo)
    response = wire.get(proxy.route(server.target), "*", "OPTIONS", "Max-Forwards: 0\r\n")
    assert (response.status, response.get("content-length"), server.seen) == (200, "0", [])


def test_connection_can_not_take_our_headers_away(wire: Wire, echoed: str) -> None:
    shown = seen(wire.get(echoed, extra="Connection: X-Forwarded-For, Host\r\n"))
    assert shown["all"]("x-forwarded-for") == ["127.0.0.1"]
    assert shown["all"]("host") == [echoed]


def test_repeated_lines_stay_apart(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    server = upstream(constant(answer(extra="Set-Cookie: a=1; Path=/\r\nSet-Cookie: b=2\r\n")))
    response = wire.get(proxy.route(server.target), extra="Cookie: a=1\r\nCookie: b=2\r\n")
    assert response.all("set-cookie") == ["a=1; Path=/", "b=2"]
    assert server.seen[0].all("cookie") == ["a=1", "b=2"]


def test_response_headers_of_one_hop_end_here(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    extra = "Connection: keep-alive, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: timeout=5\r\nX-Yours: 2\r\n"
    response = wire.get(proxy.route(upstream(constant(answer(extra=extra))).target))
    names = {name.lower() for name, _ in response.headers}
    assert names == {"content-length", "x-yours", "date", "x-request-id"}


@pytest.mark.parametrize("size", [0, 1, 100_000])
@pytest.mark.parametrize("chunked", [True, False])
def test_request_bodies(wire: Wire, echoed: str, size: int, chunked: bool) -> None:
    body = b"x" * size
    head = f"POST / HTTP/1.1\r\nHost: {echoed}\r\n"
    if chunked:
        pieces = [body[at : at + 30_000] for at in range(0, size, 30_000)]
        framed = b"".join(b"%x;ext=1\r\n%b\r\n" % (len(each), each) for each in pieces)
        wire.send(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + framed + b"0\r\nTrailer: x\r\n\r\n")
    else:
        wire.send(f"{head}Content-Length: {size}\r\n\r\n".encode() + body)
    shown = seen(wire.response())
    assert len(shown["body"]) == size
    assert wire.get(echoed).status == 200


FRAMINGS = {
    "length": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", False),
    "chunked": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        False,
    ),
    "until close": (b"HTTP/1.1 200 OK\r\n\r\nhello", True),
    "1.0": (b"HTTP/1.0 200 OK\r\n\r\nhello", True),
    "1.0 with length": (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", True),
}


@pytest.mark.parametrize("name", FRAMINGS)
def test_response_framings(proxy: Proxy, wire: Wire, upstream: Any, name: str) -> None:
    response, closes = FRAMINGS[name]

    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(response)
        if not closes:
            conversation.request()
            conversation.send(response)

    host = proxy.route(upstream(serve).target)
    assert [wire.get(host).body for _ in range(2)] == [b"hello"] * 2


@pytest.mark.parametrize(
    ("method", "response", "length"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "5"),
        ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", None),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", None),
        ("GET", b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", None),  # RFC 9110 section 8.6
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: x\r\n\r\n", "5"),
        ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "0"),
    ],
)
def test_responses_without_body(
    proxy: Proxy, wire: Wire, upstream: Any, method: str, response: bytes, length: str | None
) -> None:
    server = upstream(constant(response))
    host = proxy.route(server.target)
    for _ in range(3):
        got = wire.get(host, method=method)
        assert (got.get("content-length"), got.get("transfer-encoding")) == (length, None)
    assert server.connections == 1


def test_http_1_0_clients(proxy: Proxy, upstream: Any) -> None:
    host = proxy.route(upstream(constant(FRAMINGS["chunked"][0])).target)
    with Wire(proxy.port) as wire:
        wire.send(f"GET / HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
        response = wire.response()  # no chunks: the end of the connection is the end
        assert (response.body, response.get("connection")) == (b"hello", "close")


def test_http_1_0_keep_alive(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    host = proxy.route(upstream(constant(answer())).target)
    for _ in range(2):
        wire.send(f"GET / HTTP/1.0\r\nHost: {host}\r\nConnection: keep-alive\r\n\r\n".encode())
        assert wire.response().get("connection") == "keep-alive"


def test_connection_close_is_honoured(wire: Wire, echoed: str) -> None:
    response = wire.get(echoed, extra="Connection: close\r\n")
    assert response.get("connection") == "close"
    assert wire.closed()


def test_absolute_form_names_the_host(wire: Wire, echoed: str) -> None:
    wire.send(f"GET http://{echoed}/x?y HTTP/1.1\r\nHost: other.example\r\n\r\n".encode())
    shown = seen(wire.response())
    assert (shown["target"], shown["all"]("host")) == ("/x?y", [echoed])


def test_upstream_connections_are_reused(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    server = upstream(echo)
    host = proxy.route(server.target)
    for _ in range(5):
        wire.get(host)
    for _ in range(20):
        with Wire(proxy.port) as other:
            other.get(host)
    assert server.connections <= WORKERS  # each has its own


def test_round_robin(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    servers = [upstream(constant(answer(name))) for name in (b"a", b"b", b"c")]
    host = proxy.route(*(server.target for server in servers))
    assert b"".join(wire.get(host).body for _ in range(9)) in (b"abc" * 3, b"bca" * 3, b"cab" * 3)


def test_pipelined_requests_are_answered_in_order(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    first_may_end = threading.Event()

    def serve(conversation: Conversation) -> None:
        while True:
            request = conversation.request()
            if request.target == "/0":
                first_may_end.wait(10)
            conversation.send(answer(request.target.encode() + request.body))

    host = proxy.route(upstream(serve).target)
    requests = [f"POST /{n} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1\r\n\r\n{n % 10}" for n in range(50)]
    requests.insert(20, "GET /lost HTTP/1.1\r\nHost: nobody.example\r\n\r\n")
    wire.send("".join(requests).encode())
    first_may_end.set()
    bodies = [wire.response().body.decode() for _ in requests]
    assert bodies.pop(20).startswith("404")
    assert bodies == [f"/{n}{n % 10}" for n in range(50)]


def test_expect_continue_reaches_the_upstream_and_its_answer_the_client(
    proxy: Proxy, wire: Wire, upstream: Any
) -> None:
    def serve(conversation: Conversation) -> None:
        request = conversation.head()
        assert request.get("expect") == "100-continue"
        conversation.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        conversation.body(request)
        conversation.send(answer(request.body))

    host = proxy.route(upstream(serve).target)
    wire.send(f"PUT / HTTP/1.1\r\nHost: {host}\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n".encode())
    assert wire.head().status == 100
    wire.send(b"body")
    assert wire.response().body == b"body"


def test_expectation_that_fails_ends_the_connection(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.head()
        conversation.send(answer(b"no", "417 Expectation Failed"))
        conversation.head()

    host = proxy.route(upstream(serve).target)
    wire.send(f"PUT / HTTP/1.1\r\nHost: {host}\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n".encode())
    response = wire.response()
    assert (response.status, response.get("connection")) == (417, "close")
    assert wire.closed()


def test_early_hints_are_relayed(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
    host = proxy.route(upstream(constant(hints + answer())).target)
    response = wire.get(host)
    assert [(each.status, each.get("link")) for each in response.interim] == [(103, "</a.css>; rel=preload")]
    assert response.body == b"ok"


def test_a_response_streams_while_it_is_made(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    got_first = threading.Event()

    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        assert got_first.wait(10)
        conversation.send(b"4\r\nlast\r\n0\r\n\r\n")

    host = proxy.route(upstream(serve).target)
    wire.send(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    wire.head()
    assert wire.chunk() == b"first"
    got_first.set()
    assert [wire.chunk(), wire.chunk()] == [b"last", b""]


def test_a_request_streams_while_it_is_made(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    got_first = threading.Event()

    def serve(conversation: Conversation) -> None:
        conversation.head()
        assert conversation.exactly(10) == b"5\r\nfirst\r\n"
        got_first.set()
        assert conversation.exactly(14) == b"4\r\nlast\r\n0\r\n\r\n"
        conversation.send(answer())

    host = proxy.route(upstream(serve).target)
    wire.send(f"POST / HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n".encode())
    assert got_first.wait(10)
    wire.send(b"4\r\nlast\r\n0\r\n\r\n")
    assert wire.response().status == 200
