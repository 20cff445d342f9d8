"""Whose turn it is: round robin over a route's targets."""

from __future__ import annotations

from collections.abc import Container

from iopproxy.routing.state import Route

__all__ = ["Balancer"]


class Balancer:
    """Remembers, per app, how many requests were handed out. A switch to new targets needs nothing from it."""

    def __init__(self) -> None:
        self._turns: dict[str, int] = {}

    def pick(self, route: Route, tried: Container[str] = ()) -> str | None:
        """The next target in turn that isn't in ``tried``, or None when all of them are."""
        targets = route.live.targets
        turn = self._turns.get(route.key, 0)
        for step in range(len(targets)):
            target = targets[(turn + step) % len(targets)]
            if target not in tried:
                self._turns[route.key] = turn + step + 1
                return target
        return None
