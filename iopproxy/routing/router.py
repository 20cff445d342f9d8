"""Which route a request takes: a lookup in memory, nothing else."""

from __future__ import annotations

from iopproxy.routing.state import Route, Table

__all__ = ["Router"]


class Router:
    """The table in force, indexed by host. ``use`` replaces it whole between two requests."""

    def __init__(self, table: Table) -> None:
        self.use(table)

    def use(self, table: Table) -> None:
        """From the next request on, this table decides."""
        self.table = table
        self._by_host = {host: route for route in table.routes for host in route.hosts}
        self.targets = frozenset(target for route in table.routes for target in route.live.targets)

    def find(self, host: str) -> Route | None:
        """The route of a normalised host name, None when no app has it."""
        return self._by_host.get(host)
