"""What a tool said, in one line."""

from __future__ import annotations

import subprocess
from typing import NamedTuple


class Result(NamedTuple):
    """``said``: the tool's own words or numbers."""

    suite: str
    case: str
    passed: bool
    said: str


def output(*argv: str, seconds: float = 120) -> str:
    """All that a program says."""
    done = subprocess.run(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds, check=False
    )
    return done.stdout


def line(text: str, mark: str) -> str:
    """The last line with ``mark`` in it."""
    return next((each.strip() for each in reversed(text.splitlines()) if mark in each), "nothing")
