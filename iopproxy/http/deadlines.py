"""Time limits for many connections from one timer: setting one is an attribute, not a delayed call."""

from __future__ import annotations

from typing import Final, Protocol

from twisted.logger import Logger

from iopproxy.reactor import Reactor

__all__ = ["NEVER", "TICK", "Deadlines", "Expiring"]

TICK: Final = 0.25
"""How finely time limits are kept, in seconds."""
NEVER = float("inf")


class Expiring(Protocol):
    """Whoever has a time limit. ``deadline`` is set from ``Deadlines.after``, or NEVER."""

    deadline: float

    def expired(self) -> None:
        """The time is over. ``deadline`` is NEVER again."""


class Deadlines:
    """Everybody who has a time limit; ``tick`` is called every TICK seconds and tells those whose time is over."""

    _log = Logger()

    def __init__(self, clock: Reactor) -> None:
        self._clock = clock
        self._members: set[Expiring] = set()
        self.now: float = clock.seconds()
        self.add = self._members.add
        self.discard = self._members.discard

    def after(self, seconds: float) -> float:
        """The moment ``seconds`` from now; it is kept up to two ticks late and never early."""
        return self.now + TICK + seconds

    def tick(self) -> None:
        """Tell everybody whose time is over."""
        now = self.now = self._clock.seconds()
        for member in [each for each in self._members if each.deadline <= now]:
            if member.deadline <= now:  # it may have been told by another one's end that it has more time
                member.deadline = NEVER
                try:
                    member.expired()
                except Exception:  # a bug in one must not take everybody's time limits away
                    self._log.failure("A time limit could not be acted on")
