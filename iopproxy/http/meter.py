"""What a worker counts: requests by route, and what else happens. Plain integers; the control process adds them up."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from iopproxy.http.exchange import Exchange

__all__ = [
    "BOUNDS",
    "CONNECT",
    "CONNECTION",
    "CONNECT_FAILURE",
    "EJECTION",
    "HANDSHAKE",
    "LOG_DROP",
    "REFUSAL",
    "RETRY",
    "TURNED_AWAY",
    "Meter",
    "RouteCounts",
]

BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the histograms' buckets in seconds; a last bucket has no bound."""

CONNECTION: Final = "connection"
"""A client connected; its label is SCHEME/PROTOCOL."""
TURNED_AWAY: Final = "turned away"
"""A connection was closed at once; its label says which limit was reached."""
HANDSHAKE: Final = "handshake"
"""Of TLS; its label is ok/VERSION, resumed/VERSION or failed/REASON."""
REFUSAL: Final = "refusal"
"""A message that never became a request for an app; its label is the status of the answer."""
CONNECT: Final = "connect"
"""A new connection to a target."""
CONNECT_FAILURE: Final = "connect failure"
RETRY: Final = "retry"
"""A request went to another target because one could not be reached."""
EJECTION: Final = "ejection"
"""A target gets no requests for a while because it could not be reached."""
LOG_DROP: Final = "log drop"
"""A line of the access log that nobody took in time."""


class RouteCounts:
    """Of one route, or sums of them. ``statuses`` are by the first digit, 0 is a client that left before any answer;
    bodies are bytes, times seconds; ``totals`` and ``first_bytes`` are requests by BOUNDS.
    """

    __slots__ = ("first_bytes", "first_seconds", "received", "seconds", "sent", "statuses", "totals")

    def __init__(self) -> None:
        self.statuses = [0] * 6
        self.received = 0
        self.sent = 0
        self.totals = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0
        self.first_bytes = [0] * (len(BOUNDS) + 1)
        self.first_seconds = 0.0

    def report(self) -> dict[str, Any]:
        """As JSON."""
        return {name: getattr(self, name) for name in self.__slots__}

    def copy(self) -> RouteCounts:
        """The same numbers, for good."""
        same = RouteCounts()
        same.add(self.report())
        return same

    def add(self, report: dict[str, Any]) -> None:
        """Add what another one's ``report`` gave."""
        for name, value in report.items():
            mine = getattr(self, name)
            both = (
                [a + b for a, b in zip(mine, value, strict=True)] if isinstance(mine, list) else mine + value
            )
            setattr(self, name, both)


class Meter:
    """Counts since the last ``take``, and the connections that are open now.

    Labels are never of a client's choosing and routes are the owner's, so it doesn't grow with the traffic.
    """

    def __init__(self) -> None:
        self._routes: dict[str, RouteCounts] = {}
        self._events: dict[tuple[str, str], int] = {}
        self.open: dict[str, int] = {}
        """Connections of clients by SCHEME/PROTOCOL."""

    def request(self, exchange: Exchange) -> None:
        """An exchange is over; its public attributes are final."""
        key = exchange.route.key if exchange.route is not None else ""
        counts = self._routes.get(key)
        if counts is None:
            counts = self._routes[key] = RouteCounts()
        counts.statuses[exchange.status // 100] += 1
        counts.received += exchange.request.received
        counts.sent += exchange.sent
        began, first = exchange.began, exchange.first_byte_at
        seconds = exchange.ended_at - began
        counts.totals[bisect_left(BOUNDS, seconds)] += 1
        counts.seconds += seconds
        if first:
            first -= began
            counts.first_bytes[bisect_left(BOUNDS, first)] += 1
            counts.first_seconds += first

    def count(self, event: str, label: str = "", times: int = 1) -> None:
        """One of the events above happened."""
        self._events[event, label] = self._events.get((event, label), 0) + times

    def opened(self, kind: str) -> None:
        """A client is connected; ``kind`` is SCHEME/PROTOCOL, like ``https/h2``."""
        self.count(CONNECTION, kind)
        self.open[kind] = self.open.get(kind, 0) + 1

    def closed(self, kind: str) -> None:
        """It no longer is."""
        self.open[kind] -= 1

    def take(self) -> dict[str, Any]:
        """All counts since the last time, as JSON; whoever takes them adds them up."""
        routes, self._routes = self._routes, {}
        events, self._events = self._events, {}
        return {
            "routes": {key: counts.report() for key, counts in routes.items()},
            "events": [[event, label, times] for (event, label), times in events.items()],
        }
