"""How things read: seconds, bytes, and the finished line of a step. Pure."""

from __future__ import annotations

from iop.console.steps import Row, State

__all__ = ["ASCII", "UNICODE", "encodable", "finished", "one_line", "running", "seconds", "size", "size_of"]

_UNITS = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3))

#: The mark of each state, for streams that can carry any character, and for those that can't.
UNICODE = {State.PENDING: " ", State.RUNNING: " ", State.DONE: "✓", State.FAILED: "✗"}
ASCII = {State.PENDING: " ", State.RUNNING: " ", State.DONE: "+", State.FAILED: "x"}

_PLAIN = str.maketrans({"→": "->", "·": "-", "…": "...", "✓": "+", "✗": "x"})


def seconds(value: float) -> str:
    """``3.2 s``, from a minute on ``1 min 12 s``."""
    if value < 59.95:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s"


def size(count: int) -> str:
    """A number of bytes in the decimal unit that suits it: ``412 bytes``, ``3.1 MB``."""
    for unit, one in _UNITS:
        if count >= one:
            return f"{count / one:.1f} {unit}"
    return f"{count} bytes"


def size_of(done: int, total: int) -> str:
    """``12.3 of 45.0 MB``: both in the unit of the total."""
    for unit, one in _UNITS:
        if total >= one:
            return f"{done / one:.1f} of {total / one:.1f} {unit}"
    return f"{done} of {total} bytes"


def one_line(text: str) -> str:
    """``text`` with line breaks and control characters replaced, so that it can't move the cursor."""
    return "".join(char if char.isprintable() else " " for char in text)


def encodable(text: str, encoding: str) -> str:
    """``text`` as that encoding can carry it: our own signs have plain forms, the rest becomes ``?``."""
    if not encoding.lower().startswith("utf"):
        text = text.translate(_PLAIN)
    return text.encode(encoding, "replace").decode(encoding)


def running(row: Row, now: float) -> str:
    """The changing end of a line: seconds so far, and the bytes when there are any."""
    parts = [seconds(row.elapsed(now))]
    if row.total is not None:
        parts.append(size_of(row.done, row.total))
    return "  " + " · ".join(parts)


def finished(row: Row, now: float) -> str:
    """The end of a finished step's line: seconds, then the note."""
    tail = f"  {seconds(row.elapsed(now))}"
    return f"{tail} · {one_line(row.note)}" if row.note else tail
