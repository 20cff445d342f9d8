"""Memory without connections, and for each of 10,000 idle ones."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from attrs import frozen
from loads.idle import answers, held
from peers.site import Site, Start


@frozen
class Memory:
    """Bytes before, bytes for each connection, and how many connections still answered after the rest."""

    idle: int
    per_connection: float
    answered: int


def memory(
    site: Site, starts: Sequence[Start], connections: int, rest: float, tls: bool
) -> dict[str, Memory]:
    """By name, each started for this: memory once used isn't all given back.

    The connections are idle for ``rest`` seconds before each is asked for an answer again.
    """
    measured = {}
    for start in starts:
        with site.proxies([start]) as (proxy,):
            print(f"{connections} idle connections: {proxy.name}", file=sys.stderr)
            with held(proxy, 1, tls):  # what the first connection loads stays
                idle = proxy.memory()
            with held(proxy, connections, tls) as clients:
                time.sleep(rest)
                used = proxy.memory() - idle
                answered = sum(answers(client) for client in clients)
            measured[proxy.name] = Memory(idle, used / connections, answered)
    return measured
