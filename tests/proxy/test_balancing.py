"""Several targets for one app: whose turn it is, who is left out, and who comes back."""

from __future__ import annotations

import resource
import socket
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.proxy.running import Proxy, kill_worker, wait_until
from tests.proxy.upstreams import Conversation, Handler, Upstream, answer, constant, dead_target
from tests.proxy.wire import Wire

CHECK = {"path": "/up", "interval": 0.05, "timeout": 1.0, "healthy": 2, "unhealthy": 2}


class Checked:
    """A server whose health checks get what ``status`` says, and everybody else its name."""

    def __init__(self, name: bytes) -> None:
        self.name = name
        self.status = "200 OK"
        self.checks: list[str | None] = []

    def __call__(self, conversation: Conversation) -> None:
        while True:
            seen = conversation.request()
            if seen.target == "/up":
                self.checks.append(seen.get("host"))
                conversation.send(answer(b"", self.status))
            else:
                conversation.send(answer(self.name))


def target_of(proxy: Proxy, target: str) -> Any:
    listed = proxy.api("GET", "/v1/targets")[1]["targets"]
    return next(each for each in listed if each["target"] == target)


def bodies(proxy: Proxy, host: str, count: int) -> Counter[bytes]:
    with Wire(proxy.port) as wire:
        return Counter(wire.get(host).body for _ in range(count))


def test_targets_take_turns(proxy: Proxy, upstream: Any) -> None:
    servers = [upstream(constant(answer(b"%d" % n))) for n in range(3)]
    host = proxy.route(*(each.target for each in servers))
    assert bodies(proxy, host, 9) == {b"0": 3, b"1": 3, b"2": 3}


def test_a_target_that_fails_its_checks_is_taken_out_and_put_back(proxy: Proxy, upstream: Any) -> None:
    checked = [Checked(b"one"), Checked(b"two")]
    one, two = (upstream(each) for each in checked)
    host = proxy.route(one.target, two.target, health_check=CHECK)
    assert set(bodies(proxy, host, 4)) == {b"one", b"two"}
    checked[0].status = "500 Internal Server Error"
    wait_until(lambda: not target_of(proxy, one.target)["healthy"])
    assert target_of(proxy, one.target)["reason"] == "answered 500"
    assert set(bodies(proxy, host, 10)) == {b"two"}
    checked[0].status = "200 OK"
    wait_until(lambda: target_of(proxy, one.target)["healthy"])
    assert set(bodies(proxy, host, 4)) == {b"one", b"two"}
    assert set(checked[0].checks) == {host}
    lines = [line for line in proxy.log.splitlines() if one.target in line and "answered 500" in line]
    assert len(lines) == 1


def test_with_every_target_down_the_answer_is_503(proxy: Proxy, upstream: Any) -> None:
    checked = Checked(b"one")
    checked.status = "500 Internal Server Error"
    server = upstream(checked)
    host = proxy.route(server.target, health_check=CHECK)
    wait_until(lambda: not target_of(proxy, server.target)["healthy"])
    with Wire(proxy.port) as wire:
        response = wire.get(host)
    assert (response.status, response.get("retry-after") is not None) == (503, True)
    assert "/" not in {seen.target for seen in server.seen}


def test_a_new_target_is_healthy_and_an_old_one_forgotten(proxy: Proxy, upstream: Any) -> None:
    sick = Checked(b"sick")
    sick.status = "500 Internal Server Error"
    old, new = upstream(sick), upstream(Checked(b"new"))
    host = proxy.route(old.target, app="forgotten", health_check=CHECK)
    wait_until(lambda: not target_of(proxy, old.target)["healthy"])
    proxy.route(new.target, host=host, app="forgotten", health_check=CHECK)
    assert bodies(proxy, host, 1) == {b"new": 1}
    proxy.route(old.target, host=host, app="forgotten")  # without checks: nothing is known against it
    assert bodies(proxy, host, 4) == {b"sick": 4}


def test_a_worker_that_comes_later_knows_what_is_down(
    start_proxy: Callable[..., Proxy], upstream: Any
) -> None:
    proxy = start_proxy("--workers", "1")
    checked = [Checked(b"one"), Checked(b"two")]
    one, two = (upstream(each) for each in checked)
    host = proxy.route(one.target, two.target, health_check=CHECK)
    checked[0].status = "500 Internal Server Error"
    wait_until(lambda: not target_of(proxy, one.target)["healthy"])
    kill_worker(proxy)
    assert set(bodies(proxy, host, 6)) == {b"two"}


