"""Which target gets a request: round robin or least connections over those that can be expected to answer."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Protocol

from twisted.logger import Logger

from iopproxy.http.limits import Limits
from iopproxy.http.meter import CONNECT, CONNECT_FAILURE, EJECTION, RETRY, Meter
from iopproxy.routing.inflight import InFlight
from iopproxy.routing.settings import LEAST_CONNECTIONS
from iopproxy.routing.state import Route

__all__ = ["Balancer"]


class Now(Protocol):
    """Whoever knows the time: ``now`` in seconds, on any scale."""

    now: float


class _Failing:
    """A target that could not be reached lately, and when it was found so, or tried, last."""

    __slots__ = ("at", "ejected", "failures")

    def __init__(self) -> None:
        self.failures = 0
        self.ejected = False
        self.at = 0.0


class Balancer:
    """One worker's: it goes by its own requests, by what its own connections meet, and by the health checks' word.

    A target that could not be reached ``eject_failures`` times in a row is ejected: one request in ``eject_time``
    tries it again, or one in ``eject_retry`` where a route has no other target left. ``routed`` are the targets
    that routes lead to; nothing is kept of any other.
    """

    _log = Logger()

    def __init__(
        self, routed: Container[str], in_flight: InFlight, limits: Limits, time: Now, meter: Meter
    ) -> None:
        self._routed = routed
        self._in_flight = in_flight
        self._limits = limits
        self._time = time
        self._meter = meter
        self._turns: dict[str, int] = {}
        self._down: set[str] = set()
        self._failing: dict[str, _Failing] = {}
        self._unwell: set[str] = set()
        """Both together: the one look that all requests need."""

    def pick(self, route: Route, tried: Container[str] = ()) -> str | None:
        """The target that shall get a request, none of ``tried``; None when no other can be expected to answer."""
        targets: Sequence[str] = route.live.targets
        if tried or not self._unwell.isdisjoint(targets):
            targets = self._usable(targets, tried)
            if not targets:
                return None
            if tried:
                self._meter.count(RETRY)
        if len(targets) == 1:
            return targets[0]
        turn = self._turns.get(route.key, 0)
        self._turns[route.key] = turn + 1
        if route.settings.balance == LEAST_CONNECTIONS:
            return self._least_busy(targets, turn)
        return targets[turn % len(targets)]

    def _least_busy(self, targets: Sequence[str], turn: int) -> str:
        """Whoever has the fewest requests; of several the one whose turn it is."""
        begin = turn % len(targets)
        return min((*targets[begin:], *targets[:begin]), key=self._in_flight.count)

    def _usable(self, targets: Sequence[str], tried: Container[str]) -> Sequence[str]:
        """Those that may get a request; one alone when it shall be tried again with this one."""
        now = self._time.now
        left = [target for target in targets if target not in self._down and target not in tried]
        failing = {target: self._failing[target] for target in left if target in self._failing}
        ejected = {target: each for target, each in failing.items() if each.ejected}
        if not ejected:
            return left
        others = [target for target in left if target not in ejected]
        wait = self._limits.eject_time if others else self._limits.eject_retry
        for target, each in ejected.items():
            if now - each.at >= wait:
                each.at = now
                return (target,)
        return others

    # What happens to the targets

    def connected(self, target: str) -> None:
        """A new connection to it was made."""
        self._meter.count(CONNECT)
        if target not in self._failing:
            return
        if self._failing[target].ejected:
            self._log.info("{target} can be reached again", target=target)
        self.forget(target)

    def failed(self, target: str) -> None:
        """No connection to it could be made."""
        self._meter.count(CONNECT_FAILURE)
        if target not in self._routed:
            return
        failing = self._failing.setdefault(target, _Failing())
        self._unwell.add(target)
        failing.failures += 1
        failing.at = self._time.now
        if failing.failures >= self._limits.eject_failures and not failing.ejected:
            failing.ejected = True
            self._meter.count(EJECTION)
            self._log.warn(
                "{target} could not be reached {count} times in a row and gets hardly any requests for now",
                target=target,
                count=failing.failures,
            )

    def mark(self, target: str, down: bool) -> None:
        """What the health checks say of it. One that is down gets no request, one that is up again all of its own."""
        if down:
            self._down.add(target)
            self._unwell.add(target)
        else:
            self._down.discard(target)
            self.forget(target)

    def forget(self, target: str) -> None:
        """What connections to it met doesn't count any more."""
        self._failing.pop(target, None)
        if target not in self._down:
            self._unwell.discard(target)

    def drop(self, key: str) -> None:
        """An app has no route any more."""
        self._turns.pop(key, None)
