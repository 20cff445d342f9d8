"""Route changes: written to the disk first, then in force, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from twisted.internet.defer import DeferredLock
from twisted.internet.defer import TimeoutError as Expired
from twisted.internet.threads import deferToThread
from twisted.logger import Logger

from iopproxy.control.shield import shielded
from iopproxy.http.addresses import Addresses
from iopproxy.http.limits import Limits
from iopproxy.http.pool import Pool
from iopproxy.reactor import Reactor
from iopproxy.routing.router import Router
from iopproxy.routing.state import Route, Table, changes
from iopproxy.routing.store import Store

__all__ = ["Routes"]


class Routes:
    """The routes in force and how they change. A change is over once no new request goes by the old ones."""

    _log = Logger()

    def __init__(
        self,
        router: Router,
        store: Store,
        pool: Pool,
        addresses: Addresses,
        clock: Reactor,
        *,
        limits: Limits,
    ) -> None:
        self.table = store.load()
        self._router = router
        for route in self.table.routes:
            router.put(route)
        self._store = store
        self._pool = pool
        self._addresses = addresses
        self._clock = clock
        self._limits = limits
        self._lock = DeferredLock()

    async def put(self, route: Route) -> Route:
        """Add or replace a route. Raises RouteError; OSError when it can't be saved."""
        # The first request to a new target shall not wait for its name; a name that isn't there yet may come.
        learning = self._addresses.learn(route.live.targets)
        with suppress(Expired):
            await learning.addTimeout(self._limits.resolve_time, self._clock)
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
                for key, route in changes(self.table, table):
                    if route is None:
                        self._router.drop(key)
                    else:
                        self._router.put(route)
                self.table = table
                self._pool.keep_only_wanted()
                self._addresses.keep_only(table.targets)
        finally:
            self._lock.release()