def test_what_could_not_be_connected_goes_to_another_target_and_nothing_else_does(
    proxy: Proxy, upstream: Any
) -> None:
    def rude(conversation: Conversation) -> None:
        conversation.request()

    living, broken = upstream(constant(answer(b"ok"))), upstream(rude)
    with_dead = proxy.route(dead_target(), living.target)
    with Wire(proxy.port) as wire:
        for _ in range(10):
            wire.send(f"POST / HTTP/1.1\r\nHost: {with_dead}\r\nContent-Length: 4\r\n\r\nbody".encode())
            assert wire.response().body == b"ok"
    assert [seen.body for seen in living.seen] == [b"body"] * 10
    living.seen.clear()
    with_broken = proxy.route(broken.target, living.target)
    statuses = Counter[int]()
    for _ in range(8):
        with Wire(proxy.port) as wire:
            wire.send(f"POST / HTTP/1.1\r\nHost: {with_broken}\r\nContent-Length: 4\r\n\r\nbody".encode())
            statuses[wire.response().status] += 1
    assert statuses == {502: len(broken.seen), 200: len(living.seen)}
    assert statuses.total() == 8


def test_a_target_that_can_not_be_reached_gets_no_request_until_a_trial_succeeds(
    start_proxy: Callable[..., Proxy], upstream: Any
) -> None:
    proxy = start_proxy("--workers", "1", "--limit", "eject_time=0.5", "--limit", "eject_failures=2")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    living = upstream(constant(answer(b"living")))
    host = proxy.route(f"127.0.0.1:{port}", living.target)
    assert bodies(proxy, host, 6) == {b"living": 6}
    failures = "iop_proxy_upstream_connection_failures_total"
    wait_until(lambda: proxy.metric(failures) >= 2)
    server = Upstream(constant(answer(b"back")), port=port)
    try:
        with Wire(proxy.port) as wire:
            wait_until(lambda: wire.get(host).body == b"back")
        assert set(bodies(proxy, host, 4)) == {b"living", b"back"}
    finally:
        server.stop()


def test_an_app_whose_only_target_can_not_be_reached_is_503_and_comes_back(
    start_proxy: Callable[..., Proxy],
) -> None:
    proxy = start_proxy("--workers", "1", "--limit", "eject_retry=0.5")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    host = proxy.route(f"127.0.0.1:{port}")
    with Wire(proxy.port) as wire:
        responses = [wire.get(host) for _ in range(4)]
        assert [each.status for each in responses] == [502, 502, 502, 503]
        assert responses[-1].get("retry-after") is not None
        server = Upstream(constant(answer(b"back")), port=port)
        try:
            wait_until(lambda: wire.get(host).body == b"back")
            assert bodies(proxy, host, 5) == {b"back": 5}
        finally:
            server.stop()


def test_least_connections(start_proxy: Callable[..., Proxy], upstream: Any) -> None:
    """Whoever is busy gets nothing while another one isn't."""
    proxy = start_proxy("--workers", "1")
    may_end = threading.Event()
    asked: list[bytes] = []

    def serve(name: bytes) -> Handler:
        def handle(conversation: Conversation) -> None:
            while True:
                seen = conversation.request()
                if seen.target == "/slow":
                    asked.append(name)
                    may_end.wait(20)
                conversation.send(answer(name))

        return handle

    servers = [upstream(serve(name)) for name in (b"a", b"b", b"c")]
    host = proxy.route(*(each.target for each in servers), balance="least-connections")
    with ExitStack() as stack:
        slow = [stack.enter_context(Wire(proxy.port)) for _ in range(2)]
        for number, wire in enumerate(slow, 1):
            wire.send(f"GET /slow HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            wait_until(lambda number=number: len(asked) == number)
        assert len(set(asked)) == 2
        (free,) = {b"a", b"b", b"c"} - set(asked)
        assert bodies(proxy, host, 6) == {free: 6}
        may_end.set()
        assert [wire.response().status for wire in slow] == [200, 200]
    wait_until(lambda: all(proxy.in_flight(each.target) == 0 for each in servers))
    assert set(bodies(proxy, host, 6)) == {b"a", b"b", b"c"}


def test_a_proxy_without_descriptors_does_not_blame_its_targets(
    start_proxy: Callable[..., Proxy], upstream: Any
) -> None:
    proxy = start_proxy("--workers", "1", "--limit", "eject_retry=20")
    host = proxy.route(upstream(constant(answer())).target)
    (pid,) = proxy.workers
    with Wire(proxy.port) as wire:
        assert wire.get("nobody.example").status == 404
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(
            pid, resource.RLIMIT_NOFILE, (len(list(Path(f"/proc/{pid}/fd").iterdir())), before[1])
        )
        assert [wire.get(host).status for _ in range(5)] == [502] * 5
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        assert wire.get(host).status == 200
