"""What a request costs among 10 routes and among 10,000: the same ten asked for in turn, and all of them."""

from __future__ import annotations

import sys

from attrs import frozen
from loads.wrk import wrk
from peers.ours import with_routes
from peers.site import Site

from scenarios.throughput import Figures, measure, median

_SCRIPT = """
local number = 0
request = function()
  number = number %% %d + 1
  return 'GET / HTTP/1.1\\r\\nHost: h' .. number .. '.example\\r\\n\\r\\n'
end
"""


@frozen
class Routes:
    """A request among few routes and among many."""

    few: Figures
    among_many: Figures
    """The same few, asked for where there are many."""
    many: Figures

    @property
    def ratio(self) -> float:
        return self.among_many.cpu_us / self.few.cpu_us

    @property
    def ratio_in_turn(self) -> float:
        return self.many.cpu_us / self.few.cpu_us


def routes(site: Site, few: int, many: int, rounds: int, seconds: float) -> Routes:
    """Of ours. Both run and take turns; the routes lead to the same ten targets."""
    figures: list[list[Figures]] = [[], [], []]
    starts = [with_routes(hosts(few)), with_routes(hosts(many))]
    with site.proxies(starts) as (small, large):
        turns = ((small, few, few), (large, many, few), (large, many, many))
        for number in range(rounds):
            for found, (proxy, count, asked) in zip(figures, turns, strict=True):
                print(f"{asked} of {count} routes: round {number + 1} of {rounds}", file=sys.stderr)
                found.append(measure(wrk(script=_SCRIPT % asked), proxy, seconds))
    return Routes(*(median(found) for found in figures))


def hosts(count: int) -> list[str]:
    return [f"h{number}.example" for number in range(1, count + 1)]
