"""What is done again and again."""

from __future__ import annotations

from collections.abc import Callable

from twisted.application.service import Service
from twisted.internet.task import LoopingCall

from iopproxy.reactor import Reactor

__all__ = ["Repeated"]


class Repeated(Service):
    """Calls something now and every ``interval`` seconds, and still while the program stops.

    What it returns isn't waited for: work that hangs once is done again all the same.
    """

    def __init__(self, reactor: Reactor, interval: float, work: Callable[[], object]) -> None:
        def call() -> None:
            work()

        self._interval = interval
        self._loop = LoopingCall(call)
        self._loop.clock = reactor

    def startService(self) -> None:
        """Start."""
        Service.startService(self)
        self._loop.start(self._interval)
