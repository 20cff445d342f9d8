"""Waiting until targets that are no longer routed have no request in flight."""

from __future__ import annotations

from contextlib import suppress

from twisted.internet.defer import TimeoutError as Expired

from iopproxy.reactor import Reactor
from iopproxy.routing.inflight import InFlight

__all__ = ["drain"]


async def drain(
    in_flight: InFlight, targets: frozenset[str], timeout: float, clock: Reactor
) -> dict[str, int]:
    """Wait up to ``timeout`` seconds; the requests that are still in flight then, by target."""
    with suppress(Expired):
        await in_flight.when_idle(targets).addTimeout(timeout, clock)
    return {target: in_flight.count(target) for target in sorted(targets)}
