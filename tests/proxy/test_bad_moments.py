"""Processes that end or are told to at a moment when something else is under way."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.proxy.running import Proxy, kill_worker, wait_until
from tests.proxy.test_upgrades import accepting, ask, repeat
from tests.proxy.upstreams import Conversation, Handler, answer, constant
from tests.proxy.wire import Wire

Start = Callable[..., Proxy]


class Slow:
    """A target that answers when it is allowed to."""

    def __init__(self, upstream: Callable[[Handler], Any]) -> None:
        self.asked, self.may_end = threading.Event(), threading.Event()
        self.target: str = upstream(self._serve).target

    def _serve(self, conversation: Conversation) -> None:
        conversation.request()
        self.asked.set()
        self.may_end.wait(20)
        conversation.send(answer(b"finished"))

    def ask(self, wire: Wire, host: str) -> None:
        """Over once it was asked."""
        wire.send(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert self.asked.wait(10)


def serving(proxy: Proxy) -> set[int]:
    """The workers that do."""
    listed = proxy.api("GET", "/v1/workers")[1]["workers"]
    return {each["pid"] for each in listed if each["state"] == "serving"}


def kill_forker(proxy: Proxy) -> None:
    """The process that forks the workers."""
    for pid in proxy.family:
        if b"multiprocessing.forkserver" in Path(f"/proc/{pid}/cmdline").read_bytes() and pid not in serving(
            proxy
        ):
            os.kill(pid, signal.SIGKILL)


def test_a_worker_that_dies_while_the_one_before_it_finishes_is_replaced(
    start_proxy: Start, upstream: Any
) -> None:
    proxy, slow = start_proxy("--workers", "1"), Slow(upstream)
    slow_host, host = proxy.route(slow.target), proxy.route(upstream(constant(answer())).target)
    with Wire(proxy.port) as busy:
        slow.ask(busy, slow_host)
        (first,) = serving(proxy)
        os.kill(first, signal.SIGTERM)
        wait_until(lambda: len(serving(proxy) - {first}) == 1)
        (second,) = serving(proxy)
        os.kill(second, signal.SIGKILL)
        with Wire(proxy.port) as wire:
            assert wire.get(host).status == 200
        slow.may_end.set()
        assert busy.response().body == b"finished"


def test_workers_outlive_who_forked_them(start_proxy: Start, upstream: Any) -> None:
    proxy, slow = start_proxy(), Slow(upstream)
    slow_host, host = proxy.route(slow.target), proxy.route(upstream(constant(answer())).target)
    with Wire(proxy.port) as busy:
        slow.ask(busy, slow_host)
        before = serving(proxy)
        kill_forker(proxy)
        with Wire(proxy.port) as wire:
            assert wire.get(host).status == 200
        assert serving(proxy) == before
        slow.may_end.set()
        assert busy.response().body == b"finished"
    kill_worker(proxy)  # and over once there is another one


def test_the_end_waits_for_workers_whoever_forked_them_is_gone(start_proxy: Start, upstream: Any) -> None:
    proxy, slow = start_proxy(), Slow(upstream)
    host = proxy.route(slow.target)
    with Wire(proxy.port) as busy:
        slow.ask(busy, host)
        kill_forker(proxy)
        proxy.terminate()
        wait_until(lambda: proxy.log.count("draining") == 2)
        assert proxy.process.poll() is None
        slow.may_end.set()
        assert busy.response().body == b"finished"
    proxy.wait()
    wait_until(lambda: proxy.family == [])


def test_a_second_signal_changes_nothing(start_proxy: Start, upstream: Any) -> None:
    """And is no error: a log with a traceback fails the test."""
    proxy, slow = start_proxy(), Slow(upstream)
    host = proxy.route(slow.target)
    with Wire(proxy.port) as busy:
        slow.ask(busy, host)
        proxy.terminate()
        wait_until(lambda: proxy.log.count("draining") == 2)
        for number in (signal.SIGTERM, signal.SIGINT):
            proxy.process.send_signal(number)
        slow.may_end.set()
        assert busy.response().body == b"finished"
    proxy.wait()


def test_tunnels_to_what_was_switched_back_to_stay(proxy: Proxy, wire: Wire, upstream: Any) -> None:
    """Though a drain of it, begun before, ends."""
    old, new = upstream(accepting(repeat)), upstream(constant(answer()))
    host = proxy.route(old.target, app="regretted")
    wire.send(ask(host))
    assert wire.head().status == 101
    proxy.route(new.target, host=host, app="regretted")
    with closing(HTTPConnection("127.0.0.1", proxy.admin_port, timeout=20)) as draining:
        token = (proxy.state / "admin.token").read_text().strip()
        body = json.dumps({"targets": [old.target], "timeout": 1})
        draining.request("POST", "/v1/drain", body, {"Authorization": f"Bearer {token}"})
        assert proxy.api("POST", "/v1/routes/test/regretted/switch-back")[0] == 200
        assert draining.getresponse().status == 200
    wire.send(b"hello")
    assert wire.exactly(5) == b"hello"


def test_nothing_is_left_of_a_worker(start_proxy: Start) -> None:
    """Not in the control process: of six workers that ended, at most what the one before them had left to close."""
    proxy = start_proxy("--workers", "1")
    descriptors = Path(f"/proc/{proxy.process.pid}/fd")
    kill_worker(proxy)
    before = len(list(descriptors.iterdir()))
    for _ in range(6):
        kill_worker(proxy)
    wait_until(lambda: len(list(descriptors.iterdir())) <= before)
