"""Progress of programs that print hundreds of lines."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["Say", "paced"]

Say = Callable[[str], None]
"""Takes one line of progress. Whoever calls us decides where it is shown."""


def paced(say: Say, prefix: str, interval: float = 2.0) -> Say:
    """A ``say`` that passes on at most one line per ``interval`` seconds, as ``PREFIX: LINE``.

    The first waits too: what is done sooner than that says nothing.
    """
    last = time.monotonic()

    def say_sometimes(line: str) -> None:
        nonlocal last
        if time.monotonic() - last >= interval:
            last = time.monotonic()
            say(f"{prefix}: {line[:100]}")

    return say_sometimes
