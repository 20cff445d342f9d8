"""The admin token: made once, readable by the proxy's user only."""

from __future__ import annotations

import hmac
import re
import secrets
from pathlib import Path

from twisted.logger import Logger

from iopproxy.routing.files import read_private, replace, set_aside

__all__ = ["load_token", "matches"]

_log = Logger()

_SIZE = 4096
"""Bytes that are read of the file; a token is 43."""
_TOKEN = re.compile(rb"\s*([!-~]{1,1024})\s*")


def load_token(folder: Path) -> str:
    """The token in ``folder``/admin.token, which is made private; a new one if there is none.

    A file that holds no token is set aside and reported. Raises OSError.
    """
    path = folder / "admin.token"
    try:
        content = read_private(path, _SIZE)
    except FileNotFoundError:
        return _make(path)
    if match := _TOKEN.fullmatch(content):
        return match[1].decode("ascii")
    _log.error(
        "{path} holds no token; it is kept as {aside} and there is a new one. Nothing needs to be done.",
        path=str(path),
        aside=str(set_aside(path)),
    )
    return _make(path)


def _make(path: Path) -> str:
    token = secrets.token_urlsafe(32)
    replace(path, f"{token}\n".encode())
    return token


def matches(header: bytes | None, token: str) -> bool:
    """Whether an Authorization header carries the token. Takes the same time whatever it holds."""
    scheme, _, given = (header or b"").partition(b" ")
    same = hmac.compare_digest(given.strip(), token.encode())
    return scheme.lower() == b"bearer" and same
