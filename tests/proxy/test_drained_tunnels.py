"""Tunnels at a drain: they go on for its time, then they are closed; what they were is in the access log."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.proxy.running import Proxy, wait_until
from tests.proxy.upstreams import Conversation, Handler, Upstream
from tests.proxy.wire import Wire

Start = Callable[[Handler], Upstream]
DRAIN_TIME = 3.0


def repeat(conversation: Conversation) -> None:
    """Accepts a WebSocket and sends back whatever comes; without an offer, a head and then nothing."""
    if conversation.request().get("upgrade") is None:
        conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
    else:
        conversation.send(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        )
    while True:
        conversation.send(conversation.exactly(1))


@contextmanager
def tunnel(proxy: Proxy, host: str) -> Iterator[Wire]:
    with Wire(proxy.port) as wire:
        wire.send(
            f"GET /chat HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n".encode()
        )
        assert wire.head().status == 101
        yield wire


def goes_on(wire: Wire) -> bool:
    wire.send(b"x")
    return wire.exactly(1) == b"x"


def counts(proxy: Proxy, target: str) -> tuple[int, int]:
    """Its requests in flight and its tunnels."""
    listed = proxy.api("GET", "/v1/targets")[1]["targets"]
    return next(((each["in_flight"], each["tunnels"]) for each in listed if each["target"] == target), (0, 0))


def test_those_of_an_old_target_end_with_its_drain_and_no_others(proxy: Proxy, upstream: Start) -> None:
    old, new = upstream(repeat).target, upstream(repeat).target
    host = proxy.route(old, app="chat")
    drained: list[Any] = []

    def drain() -> None:
        drained.append(proxy.api("POST", "/v1/drain", {"targets": [old], "timeout": DRAIN_TIME}))

    with tunnel(proxy, host) as before:
        proxy.route(new, app="chat", host=host)
        with tunnel(proxy, host) as after:
            assert counts(proxy, old) == counts(proxy, new) == (1, 1)
            draining = threading.Thread(target=drain)
            draining.start()
            assert goes_on(before)
            assert before.closed()
            draining.join(20)
            left = {"drained": False, "in_flight": {old: 1}, "tunnels": {old: 1}}
            assert drained == [(200, left)]
            wait_until(lambda: counts(proxy, old) == (0, 0))
            assert goes_on(after)


def test_all_end_with_the_program(start_proxy: Callable[..., Proxy], upstream: Start) -> None:
    proxy = start_proxy("--drain-timeout", str(DRAIN_TIME))
    host = proxy.route(upstream(repeat).target)
    with tunnel(proxy, host) as wire, Wire(proxy.port) as other:
        other.send(f"GET /stuck HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert other.head().status == 200
        assert goes_on(wire)
        proxy.terminate()
        wait_until(lambda: "draining 1 connections" in proxy.log or "draining 2 connections" in proxy.log)
        assert goes_on(wire)
        assert wire.closed()
    proxy.wait()
    lines = [json.loads(line) for line in proxy.lines if line.startswith('{"time"') and host in line]
    said = {line["path"]: (line["status"], line["received"], line["sent"], line["fate"]) for line in lines}
    assert said == {"/chat": (101, 2, 2, "complete"), "/stuck": (200, 0, 5, "client gone")}
