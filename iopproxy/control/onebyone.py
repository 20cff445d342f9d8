"""Changes to what is on the disk and in force: one after the other, each to its end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from twisted.internet.defer import Deferred, DeferredLock
from twisted.python.failure import Failure

__all__ = ["OneByOne"]

T = TypeVar("T")


class OneByOne:
    """A queue of changes."""

    def __init__(self) -> None:
        self._lock = DeferredLock()

    async def run(self, change: Callable[[], Awaitable[T]]) -> T:
        """Perform ``change`` when it is its turn; what it returns or raises.

        A caller who leaves doesn't stop it half way: what is on the disk is what is in force.
        """
        done: Deferred[T] = Deferred()

        def tell(result: T | Failure) -> None:
            if not done.called:
                done.callback(result)

        Deferred.fromCoroutine(self._turn(change)).addBoth(tell)
        return await done

    async def _turn(self, change: Callable[[], Awaitable[T]]) -> T:
        await self._lock.acquire()
        try:
            return await change()
        finally:
            self._lock.release()
