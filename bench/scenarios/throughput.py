"""CPU time for each request, and requests per second, as fast as a proxy can."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Sequence

from attrs import frozen
from loads.h2load import h2load
from loads.handshakes import handshakes
from loads.load import Load
from loads.websockets import websockets
from loads.wrk import wrk
from peers.proxy import Proxy

UPLOAD = "wrk.method = 'POST'; wrk.body = string.rep('x', 1000000)"

VARIED = """
local number = 0
request = function()
  number = number + 1
  return wrk.format("GET", "/varied?" .. number, {["X-Number"] = number})
end
"""
"""Neither a request nor its response was seen before."""


@frozen
class Scenario:
    """A load and what it is called."""

    title: str
    load: Load


SCENARIOS = {
    "http": Scenario("HTTP/1.1, 64 kept connections", wrk()),
    "new": Scenario("HTTP/1.1, a new connection for each request", wrk(close=True)),
    "tls": Scenario("HTTP/1.1 over TLS, 64 kept connections", wrk(tls=True)),
    "varied": Scenario("HTTP/1.1, 64 kept connections, no head like another", wrk(script=VARIED)),
    "handshake": Scenario("a full TLS handshake for each request", handshakes(resumed=False)),
    "resumed": Scenario("a resumed TLS handshake for each request", handshakes(resumed=True)),
    "h2": Scenario("HTTP/2 over TLS, 8 connections with 8 requests at once", h2load()),
    "download": Scenario("1 MB responses, 16 connections", wrk("/large", connections=16)),
    "upload": Scenario("1 MB uploads, 16 connections", wrk("/upload", script=UPLOAD, connections=16)),
    "websocket": Scenario("1,000 WebSockets, a message of 64 bytes back and forth", websockets(1000)),
}


@frozen
class Figures:
    """One round: microseconds of CPU time for each request, and requests per second."""

    cpu_us: float
    per_second: float


def compare(scenario: Scenario, proxies: Sequence[Proxy], rounds: int, seconds: float) -> dict[str, Figures]:
    """The median round of each proxy, by name. They take turns, so that noise hits all of them."""
    measured: dict[str, list[Figures]] = {each.name: [] for each in proxies}
    for each in proxies:
        scenario.load(each, 1)  # warm: connections, caches, Go's and Python's own
    for number in range(rounds):
        for each in proxies:
            print(f"{scenario.title}: round {number + 1} of {rounds}, {each.name}", file=sys.stderr)
            measured[each.name].append(measure(scenario.load, each, seconds))
    return {name: median(figures) for name, figures in measured.items()}


def measure(load: Load, proxy: Proxy, seconds: float) -> Figures:
    """One round."""
    time.sleep(0.1)  # what the round before left behind
    before = proxy.cpu()
    done = load(proxy, seconds)
    spent = proxy.cpu() - before if done.cpu is None else done.cpu
    return Figures(spent / done.count * 1e6, done.per_second)


def median(figures: Sequence[Figures]) -> Figures:
    return Figures(
        statistics.median(each.cpu_us for each in figures),
        statistics.median(each.per_second for each in figures),
    )
