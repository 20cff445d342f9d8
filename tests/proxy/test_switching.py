"""The switch: atomic, without a failed request, and the old version can be waited for."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.proxy.running import Proxy, wait_until
from tests.proxy.upstreams import Conversation, answer, constant
from tests.proxy.wire import Wire


def test_no_request_fails_while_versions_change_under_load(proxy: Proxy, upstream: Any) -> None:
    servers = [upstream(constant(answer(b"v%d" % n))) for n in range(2)]
    host = proxy.route(servers[0].target, app="loaded")
    over = threading.Event()

    def load(method: str) -> Counter[tuple[int, bytes]]:
        got: Counter[tuple[int, bytes]] = Counter()
        with Wire(proxy.port) as wire:
            while not over.is_set():
                wire.send(f"{method} / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1\r\n\r\nx".encode())
                response = wire.response()
                got[response.status, response.body] += 1
        return got

    with ThreadPoolExecutor(8) as pool:
        loads = [pool.submit(load, method) for method in ("GET", "POST") * 4]
        for turn in range(1, 41):
            proxy.route(servers[turn % 2].target, host=host, app="loaded")
        over.set()
        total = sum((each.result() for each in loads), Counter())
    assert set(total) == {(200, b"v0"), (200, b"v1")}
    assert sum(total.values()) > 100


def test_after_the_put_no_new_request_goes_to_the_old_target(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    old, new = upstream(constant(answer(b"old"))), upstream(constant(answer(b"new")))
    host = proxy.route(old.target, app="switched")
    for _ in range(20):
        assert wire.get(host).body == b"old"
        proxy.route(new.target, host=host, app="switched")
        seen = len(old.seen)
        assert wire.get(host).body == b"new"
        assert len(old.seen) == seen
        proxy.route(old.target, host=host, app="switched")


def test_requests_in_flight_finish_on_the_old_target_and_can_be_awaited(proxy: Proxy, upstream: Any) -> None:
    asked, may_end = threading.Event(), threading.Event()

    def slow(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nold")
        asked.set()
        may_end.wait(20)
        conversation.send(b"old")

    old, new = upstream(slow), upstream(constant(answer(b"new")))
    host = proxy.route(old.target, app="drained")
    with Wire(proxy.port) as wire, Wire(proxy.port) as other, ThreadPoolExecutor(1) as pool:
        wire.send(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert asked.wait(10)
        body, none = {"targets": [old.target], "timeout": 20}, {old.target: 0}
        assert proxy.api("POST", "/v1/drain", body)[0] == 409
        proxy.route(new.target, host=host, app="drained")
        listed = {each["target"]: each for each in proxy.api("GET", "/v1/targets")[1]["targets"]}
        assert listed[old.target] == {
            "target": old.target,
            "in_flight": 1,
            "tunnels": 0,
            "routed": False,
            "healthy": True,
            "reason": None,
        }
        early = proxy.api("POST", "/v1/drain", {**body, "timeout": 0.1})
        assert early == (200, {"drained": False, "in_flight": {old.target: 1}, "tunnels": none})
        draining = pool.submit(proxy.api, "POST", "/v1/drain", body)
        assert other.get(host).body == b"new"
        assert not draining.done()
        may_end.set()
        assert wire.response().body == b"oldold"
        assert draining.result(10) == (200, {"drained": True, "in_flight": none, "tunnels": none})
        assert wire.get(host).body == b"new"


def test_idle_connections_to_an_old_target_are_closed(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    closed = threading.Event()

    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(answer())
        try:
            conversation.head()
        except (EOFError, ConnectionResetError):
            closed.set()

    host = proxy.route(upstream(serve).target, app="left")
    wire.get(host)
    proxy.route(upstream(constant(answer())).target, host=host, app="left")
    assert closed.wait(3)  # less than an idle connection is kept for


def test_switch_back(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    servers = [upstream(constant(answer(name))) for name in (b"one", b"two")]
    host = proxy.route(servers[0].target, app="back")
    proxy.route(servers[1].target, host=host, app="back", color="green", release="r2")
    assert wire.get(host).body == b"two"
    status, route = proxy.api("POST", "/v1/routes/test/back/switch-back")
    assert (status, route["color"], route["previous"]["color"]) == (200, "blue", "green")
    assert wire.get(host).body == b"one"


def test_a_deleted_host_is_unknown(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    host = proxy.route(upstream(constant(answer())).target)
    assert wire.get(host).status == 200
    assert proxy.api("DELETE", f"/v1/hosts/{host}")[0] == 200
    assert wire.get(host).status == 404


def test_a_request_that_waits_for_its_turn_goes_by_the_new_routes(
    proxy: Proxy, wire: Wire, upstream: Any
) -> None:
    asked, may_end = threading.Event(), threading.Event()

    def slow(conversation: Conversation) -> None:
        conversation.request()
        asked.set()
        may_end.wait(10)
        conversation.send(answer(b"old"))

    old, new = upstream(slow), upstream(constant(answer(b"new")))
    host = proxy.route(old.target, app="queued")
    wire.send(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode() * 2)
    assert asked.wait(10)
    proxy.route(new.target, host=host, app="queued")
    may_end.set()
    assert [wire.response().body for _ in range(2)] == [b"old", b"new"]
    wait_until(lambda: proxy.in_flight(old.target) == 0)
