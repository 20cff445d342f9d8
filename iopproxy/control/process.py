"""One worker process, as the control process sees it."""

from __future__ import annotations

import multiprocessing.util
import os
import signal
import socket
from collections.abc import Sequence
from typing import Any, Final, Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionClosed
from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.protocols.amp import Command
from twisted.python.failure import Failure
from zope.interface import implementer

from iopproxy.control.patience import ANSWER_TIME, Patience, Question
from iopproxy.link import Drain, Entry, Finish, Leaving, Link, Put, Report, Reported, Serve, connect
from iopproxy.reactor import Reactor
from iopproxy.together import together
from iopproxy.worker import Start, main

__all__ = ["Owner", "WorkerProcess", "remove_traces"]

_BATCH: Final = 500
"""Entries that are sent at once."""

_Answer = TypeVar("_Answer")

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


def _nobody(failure: Failure) -> None:
    failure.trap(ConnectionClosed)


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
        self.linked = True
        """It can be spoken to."""
        self.orphan = False
        """Whoever forked it is gone, so nobody tells of its end but the link."""
        self.started_at: float = reactor.seconds()
        self.ended: Deferred[None] = Deferred()
        self._reactor = reactor
        self._owner = owner
        self._patience = Patience()
        self._link = _Ears(self)
        ours, theirs = socket.socketpair()
        with ours, theirs:
            self._process = _forkserver.Process(target=main, args=(start, theirs), daemon=True)
            self._process.start()
            ours.setblocking(False)
            connect(reactor, ours, self._link)
        self.sentinel: int = self._process.sentinel
        self.pid: int = self._process.pid or 0
        reactor.addReader(_Sentinel(reactor, self))

    # What it says

    def reported(self, report: dict[str, Any]) -> None:
        """It says how it is."""
        self._patience.heard()
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
        answer = await self._ask(Drain, ANSWER_TIME + timeout, targets=list(targets), timeout=timeout)
        return {} if answer is None else answer["left"]

    async def finish(self, timeout: float) -> None:
        """Have it end within ``timeout`` seconds. Over once it has."""
        self.state = "leaving"
        await self._ask(Finish, timeout=timeout)
        overdue = self._reactor.callLater(timeout + ANSWER_TIME, self.kill)
        await self.ended
        if overdue.active():
            overdue.cancel()

    def _ask(self, command: type[Command], seconds: float = ANSWER_TIME, **arguments: Any) -> Deferred[Any]:
        """Its answer; None when it is gone, or is made to go because it doesn't answer in time."""
        question = Question(seconds, queued=command is Put)
        self._patience.asked(question)
        return self._link.ask(command, **arguments).addBoth(self._answered, question).addErrback(_nobody)

    def _answered(self, answer: _Answer, question: Question) -> _Answer:
        self._patience.answered(question)
        return answer

    # Its end

    def pass_time(self, seconds: float) -> None:
        """So much went by; a worker that said nothing for too long, or doesn't answer, is ended."""
        if (failing := self._patience.pass_time(seconds)) is not None:
            self._patience = Patience()
            self._log.error("Worker {pid} {failing} and is ended", pid=self.pid, failing=failing)
            self.kill()

    def kill(self) -> None:
        """End it at once."""
        if self.state == "ended":
            return
        self.state = "leaving"
        if not self.orphan:
            self._process.kill()
        elif self.linked:  # else its number may be another process's by now
            os.kill(self.pid, signal.SIGKILL)

    def over(self) -> None:
        """It has ended."""
        code = 0 if self.orphan else self._process.exitcode or 0
        if self.orphan:
            self._log.info("Worker {pid} ended", pid=self.pid)
        elif self.state != "leaving" or code:
            how = f"by {signal.Signals(-code).name}" if code < 0 else f"with code {code}"
            self._log.error("Worker {pid} ended {how}", pid=self.pid, how=how)
        self.state = "ended"
        self._process.close()
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

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It ended, or is about to."""
        super().connectionLost(reason)
        self._worker.linked = False
        if self._worker.orphan:
            self._worker.over()


@implementer(IReadDescriptor)
class _Sentinel:
    """Tells once when a process has ended, or who forked it."""

    def __init__(self, reactor: Reactor, worker: WorkerProcess) -> None:
        self._reactor = reactor
        self._worker = worker

    def fileno(self) -> int:
        return self._worker.sentinel

    def logPrefix(self) -> str:
        return "worker"

    def doRead(self) -> None:
        self._reactor.removeReader(self)
        self._worker.over()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._worker.orphan = True
        if not self._worker.linked:
            self._worker.over()
