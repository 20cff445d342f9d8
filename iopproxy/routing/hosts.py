"""Host names as routes are looked up by: lower case, without port and trailing dot."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["normalise"]

_AUTHORITY = re.compile(
    rb"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?|\[[0-9A-Fa-f:.]+\])\.?(?::(?P<port>[0-9]{0,5}))?"
)
"""uri-host [":" port], RFC 9110 section 7.2, held to the characters that host names and IP literals use."""


_SIZE = 260
"""Bytes: the longest name, its dot and a port. Nothing longer is valid."""


def normalise(authority: bytes) -> str | None:
    """The key a route is found by, or None when ``authority`` (a Host header's value) isn't valid."""
    return _normalised(authority) if len(authority) <= _SIZE else None


@lru_cache(maxsize=16384)
def _normalised(authority: bytes) -> str | None:
    """The same few names come with every request."""
    match = _AUTHORITY.fullmatch(authority)
    if match is None or len(match["name"]) > 253 or int(match["port"] or 0) > 65535:
        return None
    name: bytes = match["name"]
    return name.decode("ascii").lower()
