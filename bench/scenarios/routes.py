"""What a request costs among 10 routes and among 10,000, all of them asked for in turn."""

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
    many: Figures

    @property
    def ratio(self) -> float:
        return self.many.cpu_us / self.few.cpu_us


def routes(site: Site, few: int, many: int, rounds: int, seconds: float) -> Routes:
    """Of ours. Both run and take turns; the routes lead to the same ten targets."""
    figures: dict[int, list[Figures]] = {few: [], many: []}
    starts = [with_routes(hosts(few)), with_routes(hosts(many))]
    with site.proxies(starts) as proxies:
        for number in range(rounds):
            for proxy, count in zip(proxies, (few, many), strict=True):
                print(f"{count} routes: round {number + 1} of {rounds}", file=sys.stderr)
                figures[count].append(measure(wrk(script=_SCRIPT % count), proxy, seconds))
    return Routes(median(figures[few]), median(figures[many]))


def hosts(count: int) -> list[str]:
    return [f"h{number}.example" for number in range(1, count + 1)]
