"""The routes as frozen values, and the pure changes that can be made to them."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import evolve, field, frozen

from iopproxy.routing.settings import Settings

__all__ = [
    "HostTakenError",
    "NoPreviousError",
    "NoRouteError",
    "Route",
    "RouteError",
    "Table",
    "Version",
    "changes",
]


class RouteError(Exception):
    """A change that the table refuses. Its text is the sentence that the caller of the admin API reads."""


class HostTakenError(RouteError):
    """A host belongs to another app."""


class NoRouteError(RouteError):
    """No such route, or no such host."""


class NoPreviousError(RouteError):
    """There is nothing to switch back to."""


@frozen
class Version:
    """What a route leads to: one colour of one release. ``targets`` are ``name:port``, at least one."""

    targets: tuple[str, ...]
    color: str
    release: str


@frozen
class Route:
    """One app's hosts and where their requests go."""

    project: str
    app: str
    hosts: tuple[str, ...]
    live: Version
    previous: Version | None = None
    settings: Settings = field(factory=Settings)
    maintenance: str | None = None
    """A page that is shown instead of the app."""
    key: str = field(init=False, eq=False, repr=False)
    """``project/app``."""

    @key.default
    def _key(self) -> str:
        return f"{self.project}/{self.app}"


@frozen
class Table:
    """All routes. Every change gives a new table, so a reader never sees half of one."""

    routes: tuple[Route, ...] = ()

    @classmethod
    def of(cls, routes: Iterable[Route]) -> Table:
        """A table of routes that were in one before. Raises RouteError when an app or a host is there twice."""
        keys: set[str] = set()
        owners: dict[str, Route] = {}
        table = cls(tuple(routes))
        for route in table.routes:
            if route.key in keys:
                raise RouteError(f"{route.key} has two routes.")
            keys.add(route.key)
            for host in route.hosts:
                if (owner := owners.setdefault(host, route)) is not route:
                    raise HostTakenError(f"The host {host} belongs to {owner.key}.")
        return table

    @property
    def targets(self) -> frozenset[str]:
        """All targets that a route leads to."""
        return frozenset(target for route in self.routes for target in route.live.targets)

    def get(self, project: str, app: str) -> Route:
        """The route of one app. Raises NoRouteError."""
        key = f"{project}/{app}"
        for route in self.routes:
            if route.key == key:
                return route
        raise NoRouteError(f"There is no route for {key}.")

    def put(self, route: Route) -> Table:
        """Add a route, or replace it where it stands; one under maintenance stays so.

        What it led to until now becomes ``previous``, unless the targets stay the same, in whatever order.
        Raises HostTakenError when one of its hosts belongs to another app.
        """
        old = None
        for each in self.routes:
            if each.key == route.key:
                old = each
            elif taken := set(each.hosts) & set(route.hosts):
                raise HostTakenError(f"The host {min(taken)} belongs to {each.key}.")
        if old is None:
            return Table((*self.routes, route))
        same = set(old.live.targets) == set(route.live.targets)
        new = evolve(route, previous=old.previous if same else old.live, maintenance=old.maintenance)
        return self._with(old, new)

    def maintain(self, project: str, app: str, page: str | None) -> Table:
        """Show ``page`` instead of the app, or the app again. Raises NoRouteError."""
        route = self.get(project, app)
        return self._with(route, evolve(route, maintenance=page))

    def switch_back(self, project: str, app: str) -> Table:
        """Swap what a route leads to with its ``previous``. Raises NoRouteError, NoPreviousError."""
        route = self.get(project, app)
        if route.previous is None:
            raise NoPreviousError(f"{project}/{app} has no previous version to switch back to.")
        swapped = evolve(route, live=route.previous, previous=route.live)
        return self._with(route, swapped)

    def without_host(self, host: str) -> Table:
        """Take a host away; a route goes with its last one. Raises NoRouteError."""
        if not any(host in route.hosts for route in self.routes):
            raise NoRouteError(f"No route has the host {host}.")
        left = [
            evolve(route, hosts=tuple(each for each in route.hosts if each != host))
            if host in route.hosts
            else route
            for route in self.routes
        ]
        return Table(tuple(route for route in left if route.hosts))

    def _with(self, old: Route, new: Route) -> Table:
        return Table(tuple(new if each is old else each for each in self.routes))


def changes(before: Table, after: Table) -> list[tuple[str, Route | None]]:
    """How to get from one table to the next one: (``Route.key``, the new route or None) for each that differs.

    Those that go come first: a host may be another app's then.
    """
    old = {route.key: route for route in before.routes}
    new = {route.key: route for route in after.routes}
    gone: list[tuple[str, Route | None]] = [(key, None) for key in old if key not in new]
    return gone + [(key, route) for key, route in new.items() if old.get(key) != route]
