"""A budget that refills with time: a burst is fine, a flood isn't."""

from __future__ import annotations

__all__ = ["Bucket"]


class Bucket:
    """Holds up to ``burst``, gains ``rate`` per second. Time is handed in: whoever asks has it at hand."""

    __slots__ = ("_at", "_burst", "_level", "_rate")

    def __init__(self, burst: float, rate: float, now: float) -> None:
        self._burst = burst
        self._rate = rate
        self._level = burst
        self._at = now

    def take(self, cost: float, now: float) -> bool:
        """Whether there was as much. What there is of it is gone in either case."""
        self._level = min(self._burst, self._level + (now - self._at) * self._rate) - cost
        self._at = now
        return self._level >= 0
