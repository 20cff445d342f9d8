"""Progress of programs that print hundreds of lines."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

__all__ = ["Say", "paced"]

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")

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
            say(f"{prefix}: {_COLOUR.sub('', line)[:100]}")

    return say_sometimes
