"""One line of JSON for each request, on stdout, and nothing in it that nobody asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from tests.proxy.running import Proxy, wait_until
from tests.proxy.upstreams import answer, constant, dead_target
from tests.proxy.wire import Wire


def lines(proxy: Proxy, host: str) -> list[Any]:
    """The access log's of one host."""
    found = (json.loads(line) for line in tuple(proxy.lines) if line.startswith("{"))
    return [line for line in found if line["host"] == host]


def logged(proxy: Proxy, host: str, count: int) -> list[Any]:
    wait_until(lambda: len(lines(proxy, host)) >= count)
    return lines(proxy, host)


def test_a_line_for_each_request(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    target = upstream(constant(answer(b"12345"))).target
    host = proxy.route(target, app="logged", release="r7")
    response = wire.get(
        host, "/path?token=hunter2", extra="Authorization: Bearer hunter2\r\nCookie: hunter2\r\n"
    )
    (line,) = logged(proxy, host, 1)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert 0 < line.pop("first_byte") <= line.pop("seconds") < 20
    assert line == {
        "id": response.get("x-request-id"),
        "client": "127.0.0.1",
        "scheme": "http",
        "protocol": "HTTP/1.1",
        "host": host,
        "method": "GET",
        "path": "/path",
        "status": 200,
        "received": 0,
        "sent": 5,
        "target": target,
        "release": "r7",
        "app": "test/logged",
        "fate": "complete",
    }
    assert "hunter2" not in proxy.log


def test_what_a_route_asks_for(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    target = upstream(constant(answer())).target
    host = proxy.route(target, log_query=True, log_headers=["user-agent", "x-absent"])
    wire.get(host, "/path?a=1", extra='User-Agent: "quoted\\" \u00e9\r\nX-Other: 1\r\n')
    (line,) = logged(proxy, host, 1)
    assert (line["path"], line["headers"]) == ("/path?a=1", {"user-agent": '"quoted\\" \u00e9'})


def test_lines_of_requests_that_went_wrong(proxy: Proxy, upstream: Any) -> None:
    with Wire(proxy.port) as wire:
        wire.get("nobody.logged.example")
    (line,) = logged(proxy, "nobody.logged.example", 1)
    assert (line["status"], line["app"], line["target"], line["first_byte"]) == (404, None, None, None)
    with Wire(proxy.port) as wire:
        wire.send(b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert wire.response().status == 400
    wait_until(lambda: any('"fate":"refused"' in line for line in proxy.lines))


def test_no_line_is_missing_when_the_program_ends(start_proxy: Callable[..., Proxy], upstream: Any) -> None:
    proxy = start_proxy("--workers", "2")
    host = proxy.route(upstream(constant(answer())).target)
    for _ in range(20):
        with Wire(proxy.port) as wire:
            for _ in range(20):
                wire.get(host)
    proxy.terminate()
    proxy.wait()
    assert len(lines(proxy, host)) == 400


def test_off(start_proxy: Callable[..., Proxy], upstream: Any) -> None:
    proxy = start_proxy("--access-log", "off")
    host = proxy.route(upstream(constant(answer())).target)
    with Wire(proxy.port) as wire:
        wire.get(host)
    proxy.terminate()
    proxy.wait()
    assert lines(proxy, host) == []


def test_a_stdout_that_nobody_reads_stops_nothing(start_proxy: Callable[..., Proxy], upstream: Any) -> None:
    """Its pipe is full after 64 KB. What is too much then is dropped, and counted."""
    proxy = start_proxy("--workers", "1", "--limit", "log_buffer=100000")
    host = proxy.route(upstream(constant(answer())).target)
    with proxy.unread(), Wire(proxy.port) as wire:
        for _ in range(1000):
            assert wire.get(host).status == 200
            assert wire.get("nobody.example").status == 404
        dropped = "iop_proxy_access_log_dropped_lines_total"
        wait_until(lambda: proxy.metric(dropped) > 0)
        for number in range(30):  # the control process says more, too, than may still fit into the pipe
            proxy.route(dead_target(), host="told.example", app="told", release=f"{number:0120}")
    seen = (host, "nobody.example")
    wait_until(lambda: sum(len(lines(proxy, each)) for each in seen) + proxy.metric(dropped) == 2000)
