"""The steps of one run and where each of them stands. No drawing here; any thread may report."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from threading import Lock

from attrs import define, field

__all__ = ["Progress", "Row", "State", "Steps"]


class State(Enum):
    """Where a step stands."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@define(eq=False)
class Row:
    """One step of one host (None: this machine). Times are of ``time.monotonic``, sizes bytes."""

    title: str
    host: str | None = None
    state: State = State.PENDING
    started: float = 0.0
    ended: float | None = None
    done: int = 0
    total: int | None = None
    note: str = ""

    def elapsed(self, now: float) -> float:
        """Seconds it has taken until ``now``, or in all."""
        return (now if self.ended is None else self.ended) - self.started


@define(eq=False)
class Progress:
    """What a running step tells about itself."""

    _row: Row

    def bytes(self, done: int, total: int) -> None:
        """``done`` bytes of ``total`` went through; shown while the step runs."""
        self._row.done, self._row.total = done, total

    def note(self, text: str) -> None:
        """A few words that stay in the finished line. The last note wins."""
        self._row.note = text


@define(eq=False)
class Steps:
    """The rows of a run, in the order they were announced."""

    _rows: list[Row] = field(factory=list)
    _lock: Lock = field(factory=Lock)

    @classmethod
    def announced(cls, titles: Iterable[tuple[str | None, str]]) -> Steps:
        """The steps to come, as (host, title)."""
        return cls([Row(title, host) for host, title in titles])

    def rows(self) -> Sequence[Row]:
        """All rows, as they stand."""
        with self._lock:
            return tuple(self._rows)

    def hosts(self) -> set[str]:
        """The servers of this run; this machine isn't one."""
        return {row.host for row in self.rows() if row.host is not None}

    @contextmanager
    def running(self, title: str, host: str | None) -> Iterator[Row]:
        """Run one step on its announced row, or on a new one; failed when it raises, else done."""
        row = self._begin(title, host)
        try:
            yield row
        except BaseException:
            row.ended, row.state = time.monotonic(), State.FAILED
            raise
        row.ended, row.state = time.monotonic(), State.DONE

    def _begin(self, title: str, host: str | None) -> Row:
        with self._lock:
            waiting = (r for r in self._rows if (r.title, r.host, r.state) == (title, host, State.PENDING))
            row = next(waiting, None)
            if row is None:
                row = Row(title, host)
                self._rows.append(row)
            row.started, row.state = time.monotonic(), State.RUNNING
            return row
