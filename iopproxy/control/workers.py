"""The worker processes: started, told what they share, asked how they are, and replaced when they end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from iopproxy.control.process import WorkerProcess, remove_traces
from iopproxy.link import Entry, UnusableError
from iopproxy.reactor import Reactor
from iopproxy.together import together
from iopproxy.worker import REPORT_TIME, Start

__all__ = ["Workers"]

_YOUNG: Final = 5.0
"""Seconds. Who ends sooner than this is replaced later each time."""
_FIRST_DELAY: Final = 0.1
_LONGEST_DELAY: Final = 5.0


class _Place:
    """What each of the workers is started with, one after the other."""

    def __init__(self, number: int, start: Start) -> None:
        self.number = number
        self.start = start
        self.restarts = 0
        self.delay = 0.0
        self.waiting: Any = None
        """The delayed call that starts the next one."""


class Workers(Service):
    """As many processes as ``starts``. ``heard(report)`` is called with everything a worker reports."""

    _log = Logger()

    def __init__(self, reactor: Reactor, starts: Sequence[Start], heard: Callable[[Any], None]) -> None:
        self._reactor = reactor
        self._places = [_Place(number, start) for number, start in enumerate(starts)]
        self._heard = heard
        self._shared: dict[tuple[str, str], Any] = {}
        self._living: list[WorkerProcess] = []
        """In the order in which they were started; also those that are leaving."""
        self._stopping = False
        self._clock = LoopingCall(self._tick)
        self._clock.clock = reactor

    # What they share

    async def put(self, entries: Sequence[Entry]) -> None:
        """Share entries. Over once they are in force in all workers; those that start later get them first of all.

        Raises UnusableError when one of them can't apply something.
        """
        for kind, key, value in entries:
            if value is None:
                self._shared.pop((kind, key), None)
            else:
                self._shared[kind, key] = value
        await together(worker.put(entries) for worker in self._living)

    # How they are

    async def report(self) -> list[dict[str, Any]]:
        """A fresh report of each."""
        await together(worker.refresh() for worker in self._living)
        return [worker.report for worker in self._living if worker.report]

    @property
    def serving(self) -> bool:
        """Whether anybody accepts clients."""
        return any(worker.state == "serving" for worker in self._living)

    @property
    def restarts(self) -> int:
        """Workers that were replaced."""
        return sum(place.restarts for place in self._places)

    def states(self) -> list[dict[str, Any]]:
        """Each as JSON, by its number; connections are those of its last report."""
        return [
            {
                "number": worker.number,
                "pid": worker.pid,
                "state": worker.state,
                "connections": worker.report.get("connections", 0),
                "restarts": self._places[worker.number].restarts,
            }
            for worker in sorted(self._living, key=lambda worker: worker.number)
        ]

    async def drain(self, targets: Sequence[str], timeout: float) -> dict[str, Counter[str]]:
        """Wait up to ``timeout`` seconds until these have neither requests nor tunnels; close the tunnels left.

        What is left, "in_flight" and "tunnels", by target.
        """
        left = {"in_flight": Counter[str](), "tunnels": Counter[str]()}
        for each in await together(worker.drain(targets, timeout) for worker in self._living):
            for what, counts in each.items():
                left[what].update(counts)
        return left

    # Their life

    def startService(self) -> None:
        """Start all."""
        Service.startService(self)
        self._clock.start(REPORT_TIME, now=False)
        for place in self._places:
            self._start(place)

    def stopService(self) -> Deferred[Any]:
        """Have all end. Fires when they have."""
        Service.stopService(self)
        self._stopping = True
        for place in self._places:
            if place.waiting is not None:
                place.waiting.cancel()
            for each in (place.start.http, place.start.https):
                if each is not None:
                    each.close()
        return Deferred.fromCoroutine(self._finish())

    async def _finish(self) -> None:
        await together(
            worker.finish(self._places[worker.number].start.drain_timeout) for worker in self._living
        )
        remove_traces()

    def _start(self, place: _Place) -> None:
        place.waiting = None
        try:
            worker = WorkerProcess(self._reactor, place.number, place.start, self)
        except (OSError, EOFError) as error:
            self._log.error("No worker can be started: {reason}", reason=str(error))
            self._start_later(place, young=True)
            return
        self._living.append(worker)
        worker.ended.addCallback(self._ended, worker)
        Deferred.fromCoroutine(self._welcome(worker)).addErrback(self._unexpected)

    async def _welcome(self, worker: WorkerProcess) -> None:
        """Tell a worker what all share, then let it serve."""
        try:
            await worker.put([(kind, key, value) for (kind, key), value in self._shared.items()])
        except UnusableError:
            self._log.error("Worker {pid} serves without what it can't apply", pid=worker.pid)
        await worker.serve()
        if worker.state == "serving":
            self._log.info("Worker {number} serves, pid {pid}", number=worker.number, pid=worker.pid)

    def _ended(self, _: None, worker: WorkerProcess) -> None:
        self._living.remove(worker)
        if not any(other.number == worker.number and other.state != "leaving" for other in self._living):
            self._replace(worker)

    def _replace(self, worker: WorkerProcess) -> None:
        place = self._places[worker.number]
        if not self._stopping and place.waiting is None:
            place.restarts += 1
            self._start_later(place, young=self._reactor.seconds() - worker.started_at < _YOUNG)

    def _start_later(self, place: _Place, young: bool) -> None:
        place.delay = min(place.delay * 2 or _FIRST_DELAY, _LONGEST_DELAY) if young else 0.0
        place.waiting = self._reactor.callLater(place.delay, self._start, place)

    def _unexpected(self, failure: Failure) -> None:
        self._log.failure("A worker could not be welcomed", failure=failure)

    def _tick(self) -> None:
        for worker in tuple(self._living):
            worker.pass_time(REPORT_TIME)

    # What they say

    def heard(self, worker: WorkerProcess) -> None:
        """A report."""
        self._heard(worker.report)

    def left(self, worker: WorkerProcess) -> None:
        """It ends when its clients have; somebody else is needed for those to come."""
        self._replace(worker)
