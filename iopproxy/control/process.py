"""One worker process, as the control process sees it."""

from __future__ import annotations

import multiprocessing.util
import signal
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as Expired
from twisted.internet.error import ConnectionClosed
from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.protocols.amp import Command
from twisted.python.failure import Failure
from zope.interface import implementer

from iopproxy.link import Drain, Entry, Finish, Leaving, Link, Put, Report, Reported, Serve, connect
from iopproxy.reactor import Reactor
from iopproxy.together import together
from iopproxy.worker import Start, main

__all__ = ["Owner", "WorkerProcess", "remove_traces"]

_ANSWER_TIME: Final = 10.0
"""Seconds that a worker has for an answer; one that is silent for longer hangs."""
_BATCH: Final = 500
"""Entries that are sent at once."""

_forkserver = multiprocessing.get_context("forkserver")
_forkserver.set_forkserver_preload(["iopproxy.worker"])


def remove_traces() -> None:
    """End and remove what multiprocessing needed beside the workers. It would at an exit, but not at one by signal."""
    multiprocessing.util._exit_function()  # type: ignore[attr-defined]  # not in typeshed


class Owner(Protocol):
    """Who hears of a worker."""

    def heard(self, worker: WorkerProcess) -> None:
        """Its ``report`` is new."""

    def left(self, worker: WorkerProcess) -> None:
        """It was told to end by somebody else, and does."""


class WorkerProcess:
    """A process and the link to it."""

    _log = Logger()

    def __init__(self, reactor: Reactor, number: int, start: Start, owner: Owner) -> None:
        """Start it. Raises OSError or EOFError when that can't be done."""
        self.number = number
        self.state = "starting"
        """Then "serving", "leaving" once it was told to end, "ended"."""
        self.report: dict[str, Any] = {}
        """The last one."""
        self.started_at: float = reactor.seconds()
        self.ended: Deferred[None] = Deferred()
        self._reactor = reactor
        self._owner = owner
        self._silence = 0.0
        self._link = _Ears(self)
        ours, theirs = socket.socketpair()
        with ours, theirs:
            self._process = _forkserver.Process(target=main, args=(start, theirs), daemon=True)
            self._process.start()
            ours.setblocking(False)
            connect(reactor, ours, self._link)
        self.pid = self._process.pid
        reactor.addReader(_Sentinel(reactor, self._process.sentinel, self._over))

    # What it says

    def reported(self, report: dict[str, Any]) -> None:
        """It says how it is."""
        self._silence = 0.0
        self.report = report
        self._owner.heard(self)

    def leaving(self) -> None:
        """It was told to end by somebody else."""
        self.state = "leaving"
        self._owner.left(self)

    # What it is asked

    async def put(self, entries: Sequence[Entry]) -> None:
        """Over once these are in force there, or it is gone. Raises UnusableError."""
        batches = [entries[start : start + _BATCH] for start in range(0, len(entries), _BATCH)]
        await together(self._put(batch) for batch in batches)

    async def _put(self, batch: Sequence[Entry]) -> None:
        await self._ask(Put, entries=batch)

    async def serve(self) -> None:
        """Let it accept clients."""
        await self._ask(Serve)
        if self.state == "starting":
            self.state = "serving"

    async def refresh(self) -> None:
        """Over once ``report`` is fresh, or it is gone."""
        await self._ask(Report)

    async def drain(self, targets: Sequence[str], timeout: float) -> dict[str, dict[str, int]]:
        """What is left of requests and tunnels to these targets after ``timeout`` seconds, see ``link.Drain``."""
        answer = await self._ask(Drain, _ANSWER_TIME + timeout, targets=list(targets), timeout=timeout)
        return {} if answer is None else answer["left"]

    async def finish(self, timeout: float) -> None:
        """Have it end within ``timeout`` seconds. Over once it has."""
        self.state = "leaving"
        await self._ask(Finish, timeout=timeout)
        overdue = self._reactor.callLater(timeout + _ANSWER_TIME, self.kill)
        await self.ended
        if overdue.active():
            overdue.cancel()

    def _ask(self, command: type[Command], seconds: float = _ANSWER_TIME, **arguments: Any) -> Deferred[Any]:
        """Its answer; None when it is gone, or is made to go because it doesn't answer in time."""
        return (
            self._link.ask(command, **arguments)
            .addTimeout(seconds, self._reactor)
            .addErrback(self._unanswered)
        )

    def _unanswered(self, failure: Failure) -> None:
        if failure.check(Expired):
            self._log.error("Worker {pid} doesn't answer and is ended", pid=self.pid)
            self.kill()
        else:
            failure.trap(ConnectionClosed)

    # Its end

    def pass_time(self, seconds: float) -> None:
        """So much went by; a worker that said nothing for too long is ended."""
        self._silence += seconds
        if self._silence > _ANSWER_TIME:
            self._silence = 0.0
            self._log.error("Worker {pid} says nothing and is ended", pid=self.pid)
            self.kill()

    def kill(self) -> None:
        """End it at once."""
        self.state = "leaving"
        self._process.kill()

    def _over(self) -> None:
        code = self._process.exitcode or 0
        if self.state != "leaving" or code:
            how = f"by {signal.Signals(-code).name}" if code < 0 else f"with code {code}"
            self._log.error("Worker {pid} ended {how}", pid=self.pid, how=how)
        self.state = "ended"
        if self._link.transport is not None:
            self._link.transport.abortConnection()
        self.ended.callback(None)


class _Ears(Link):
    """Our end of the link."""

    def __init__(self, worker: WorkerProcess) -> None:
        super().__init__()
        self._worker = worker

    @Reported.responder
    def _reported(self, report: Any) -> dict[str, Any]:
        self._worker.reported(report)
        return {}

    @Leaving.responder
    def _leaving(self) -> dict[str, Any]:
        self._worker.leaving()
        return {}


@implementer(IReadDescriptor)
class _Sentinel:
    """Tells once when a process has ended."""

    def __init__(self, reactor: Reactor, descriptor: int, over: Callable[[], None]) -> None:
        self._reactor = reactor
        self._descriptor = descriptor
        self._over = over

    def fileno(self) -> int:
        return self._descriptor

    def logPrefix(self) -> str:
        return "worker"

    def doRead(self) -> None:
        self._reactor.removeReader(self)
        self._over()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._over()  # the server that forked it is gone, and nobody else tells
