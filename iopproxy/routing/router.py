"""Which route a request takes: a lookup in memory, nothing else."""

from __future__ import annotations

from collections.abc import KeysView

from iopproxy.routing.state import Route

__all__ = ["Router"]


class Router:
    """Routes by host, changed one by one: neither a change nor a lookup costs more when there are more of them."""

    def __init__(self) -> None:
        self._by_key: dict[str, Route] = {}
        self._by_host: dict[str, Route] = {}
        self._uses: dict[str, int] = {}
        """Routes that lead to each target."""

    @property
    def targets(self) -> KeysView[str]:
        """All targets that a route leads to, now and whenever it is looked at."""
        return self._uses.keys()

    def find(self, host: str) -> Route | None:
        """The route of a normalised host name, None when no app has it."""
        return self._by_host.get(host)

    def put(self, route: Route) -> frozenset[str]:
        """From the next request on this is the route of its app; the targets that no route leads to any more."""
        for target in route.live.targets:
            self._uses[target] = self._uses.get(target, 0) + 1
        left = self.drop(route.key)
        self._by_key[route.key] = route
        for host in route.hosts:
            self._by_host[host] = route
        return left

    def drop(self, key: str) -> frozenset[str]:
        """An app has no route any more; the targets that no route leads to any more."""
        route = self._by_key.pop(key, None)
        if route is None:
            return frozenset()
        for host in route.hosts:
            if self._by_host.get(host) is route:  # else another app has it by now
                del self._by_host[host]
        return frozenset(target for target in route.live.targets if self._leave(target))

    def _leave(self, target: str) -> bool:
        """One route fewer leads to ``target``; whether it was the last."""
        self._uses[target] -= 1
        if self._uses[target]:
            return False
        del self._uses[target]
        return True
