"""Work that goes on when whoever waits for it leaves."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

__all__ = ["shielded"]

T = TypeVar("T")


def shielded(work: Coroutine[Deferred[Any], Any, T]) -> Deferred[T]:
    """Start ``work``; what is returned fires with its result. Cancelling that doesn't touch the work."""
    done: Deferred[T] = Deferred()

    def tell(result: T | Failure) -> None:
        if not done.called:
            done.callback(result)  # a Failure makes it fail

    Deferred.fromCoroutine(work).addBoth(tell)
    return done
