"""A worker's side of what all workers share: who is told of which kind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.defer import DeferredList, DeferredLock, maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from iopproxy.link import Entry, UnusableError

__all__ = ["Inbox"]

Taker = Callable[[str, Any], Awaitable[None] | None]


class Inbox:
    """Hands entries to those who asked for their kind. Batches are taken one after the other."""

    _log = Logger()

    def __init__(self) -> None:
        self._takers: dict[str, Taker] = {}
        self._lock = DeferredLock()

    def on(self, kind: str, taker: Taker) -> None:
        """Call ``taker(key, value)`` for every entry of a kind; value None: it is gone."""
        self._takers[kind] = taker

    async def put(self, entries: list[Entry]) -> None:
        """Over when all entries are in force. They may wait for their names at the same time.

        Raises UnusableError when one could not be applied; the others are.
        """
        await self._lock.acquire()
        try:
            taken = await DeferredList(
                [maybeDeferred(self._takers[kind], key, value) for kind, key, value in entries],
                consumeErrors=True,
            )
        finally:
            self._lock.release()
        failed = False
        for (kind, key, _), (success, result) in zip(entries, taken, strict=True):
            if not success and isinstance(result, Failure):
                failed = True
                self._log.failure("{kind} {key} could not be applied", failure=result, kind=kind, key=key)
        if failed:
            raise UnusableError("see the worker's log")
