"""A worker's end of the link: what the control process asks is passed on to the worker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from iopproxy.inbox import Inbox
from iopproxy.link import Drain, Finish, Link, Put, Report, Serve

__all__ = ["Orders"]


class Worker(Protocol):
    """Who carries them out."""

    inbox: Inbox

    async def serve(self) -> None:
        """See ``link.Serve``."""

    async def report(self) -> None:
        """See ``link.Report``."""

    async def drain(self, targets: Sequence[str], timeout: float) -> dict[str, dict[str, int]]:
        """See ``link.Drain``."""

    def finish(self, timeout: float | None = None) -> None:
        """See ``link.Finish``; the time is the worker's own when nobody gave one."""


class Orders(Link):
    """Lives as long as the link; with it ends the worker."""

    def __init__(self, worker: Worker) -> None:
        super().__init__()
        self._worker = worker

    @Put.responder
    async def _put(self, entries: list[Any]) -> dict[str, Any]:
        await self._worker.inbox.put([(kind, key, value) for kind, key, value in entries])
        return {}

    @Serve.responder
    async def _serve(self) -> dict[str, Any]:
        await self._worker.serve()
        return {}

    @Report.responder
    async def _report(self) -> dict[str, Any]:
        await self._worker.report()
        return {}

    @Drain.responder
    async def _drain(self, targets: list[str], timeout: float) -> dict[str, Any]:
        return {"left": await self._worker.drain(targets, timeout)}

    @Finish.responder
    def _finish(self, timeout: float) -> dict[str, Any]:
        self._worker.finish(timeout)
        return {}

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The control process is gone."""
        super().connectionLost(reason)
        self._worker.finish()
