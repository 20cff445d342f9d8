"""The admin token: made once, readable by the proxy's user only."""

from __future__ import annotations

import hmac
import secrets
from pathlib import Path

from iopproxy.routing.files import replace

__all__ = ["load_token", "matches"]


def load_token(folder: Path) -> str:
    """The token in ``folder``/admin.token, made now if there is none. Raises OSError."""
    path = folder / "admin.token"
    try:
        token = path.read_text("ascii").strip()
    except FileNotFoundError:
        token = ""
    if not token:
        token = secrets.token_urlsafe(32)
        replace(path, f"{token}\n".encode())
    return token


def matches(header: bytes | None, token: str) -> bool:
    """Whether an Authorization header carries the token. Takes the same time whatever it holds."""
    scheme, _, given = (header or b"").partition(b" ")
    same = hmac.compare_digest(given.strip(), token.encode())
    return scheme.lower() == b"bearer" and same
