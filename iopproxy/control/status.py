"""How things are: the workers' reports and the watch's findings, put together for people and for Prometheus."""

from __future__ import annotations

from collections import Counter
from typing import Any

from twisted.internet.threads import deferToThread

from iopproxy.control.metrics import Present, render
from iopproxy.control.routes import Routes
from iopproxy.control.totals import Totals
from iopproxy.control.watch import Watch
from iopproxy.control.workers import Workers

__all__ = ["Status"]


class Status:
    """Asks all workers whenever it is asked."""

    def __init__(self, routes: Routes, workers: Workers, watch: Watch, totals: Totals) -> None:
        self._routes = routes
        self._workers = workers
        self._watch = watch
        self._totals = totals

    async def targets(self) -> list[dict[str, Any]]:
        """Every target that a route leads to or that is still busy, as JSON."""
        routed = self._routes.table.targets
        now = await self._sums("in_flight", "tunnels")
        shown = []
        for target in sorted(routed.union(*now.values())):
            health = self._watch.health(target)
            shown.append(
                {
                    "target": target,
                    "in_flight": now["in_flight"][target],
                    "tunnels": now["tunnels"][target],
                    "routed": target in routed,
                    "healthy": health.healthy,
                    "reason": health.reason,
                }
            )
        return shown

    async def metrics(self) -> bytes:
        """The page for Prometheus."""
        now = await self._sums("in_flight", "tunnels", "open")
        present = Present(
            in_flight=now["in_flight"],
            tunnels=now["tunnels"],
            open=now["open"],
            healthy={target: self._watch.health(target).healthy for target in self._routes.table.targets},
            workers=sum(worker["state"] == "serving" for worker in self._workers.states()),
            restarts=self._workers.restarts,
        )
        # In a thread, and so of a copy: of thousands of routes it takes seconds.
        page: bytes = await deferToThread(render, self._totals.copy(), present)
        return page

    async def _sums(self, *names: str) -> dict[str, Counter[str]]:
        """Of what each worker reports under these names."""
        sums = {name: Counter[str]() for name in names}
        for report in await self._workers.report():
            for name, counts in sums.items():
                counts.update(report[name])
        return sums
