"""Route changes: written to the disk first, then in force, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from twisted.internet.defer import DeferredLock
from twisted.internet.threads import deferToThread
from twisted.logger import Logger

from iopproxy.control.shield import shielded
from iopproxy.link import Entry
from iopproxy.routing.state import Route, Table, changes
from iopproxy.routing.store import Store
from iopproxy.routing.wire import write_route

__all__ = ["Routes", "Sharing"]


Follower = Callable[[Table], None]
"""Who is told of the routes in force, whenever they are others."""


class Sharing(Protocol):
    """How all workers get to know something."""

    async def put(self, entries: Sequence[Entry]) -> None:
        """Over once it is in force in all of them. Raises UnusableError."""


class Routes:
    """The routes in force and how they change. A change is over once no new request goes by the old ones."""

    _log = Logger()

    def __init__(self, store: Store, workers: Sharing, followers: Sequence[Follower] = ()) -> None:
        self.table = store.load()
        self._store = store
        self._workers = workers
        self._followers = followers
        self._lock = DeferredLock()

    async def share(self) -> None:
        """Let the workers have what was saved last."""
        await self._share(Table())

    async def put(self, route: Route) -> Route:
        """Add or replace a route. Raises RouteError; OSError when it can't be saved."""
        await self._change(lambda table: table.put(route))
        self._log.info(
            "{project}/{app} goes to {targets}, release {release}",
            project=route.project,
            app=route.app,
            targets=", ".join(route.live.targets),
            release=route.live.release,
        )
        return self.table.get(route.project, route.app)

    async def switch_back(self, project: str, app: str) -> Route:
        """Swap a route with its previous version. Raises RouteError, OSError."""
        await self._change(lambda table: table.switch_back(project, app))
        route = self.table.get(project, app)
        self._log.info(
            "{project}/{app} is switched back to {targets}, release {release}",
            project=project,
            app=app,
            targets=", ".join(route.live.targets),
            release=route.live.release,
        )
        return route

    async def maintain(self, project: str, app: str, page: str | None) -> Route:
        """Show a page instead of the app, or the app again. Raises RouteError, OSError."""
        await self._change(lambda table: table.maintain(project, app, page))
        self._log.info(
            "{project}/{app}: maintenance is {state}",
            project=project,
            app=app,
            state="off" if page is None else "on",
        )
        return self.table.get(project, app)

    async def delete_host(self, host: str) -> None:
        """Take a host away. Raises RouteError, OSError."""
        await self._change(lambda table: table.without_host(host))
        self._log.info("{host} is no longer routed", host=host)

    async def _change(self, change: Callable[[Table], Table]) -> None:
        """Save what ``change`` makes of the table, then let it decide. Nothing changes if either fails.

        A caller who leaves doesn't stop it half way: what is on the disk is what is in force.
        """
        await shielded(self._apply(change))

    async def _apply(self, change: Callable[[Table], Table]) -> None:
        await self._lock.acquire()
        try:
            table = change(self.table)
            if table != self.table:
                # In a thread: a slow disk must not stop the traffic.
                await deferToThread(self._store.save, table)
                before, self.table = self.table, table
                await self._share(before)
        finally:
            self._lock.release()

    async def _share(self, before: Table) -> None:
        """Let everybody have what is no longer as in ``before``."""
        told = changes(before, self.table)
        try:
            await self._workers.put(
                [("routes", key, None if route is None else write_route(route)) for key, route in told]
            )
        finally:
            for follow in self._followers:
                follow(self.table)
