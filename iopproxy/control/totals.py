"""What all workers counted since the program started, those that are gone included."""

from __future__ import annotations

from typing import Any

from iopproxy.http.meter import RouteCounts
from iopproxy.routing.state import Table

__all__ = ["Totals"]


class Totals:
    """The sum of what ``Meter.take`` gave. A worker hands each count over once, so it may die at any time."""

    def __init__(self) -> None:
        self.routes: dict[str, RouteCounts] = {}
        """By ``Route.key``; "" are requests for hosts that no app has."""
        self.events: dict[tuple[str, str], int] = {}

    def copy(self) -> Totals:
        """As they are now, for good."""
        same = Totals()
        same.routes = {key: counts.copy() for key, counts in self.routes.items()}
        same.events = dict(self.events)
        return same

    def hear(self, report: dict[str, Any]) -> None:
        """A worker's report: not every one has counts."""
        if report["meter"] is not None:
            self.add(report["meter"])

    def add(self, report: dict[str, Any]) -> None:
        """What one worker counted since it was asked last."""
        for key, counts in report["routes"].items():
            self.routes.setdefault(key, RouteCounts()).add(counts)
        for event, label, times in report["events"]:
            self.events[event, label] = self.events.get((event, label), 0) + times

    def follow(self, table: Table) -> None:
        """Forget the routes that are no more."""
        keys = {route.key for route in table.routes}
        self.routes = {key: counts for key, counts in self.routes.items() if key == "" or key in keys}
