"""What a load generator saw."""

from __future__ import annotations

import json
import time
from typing import Any

from attrs import asdict, define, field, frozen

__all__ = ["Failure", "Report", "Seen", "Tally"]


@frozen
class Failure:
    """A request that failed: when (``time.monotonic()`` seconds, the same clock in every process), and why."""

    at: float
    path: str
    reason: str


@frozen
class Seen:
    """How often a body came, and when it came first and last (``time.monotonic()`` seconds)."""

    count: int
    first: float
    last: float


@frozen
class Report:
    """The result. ``slowest`` is of the quick requests and ``slowest_long`` of the long ones, in seconds.

    ``requests`` counts all of them, failed ones too. ``reconnects`` counts connections that the server ended
    between two answers, which is its right.
    """

    requests: int
    long_requests: int
    reconnects: int
    slowest: float
    slowest_long: float
    failed: tuple[Failure, ...]
    by_body: dict[str, Seen]

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Report:
        """The inverse of ``to_json``."""
        values: dict[str, Any] = json.loads(text)
        values["failed"] = tuple(Failure(**each) for each in values["failed"])
        values["by_body"] = {body: Seen(**each) for body, each in values["by_body"].items()}
        return cls(**values)


@define
class Tally:
    """Counts while the load runs."""

    requests: int = 0
    long_requests: int = 0
    reconnects: int = 0
    slowest: float = 0.0
    slowest_long: float = 0.0
    failed: list[Failure] = field(factory=list)
    by_body: dict[str, Seen] = field(factory=dict)

    def answered(self, body: str, seconds: float, *, long: bool) -> None:
        """A good answer came after ``seconds``."""
        now = time.monotonic()
        seen = self.by_body.get(body) or Seen(0, now, now)
        self.by_body[body] = Seen(seen.count + 1, seen.first, now)
        self._count(seconds, long=long)

    def failure(self, path: str, reason: str, seconds: float, *, long: bool) -> None:
        """A request failed after ``seconds``."""
        self.failed.append(Failure(time.monotonic(), path, reason))
        self._count(seconds, long=long)

    def report(self) -> Report:
        """What has been counted so far."""
        return Report(**{**asdict(self, recurse=False), "failed": tuple(self.failed)})

    def _count(self, seconds: float, *, long: bool) -> None:
        self.requests += 1
        if long:
            self.long_requests += 1
            self.slowest_long = max(self.slowest_long, seconds)
        else:
            self.slowest = max(self.slowest, seconds)
