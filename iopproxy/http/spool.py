"""Lines on their way to a file descriptor that may block: a thread writes them, nobody else ever waits."""

from __future__ import annotations

import os
import select
import stat
from collections.abc import Iterator
from queue import SimpleQueue
from threading import Thread
from typing import Final

__all__ = ["Spool"]

_PIECE_SIZE: Final = 4096
"""Bytes. Several processes write to one pipe; up to PIPE_BUF (this, on Linux) what one writes stays together.
A file keeps together what is written at once, whatever its size, and each write is a change between two threads."""
_BATCH_SIZE: Final = 65536
"""Bytes that are handed to the thread before the next ``flush``."""


class Spool:
    """Takes whole lines and loses none, unless more than ``most`` bytes wait; ``lost`` counts those."""

    def __init__(self, descriptor: int, most: int) -> None:
        self._descriptor = descriptor
        self._piece_size = None if stat.S_ISREG(os.fstat(descriptor).st_mode) else _PIECE_SIZE
        self._most = most
        self._lines: list[bytes] = []
        self._size = 0
        self._given = 0
        """Bytes that the thread got, counted by us only, as ``_written`` is by the thread only."""
        self._written = 0
        self._dropped = 0
        self._unwritten = 0
        """Lines that could not be written, counted by the thread."""
        self._batches: SimpleQueue[list[bytes] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="access log", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> int:
        """Lines that nobody will ever see."""
        return self._dropped + self._unwritten

    def add(self, line: bytes) -> None:
        """One more line, at most 4096 bytes with its newline. Never blocks."""
        self._lines.append(line)
        self._size += len(line)
        if self._size >= _BATCH_SIZE:
            self.flush()

    def flush(self) -> None:
        """Have everything written that isn't yet; to be called now and then, as few lines wait otherwise."""
        lines, self._lines = self._lines, []
        size, self._size = self._size, 0
        if self._given - self._written + size > self._most:
            self._dropped += len(lines)
        elif lines:
            self._given += size
            self._batches.put(lines)

    def close(self, seconds: float) -> None:
        """Write what there is, and wait for that up to ``seconds``."""
        self.flush()
        self._batches.put(None)
        self._thread.join(seconds)

    # The thread's

    def _run(self) -> None:
        while (lines := self._batches.get()) is not None:
            text = b"".join(lines)
            for piece in [text] if self._piece_size is None else _pieces(text, self._piece_size):
                try:
                    self._write(piece)
                except OSError:
                    self._unwritten += piece.count(b"\n")
                self._written += len(piece)

    def _write(self, piece: bytes) -> None:
        left = memoryview(piece)
        while left:
            try:
                left = left[os.write(self._descriptor, left) :]
            except BlockingIOError:  # somebody else made it so
                select.select((), (self._descriptor,), ())


def _pieces(text: bytes, size: int) -> Iterator[bytes]:
    """Whole lines put together, as many as have ``size`` bytes."""
    begin = 0
    while begin < len(text):
        end = text.rfind(b"\n", begin, begin + size) + 1 or begin + size
        yield text[begin:end]
        begin = end
