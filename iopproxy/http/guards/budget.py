"""What an HTTP/2 client may make us do for nothing: a burst of it, and a little for as long as it likes."""

from __future__ import annotations

from typing import Final

from h2.errors import ErrorCodes

from iopproxy.http.guards.bucket import Bucket
from iopproxy.http.guards.frames import AbuseError, FrameWatch
from iopproxy.http.limits import Limits

__all__ = ["Budget"]

_REQUEST_EARNS: Final = 4
"""PRIORITY, and WINDOW_UPDATE for a response that is small."""
_DATA_EARNS: Final = 2
"""WINDOW_UPDATE, of the stream's window and of the connection's."""


class Budget:
    """One connection's. ``watch`` has seen all that came. Both methods raise AbuseError."""

    __slots__ = ("_earned", "_empty", "_most", "_resets", "_small", "watch")

    def __init__(self, limits: Limits, now: float) -> None:
        self.watch = FrameWatch(2 * limits.head_size)
        self._empty = Bucket(limits.h2_empty_frames, limits.h2_empty_frame_rate, now)
        self._resets = Bucket(limits.h2_resets, limits.h2_reset_rate, now)
        self._small = Bucket(limits.h2_small_frames, limits.h2_small_frame_rate, now)
        self._earned = 0
        self._most = limits.h2_empty_frames

    def spend(self, data: bytes, now: float) -> None:
        """Bytes came: look at their frames. Those that carry nothing are paid for."""
        watch = self.watch
        cost = watch.feed(data)
        if watch.small > 0:
            small, watch.small = watch.small, 0
            if not self._small.take(small, now):
                raise AbuseError(ErrorCodes.ENHANCE_YOUR_CALM, "A body comes in too small pieces.")
        if cost:
            earned = min(self._earned, self._most)
            self._earned = max(0, earned - cost)
            if not self._empty.take(max(0, cost - earned), now):
                raise AbuseError(ErrorCodes.ENHANCE_YOUR_CALM, "There are too many frames without content.")

    def spend_reset(self, now: float) -> None:
        """A request is taken back, or was never a valid one.

        Whoever sends it is done with it at once, and we may not be (CVE-2023-44487, CVE-2025-8671).
        """
        if not self._resets.take(1, now):
            raise AbuseError(ErrorCodes.ENHANCE_YOUR_CALM, "Too many streams end in a reset.")

    def earn_request(self) -> None:
        """A request came."""
        self._earned += _REQUEST_EARNS

    def earn_data(self) -> None:
        """One DATA frame went out."""
        self._earned += _DATA_EARNS
