"""What is counted, and whose fault an end was."""

from __future__ import annotations

import time
from collections import Counter

KILL_SHADOW = 2.5
"""Seconds after a worker's end in which clients find that they were cut: the slow ones look once a second."""


class Tally:
    """Requests by kind of client, and what went wrong.

    A failure is anything but the whole, right answer: a refused connection, a wrong or missing byte, a status that
    the app didn't give, a connection cut while a request was under way. One exception, counted apart: a connection
    that was opened before a worker was killed and that ended within KILL_SHADOW after it.
    """

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()
        self.failed: list[str] = []
        self.cut: Counter[str] = Counter()
        self._kills: list[float] = []

    def killed(self) -> None:
        """A worker is being killed now."""
        self._kills.append(time.monotonic())

    def failure(self, kind: str, opened: float, error: BaseException | str) -> None:
        """A request of a connection opened at that moment had no whole, right answer."""
        now = time.monotonic()
        refused = isinstance(error, ConnectionRefusedError)
        if not refused and any(opened <= kill and now - kill < KILL_SHADOW for kill in self._kills):
            self.cut[kind] += 1
        else:
            self.failed.append(f"{kind}: {error!r}")
