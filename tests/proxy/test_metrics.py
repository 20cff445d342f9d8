"""What Prometheus gets."""

from __future__ import annotations

from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any

import pytest

from tests.proxy.running import Proxy, kill_worker, wait_until
from tests.proxy.upstreams import Conversation, answer, constant, dead_target
from tests.proxy.wire import Wire

REQUESTS = "iop_proxy_requests_total"


@pytest.fixture
def counted(start_proxy: Callable[..., Proxy]) -> Proxy:
    """One whose counts are the test's alone."""
    return start_proxy("--workers", "2")


def ask(proxy: Proxy, host: str, times: int) -> None:
    """Each over a connection of its own, so that all workers have some."""
    for _ in range(times):
        with Wire(proxy.port) as wire:
            assert wire.get(host).status == 200


def test_requests_are_counted_over_all_workers_whoever_dies(counted: Proxy, upstream: Any) -> None:
    host = counted.route(upstream(constant(answer(b"12345"))).target, app="web")
    of_app = {"project": "test", "app": "web"}
    ask(counted, host, 40)
    assert counted.metric(REQUESTS, **of_app, status="2xx") == 40
    for _ in range(2):
        kill_worker(counted)
        assert counted.metric(REQUESTS, **of_app, status="2xx") == 40
    ask(counted, host, 10)
    assert counted.metric(REQUESTS, **of_app, status="2xx") == 50
    assert counted.metric("iop_proxy_sent_bytes_total", **of_app) == 250
    assert counted.metric("iop_proxy_request_duration_seconds_count", **of_app) == 50
    assert counted.metric("iop_proxy_first_byte_seconds_bucket", **of_app, le="+Inf") == 50
    assert counted.metric("iop_proxy_worker_restarts_total") == 2
    assert counted.metric("iop_proxy_workers") == 2


def test_what_did_not_go_well(counted: Proxy, upstream: Any) -> None:
    host = counted.route(dead_target(), upstream(constant(answer())).target, app="web")
    for _ in range(2):
        ask(counted, host, 1)
    with Wire(counted.port) as wire:
        assert wire.get("nobody.example").status == 404
    with Wire(counted.port) as wire:
        wire.send(b"GET / HTTP/1.1\r\n\r\n")
        assert wire.response().status == 400
    assert counted.metric(REQUESTS, project="", app="", status="4xx") == 1
    assert counted.metric("iop_proxy_requests_refused_total", status="400") == 1
    retries = counted.metric("iop_proxy_retries_total")
    assert retries == counted.metric("iop_proxy_upstream_connection_failures_total")
    assert retries in (1, 2)  # each worker has turns of its own


def test_the_present(counted: Proxy, upstream: Any) -> None:
    def slow(conversation: Conversation) -> None:
        conversation.request()
        conversation.exactly(1)

    server = upstream(slow)
    host = counted.route(server.target)
    with Wire(counted.port) as wire, Wire(counted.port) as other:
        other.get("nobody.example")
        wire.send(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        wait_until(lambda: counted.metric("iop_proxy_requests_in_flight", target=server.target) == 1)
        assert counted.metric("iop_proxy_connections", scheme="http", protocol="http1") == 2
        assert counted.metric("iop_proxy_target_healthy", target=server.target) == 1
    wait_until(lambda: counted.metric("iop_proxy_connections", scheme="http", protocol="http1") == 0)


def test_the_page_wants_the_token(proxy: Proxy) -> None:
    connection = HTTPConnection("127.0.0.1", proxy.admin_port, timeout=30)
    connection.request("GET", "/metrics")
    response = connection.getresponse()
    response.read()
    connection.close()
    assert response.status == 401
