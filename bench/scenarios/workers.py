"""What a second worker brings.

Where the load generator and the upstream share the cores with the proxy, requests per second can't double. What can
be seen there all the same: whether a request costs no more CPU time with two workers, and whether both do their share.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence

from attrs import frozen
from loads.wrk import wrk
from peers.site import Site, Start

from scenarios.throughput import Figures, measure, median

_LOAD = wrk(connections=128)


@frozen
class Scaling:
    """Two workers compared with one: requests per second, CPU time for each request; the part of the busier."""

    throughput: float
    cpu: float
    busier: float


def scaling(site: Site, starts: Sequence[Start], rounds: int, seconds: float) -> dict[str, Scaling]:
    """By name. Both sizes run and take turns."""
    found = {}
    for start in starts:
        with site.proxies([start], 1) as (one,), site.proxies([start], 2) as (two,):
            figures: dict[int, list[Figures]] = {1: [], 2: []}
            parts = []
            for number in range(rounds):
                print(f"one worker and two: round {number + 1} of {rounds}, {one.name}", file=sys.stderr)
                figures[1].append(measure(_LOAD, one, seconds))
                before = two.cpu_by_process()
                figures[2].append(measure(_LOAD, two, seconds))
                parts.append(_busier(before, two.cpu_by_process()))
        single, double = median(figures[1]), median(figures[2])
        found[one.name] = Scaling(
            double.per_second / single.per_second, double.cpu_us / single.cpu_us, statistics.median(parts)
        )
    return found


def _busier(before: dict[int, float], after: dict[int, float]) -> float:
    """The part of the busiest process in what the two busiest did."""
    first, second, *_ = [*sorted((after[pid] - before.get(pid, 0.0) for pid in after), reverse=True), 0.0]
    return first / max(first + second, 1e-9)
