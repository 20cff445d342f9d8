from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from iopproxy.repeated import Repeated


def test_what_is_repeated_is_not_held_up_by_work_that_hangs() -> None:
    clock = Clock()
    hanging: list[Deferred[None]] = []

    def work() -> Deferred[None]:
        hanging.append(Deferred())
        return hanging[-1]

    Repeated(clock, 5.0, work).startService()
    clock.advance(5)
    clock.advance(5)
    assert len(hanging) == 3
