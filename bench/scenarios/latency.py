"""How long requests take while a proxy has half of what it can do."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence

from loads.hey import Latency, hey
from loads.wrk import wrk
from peers.proxy import Proxy


def latency(proxies: Sequence[Proxy], rounds: int, seconds: float, tls: bool) -> dict[str, Latency]:
    """The median round of each, at half of its own requests per second."""
    measured: dict[str, list[Latency]] = {each.name: [] for each in proxies}
    for number in range(rounds):
        for each in proxies:
            kind = "HTTPS" if tls else "HTTP"
            print(f"latency over {kind}: round {number + 1} of {rounds}, {each.name}", file=sys.stderr)
            most = wrk(tls=tls)(each, seconds).per_second
            measured[each.name].append(hey(each, seconds, most / 2, tls))
    return {name: median(figures) for name, figures in measured.items()}


def median(figures: Sequence[Latency]) -> Latency:
    return Latency(
        statistics.median(each.p50 for each in figures),
        statistics.median(each.p99 for each in figures),
        statistics.median(each.per_second for each in figures),
    )
