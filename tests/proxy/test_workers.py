"""The processes: what happens when one of them ends, hangs, or is told to end."""

from __future__ import annotations

import os
import resource
import signal
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.proxy.running import Proxy, wait_until
from tests.proxy.upstreams import Conversation, answer, constant
from tests.proxy.wire import Truncated, Wire

Start = Callable[..., Proxy]


def states(proxy: Proxy) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = proxy.api("GET", "/v1/workers")[1]["workers"]
    return listed


@contextmanager
def wires_to_all(proxy: Proxy, each: int = 5) -> Iterator[list[Wire]]:
    """Connections, at least so many to each worker."""
    with ExitStack() as stack:
        wires: list[Wire] = []
        while min(state["connections"] for state in states(proxy)) < each:
            assert len(wires) < 1000
            wires += [stack.enter_context(Wire(proxy.port)) for _ in range(10)]
        yield wires


def restarted(proxy: Proxy, times: int) -> bool:
    """Whether the first worker was replaced so often, and all serve."""
    return [(each["restarts"], each["state"]) for each in states(proxy)] == [
        (times, "serving"),
        (0, "serving"),
    ]


def gone(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_what_is_said_of_them(start_proxy: Start) -> None:
    proxy = start_proxy("--workers", "3")
    listed = states(proxy)
    assert [set(each) for each in listed] == [{"number", "pid", "state", "connections", "restarts"}] * 3
    assert [each["number"] for each in listed] == [0, 1, 2]
    assert len({each["pid"] for each in listed} - {proxy.process.pid}) == 3
    assert {(each["state"], each["restarts"]) for each in listed} == {("serving", 0)}


def test_a_switch_is_over_when_all_workers_route_by_it(proxy: Proxy, upstream: Any) -> None:
    servers = [upstream(constant(answer(b"v%d" % n))) for n in range(2)]
    host = proxy.route(servers[0].target, app="everywhere")
    with wires_to_all(proxy) as wires:
        for turn in range(1, 21):
            proxy.route(servers[turn % 2].target, host=host, app="everywhere")
            for wire in wires:
                wire.send(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            assert {wire.response().body for wire in wires} == {b"v%d" % (turn % 2)}


def test_a_killed_worker_is_replaced_and_nobody_is_refused(start_proxy: Start, upstream: Any) -> None:
    """What was under way in it is lost; whoever connects, before or after, is served by the routes in force."""
    proxy = start_proxy()
    host = proxy.route(upstream(constant(answer())).target)
    over = threading.Event()

    def load() -> Counter[str]:
        got: Counter[str] = Counter()
        while not over.is_set():
            with Wire(proxy.port) as wire:  # never refused
                try:
                    got[str(wire.get(host).status)] += 1
                except (Truncated, ConnectionResetError, BrokenPipeError):
                    got["lost"] += 1
        return got

    with ThreadPoolExecutor(4) as pool:
        loads = [pool.submit(load) for _ in range(4)]
        for turn in range(1, 4):
            (victim,) = (each["pid"] for each in states(proxy) if each["number"] == 0)
            os.kill(victim, signal.SIGKILL)
            wait_until(partial(restarted, proxy, turn))
        over.set()
        total = sum((each.result() for each in loads), Counter())
    assert set(total) <= {"200", "lost"}
    assert total["lost"] <= 3 * 4
    assert total["200"] > 20
    assert proxy.log.count("ended by SIGKILL") == 3


def test_who_waits_for_a_worker_that_dies_is_served_by_the_next(start_proxy: Start, upstream: Any) -> None:
    proxy = start_proxy("--workers", "1")
    host = proxy.route(upstream(constant(answer())).target)
    (pid,) = proxy.workers
    os.kill(pid, signal.SIGSTOP)
    with ExitStack() as stack:
        wires = [stack.enter_context(Wire(proxy.port)) for _ in range(100)]
        for wire in wires:
            wire.send(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        os.kill(pid, signal.SIGKILL)
        assert {wire.response().status for wire in wires} == {200}


def test_a_hung_worker_is_replaced_and_a_switch_still_answers(start_proxy: Start, upstream: Any) -> None:
    servers = [upstream(constant(answer(b"v%d" % n))) for n in range(2)]
    proxy = start_proxy()
    host = proxy.route(servers[0].target, app="hung")
    (hung,) = (each["pid"] for each in states(proxy) if each["number"] == 1)
    os.kill(hung, signal.SIGSTOP)
    proxy.route(servers[1].target, host=host, app="hung")
    wait_until(lambda: [each["state"] for each in states(proxy)] == ["serving"] * 2)
    assert hung not in proxy.workers
    with wires_to_all(proxy) as wires:
        assert {wire.get(host).body for wire in wires} == {b"v1"}


def test_a_worker_that_is_told_to_end_finishes_while_the_next_one_serves(
    start_proxy: Start, upstream: Any
) -> None:
    asked, may_end = threading.Event(), threading.Event()

    def slow(conversation: Conversation) -> None:
        conversation.request()
        asked.set()
        may_end.wait(20)
        conversation.send(answer(b"finished"))

    proxy = start_proxy("--workers", "1")
    slow_host, host = proxy.route(upstream(slow).target), proxy.route(upstream(constant(answer())).target)
    (old,) = proxy.workers
    with Wire(proxy.port) as busy:
        busy.send(f"GET / HTTP/1.1\r\nHost: {slow_host}\r\n\r\n".encode())
        assert asked.wait(10)
        os.kill(old, signal.SIGTERM)
        wait_until(lambda: sorted(each["state"] for each in states(proxy)) == ["leaving", "serving"])
        with Wire(proxy.port) as wire:
            assert wire.get(host).status == 200
        may_end.set()
        assert busy.response().body == b"finished"
    wait_until(lambda: old not in proxy.workers)
    assert gone(old)


def test_sigterm_drains_all_workers_and_leaves_nothing_behind(
    start_proxy: Start, upstream: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    may_end = threading.Event()

    def slow(conversation: Conversation) -> None:
        conversation.request()
        may_end.wait(20)
        conversation.send(answer(b"finished"))

    proxy = start_proxy()
    server = upstream(slow)
    host = proxy.route(server.target)
    with wires_to_all(proxy, each=3) as wires:
        for wire in wires:
            wire.send(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        wait_until(lambda: proxy.in_flight(server.target) == len(wires))
        assert list(tmp_path.glob("pymp-*"))
        proxy.terminate()
        wait_until(lambda: proxy.log.count("draining") == 2)
        may_end.set()
        assert {wire.response().body for wire in wires} == {b"finished"}
    proxy.wait()
    wait_until(lambda: proxy.family == [])
    assert list(tmp_path.glob("pymp-*")) == []
    with pytest.raises(ConnectionRefusedError):
        Wire(proxy.port)


def test_a_signal_to_all_processes_at_once_is_one_to_end(start_proxy: Start, upstream: Any) -> None:
    """What a terminal or a service manager does."""
    proxy = start_proxy()
    host = proxy.route(upstream(constant(answer())).target)
    with Wire(proxy.port) as wire:
        assert wire.get(host).status == 200
        os.killpg(proxy.process.pid, signal.SIGTERM)
        proxy.wait()
    wait_until(lambda: proxy.family == [])


def test_workers_end_with_the_control_process(start_proxy: Start, upstream: Any) -> None:
    """Whoever they serve gets an answer first."""
    asked, may_end = threading.Event(), threading.Event()

    def slow(conversation: Conversation) -> None:
        conversation.request()
        asked.set()
        may_end.wait(20)
        conversation.send(answer(b"finished"))

    proxy = start_proxy()
    host = proxy.route(upstream(slow).target)
    with Wire(proxy.port) as wire:
        wire.send(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert asked.wait(10)
        proxy.process.kill()
        proxy.process.wait(10)
        may_end.set()
        assert wire.response().body == b"finished"
    proxy.wait()
    wait_until(lambda: proxy.family == [])


def test_ten_thousand_idle_connections_are_held(start_proxy: Start, upstream: Any) -> None:
    count = 10_000
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < count + 1000:
        pytest.skip("the system doesn't allow so many open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    proxy = start_proxy("--limit", "connections_per_address=20000", "--limit", "head_time=600")
    host = proxy.route(upstream(constant(answer())).target)
    with ExitStack() as stack:
        idle = [
            stack.enter_context(socket.create_connection(("127.0.0.1", proxy.port))) for _ in range(count)
        ]
        wait_until(lambda: sum(each["connections"] for each in states(proxy)) == count)
        with Wire(proxy.port) as wire:
            assert wire.get(host).status == 200
        for each in idle[::100]:
            each.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        for each in idle[::100]:
            assert each.recv(65536).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("limit", ["connections", "connections_per_address"])
def test_one_connection_too_many_is_closed(start_proxy: Start, upstream: Any, limit: str) -> None:
    proxy = start_proxy("--workers", "1", "--limit", f"{limit}=3")
    host = proxy.route(upstream(constant(answer())).target)
    with ExitStack() as stack:
        wires = [stack.enter_context(Wire(proxy.port)) for _ in range(3)]
        assert [wire.get(host).status for wire in wires] == [200] * 3
        with Wire(proxy.port) as wire:
            assert wire.closed()
        wires[0].socket.close()
        wait_until(lambda: states(proxy)[0]["connections"] == 2)
        with Wire(proxy.port) as wire:
            assert wire.get(host).status == 200


def test_a_process_without_descriptors_left_serves_again_once_it_has_some(
    start_proxy: Start, upstream: Any
) -> None:
    proxy = start_proxy("--workers", "1")
    host = proxy.route(upstream(constant(answer())).target)
    (pid,) = proxy.workers
    used = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 20, used + 20))
    with ExitStack() as stack:
        wires = [stack.enter_context(Wire(proxy.port)) for _ in range(40)]
        assert wires[-1].closed()  # nobody is left to wait for ever
        assert 10 < states(proxy)[0]["connections"] < 40
    wait_until(lambda: states(proxy)[0]["connections"] == 0)
    with Wire(proxy.port) as wire:
        assert wire.get(host).status == 200
