from __future__ import annotations

from twisted.internet.task import Clock

from iopproxy.http.deadlines import NEVER, TICK, Deadlines


class Member:
    def __init__(self) -> None:
        self.deadline = NEVER
        self.told = 0

    def expired(self) -> None:
        self.told += 1


def test_never_early_and_once() -> None:
    clock = Clock()
    deadlines = Deadlines(clock)
    member = Member()
    deadlines.add(member)
    clock.advance(TICK * 0.9)  # the worst case: time has passed since the last tick
    member.deadline = deadlines.after(1.0)
    set_at = clock.seconds()
    while not member.told:
        clock.advance(TICK / 10)
        deadlines.tick()
    assert 1.0 <= clock.seconds() - set_at <= 1.0 + 2 * TICK
    clock.advance(10)
    deadlines.tick()
    assert member.told == 1


def test_one_end_may_give_another_more_time() -> None:
    clock = Clock()
    deadlines = Deadlines(clock)
    first, second = Member(), Member()
    for each in (first, second):
        deadlines.add(each)
        each.deadline = deadlines.after(1)
        other = second if each is first else first
        each.expired = lambda other=other: setattr(other, "deadline", NEVER) or setattr(other, "told", 1)  # type: ignore
    clock.advance(2)
    deadlines.tick()
    assert first.told + second.told == 1
