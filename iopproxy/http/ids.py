"""Request ids: short, made at almost no cost, and never the same twice, in whatever process."""

from __future__ import annotations

import os
import re
from itertools import count
from typing import Final

__all__ = ["RequestIds", "valid_id"]

_VALID: Final = re.compile(rb"[A-Za-z0-9._~+/=:@-]{1,128}").fullmatch


def valid_id(value: bytes) -> bool:
    """Whether a client's X-Request-ID is passed on: short, and nothing that a log or a shell trips over."""
    return _VALID(value) is not None


class RequestIds:
    """One process's ids. Make it after a fork: 96 random bits tell processes apart, a counter their requests."""

    def __init__(self) -> None:
        self._begin = os.urandom(12).hex().encode()
        self._next = count(1).__next__

    def next(self) -> bytes:
        """A new id: 32 hexadecimal digits."""
        return b"%b%08x" % (self._begin, self._next())
