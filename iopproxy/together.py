"""Waiting for several things at once."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, DeferredList

__all__ = ["together"]

_Result = TypeVar("_Result")


async def together(work: Iterable[Coroutine[Deferred[Any], Any, _Result]]) -> list[_Result]:
    """All results, once all are over; raises then what the first one that failed did."""
    over = await DeferredList([Deferred.fromCoroutine(each) for each in work], consumeErrors=True)
    for success, result in over:
        if not success:
            result.raiseException()  # type: ignore[attr-defined]  # a Failure
    return [result for _, result in over]
