"""The watch over routed targets: each is checked now and then, and every worker hears of what changes."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any

from attrs import frozen
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, DeferredSemaphore
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from iopproxy.control.health import Check, Checker
from iopproxy.control.shield import shielded
from iopproxy.http.limits import Limits
from iopproxy.reactor import Reactor
from iopproxy.routing.settings import HealthCheck
from iopproxy.routing.state import Table

__all__ = ["Health", "Push", "Watch"]

Push = Callable[[list[tuple[str, str, Any]]], Awaitable[None]]
"""Shares (kind, key, value) with all workers; over once they have it."""


@frozen
class Health:
    """Of one target: whether it gets requests, and what the last check got. None: there was none yet."""

    healthy: bool = True
    reason: str | None = None


@frozen
class _Plan:
    """How a target is checked."""

    settings: HealthCheck
    host: str

    def check(self, target: str) -> Check:
        settings = self.settings
        return Check(target, settings.path, self.host, settings.interval, settings.timeout, attempts=1)


class _Watched:
    """A target under watch. It begins as healthy: whoever routed it has checked it."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.health = Health()
        self.running: Deferred[None] | None = None
        self.told_down = False
        """The workers know it as down, or will in a moment."""
        self._row = 0
        """Checks in a row that say something else than ``health``."""

    def saw(self, well: bool, reason: str, settings: HealthCheck) -> Health:
        """What one more check makes of it."""
        if well == self.health.healthy:
            self._row = 0
            return Health(well, reason)
        self._row += 1
        if self._row < (settings.healthy if well else settings.unhealthy):
            return Health(not well, reason)
        self._row = 0
        return Health(well, reason)

    def stop(self) -> None:
        if self.running is not None:
            self.running.cancel()


class Watch(Service):
    """Over the targets of all routes that have a ``health_check``. Their checks are spread over the interval."""

    _log = Logger()

    def __init__(
        self,
        checker: Checker,
        push: Push,
        clock: Reactor,
        *,
        limits: Limits,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._checker = checker
        self._push = push
        self._clock = clock
        self._chance = chance
        self._gate = DeferredSemaphore(limits.checks_at_once)
        self._plans: dict[str, _Plan] = {}
        self._watched: dict[str, _Watched] = {}

    def health(self, target: str) -> Health:
        """What is known of a target; one that isn't watched counts as healthy."""
        watched = self._watched.get(target)
        return Health() if watched is None else watched.health

    def follow(self, table: Table) -> None:
        """Watch the targets of these routes, and no others. A target of several is checked as the first wants it."""
        plans: dict[str, _Plan] = {}
        for route in table.routes:
            if route.settings.health_check is not None:
                plan = _Plan(route.settings.health_check, route.hosts[0])
                for target in route.live.targets:
                    plans.setdefault(target, plan)
        before, self._plans = self._plans, plans
        for target in [each for each in self._watched if each not in plans]:
            self._forget(self._watched.pop(target))
        for target, plan in plans.items():
            if before.get(target) != plan:
                watched = self._watched.setdefault(target, _Watched(target))
                watched.stop()
                self._start(watched, plan)

    def stopService(self) -> None:
        """Check nothing any more."""
        Service.stopService(self)
        for watched in self._watched.values():
            watched.stop()

    def _start(self, watched: _Watched, plan: _Plan) -> None:
        watched.running = Deferred.fromCoroutine(self._run(watched, plan))
        watched.running.addErrback(Failure.trap, CancelledError)
        watched.running.addErrback(
            lambda failure: self._log.failure(
                "The checks of {target} ended", failure=failure, target=watched.target
            )
        )

    def _forget(self, watched: _Watched) -> None:
        watched.stop()
        if watched.told_down:
            shielded(self._tell(watched, Health()))

    async def _run(self, watched: _Watched, plan: _Plan) -> None:
        check, settings = plan.check(watched.target), plan.settings
        await self._sleep(settings.interval * (0.5 + 0.5 * self._chance()))
        while True:
            await self._gate.acquire()
            try:
                well, reason = await self._checker.attempt(check)
            finally:
                self._gate.release()
            health = watched.saw(well, reason, settings)
            if health.healthy != watched.health.healthy:
                self._say(watched.target, health)
                await shielded(self._tell(watched, health))
            watched.health = health
            await self._sleep(settings.interval * (0.9 + 0.2 * self._chance()))

    def _sleep(self, seconds: float) -> Deferred[None]:
        return deferLater(self._clock, seconds)

    async def _tell(self, watched: _Watched, health: Health) -> None:
        """Only what is down is shared."""
        watched.told_down = not health.healthy
        try:
            await self._push([("health", watched.target, None if health.healthy else False)])
        except Exception:  # its next change must not be lost with this one
            self._log.failure("The workers could not be told of {target}", target=watched.target)
        watched.health = health

    def _say(self, target: str, health: Health) -> None:
        if health.healthy:
            self._log.info("{target} is healthy again: {reason}", target=target, reason=health.reason)
        else:
            self._log.warn(
                "{target} is down and gets no requests: {reason}", target=target, reason=health.reason
            )
