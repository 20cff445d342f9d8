"""How many requests each target is busy with."""

from __future__ import annotations

from collections.abc import Iterable

from twisted.internet.defer import Deferred

__all__ = ["InFlight"]


class InFlight:
    """Requests by target, from the moment one is picked until its response ended or was given up."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._waiting: list[tuple[frozenset[str], Deferred[None]]] = []

    def begin(self, target: str) -> None:
        """One more request goes to ``target``."""
        self._counts[target] = self._counts.get(target, 0) + 1

    def end(self, target: str) -> None:
        """One of them is done with."""
        left = self._counts[target] - 1
        if left:
            self._counts[target] = left
            return
        del self._counts[target]
        for waiter in [each for each in self._waiting if not self.busy(each[0])]:
            self._waiting.remove(waiter)
            waiter[1].callback(None)

    def count(self, target: str) -> int:
        """Requests that ``target`` has now."""
        return self._counts.get(target, 0)

    def busy(self, targets: Iterable[str]) -> bool:
        """Whether any of them has a request."""
        return any(target in self._counts for target in targets)

    def targets(self) -> frozenset[str]:
        """All targets that have a request."""
        return frozenset(self._counts)

    def when_idle(self, targets: frozenset[str]) -> Deferred[None]:
        """Fires when none of them has a request. Cancelling it stops the waiting."""
        if not self.busy(targets):
            done: Deferred[None] = Deferred()
            done.callback(None)
            return done
        idle: Deferred[None] = Deferred(lambda _: self._waiting.remove(waiter))
        waiter = (targets, idle)
        self._waiting.append(waiter)
        return idle
