"""How long an HTTP/2 client may take: for the rest of a frame, between requests, to read, to answer a PING."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Protocol

from iopproxy.http.deadlines import NEVER, Deadlines
from iopproxy.http.guards.frames import FrameWatch
from iopproxy.http.limits import Limits

__all__ = ["Patience"]


class _Silence(Enum):
    """What is known of a client while it waits for responses."""

    NONE = 0
    """Something came lately."""
    SOME = 1
    """Nothing came for a while."""
    ASKED = 2
    """It was asked whether it is still there."""


class Owner(Protocol):
    """The connection."""

    def late(self) -> None:
        """The rest of a frame, or of a header block, didn't come in time."""

    def idle(self) -> None:
        """Nothing was asked for too long."""

    def ask(self) -> None:
        """Is the client still there?"""

    def abort(self) -> None:
        """The client isn't there, or takes nothing."""


class Patience:
    """One connection's times, as one deadline."""

    __slots__ = (
        "_deadlines",
        "_head_by",
        "_limits",
        "_owner",
        "_quiet",
        "_quiet_by",
        "_silence",
        "_taken_by",
        "_unit",
        "deadline",
    )

    def __init__(self, owner: Owner, deadlines: Deadlines, limits: Limits) -> None:
        self.deadline = NEVER
        self._owner = owner
        self._deadlines = deadlines
        self._limits = limits
        self._head_by = NEVER
        self._taken_by = NEVER
        self._quiet_by = NEVER
        self._quiet = owner.idle
        """What to do then."""
        self._unit = -1
        self._silence = _Silence.NONE

    def start(self) -> None:
        """The connection is open. Its first frame has its time."""
        self._deadlines.add(self)
        self._head_by = self._deadlines.after(self._limits.head_time)
        self.rest()

    def stop(self) -> None:
        """The connection is gone."""
        self._deadlines.discard(self)

    def heard(self, watch: FrameWatch) -> None:
        """Bytes came. What is only begun, but a body, has its time from its first byte to its last."""
        self._silence = _Silence.NONE
        if not watch.waiting:
            if self._head_by != NEVER:
                self._head_by = NEVER
                self._set()
        elif watch.units != self._unit:
            self._unit = watch.units
            self._head_by = self._deadlines.after(self._limits.head_time)
            self._set()

    def rest(self) -> None:
        """No request is open."""
        self._be_quiet(self._limits.idle_time, self._owner.idle)

    def serve(self) -> None:
        """A request is open: responses may be silent for as long as they like, if somebody is there for them."""
        self._be_quiet(self._limits.h2_ping_interval, self._ask)

    def notice(self) -> None:
        """The client was told that the end is near, and is to say that it knows."""
        self._be_quiet(self._limits.linger_time, self._owner.idle)

    def close(self, seconds: float) -> None:
        """The connection is to be over by then."""
        self._head_by = self._taken_by = NEVER
        self._be_quiet(seconds, self._owner.abort)

    def full(self, full: bool) -> None:
        """The client leaves our send buffer full, or no longer."""
        self._taken_by = self._deadlines.after(self._limits.write_stall_time) if full else NEVER
        self._set()

    def expired(self) -> None:
        """One of the times is over."""
        now = self._deadlines.now
        if now >= self._taken_by:
            self._owner.abort()
        elif now >= self._head_by:
            self._owner.late()
        else:
            self._quiet()

    def _ask(self) -> None:
        if self._silence is _Silence.ASKED:
            self._owner.abort()
        elif self._silence is _Silence.NONE or self._taken_by != NEVER:
            self._silence = _Silence.SOME
            self.serve()
        else:
            self._silence = _Silence.ASKED
            self._be_quiet(self._limits.h2_ping_time, self._ask)
            self._owner.ask()

    def _be_quiet(self, seconds: float, then: Callable[[], None]) -> None:
        self._quiet_by = self._deadlines.after(seconds)
        self._quiet = then
        self._set()

    def _set(self) -> None:
        self.deadline = min(self._head_by, self._quiet_by, self._taken_by)
