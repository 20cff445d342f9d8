"""Answers to a certificate authority's questions over HTTP (RFC 8555 section 8.3), while it is asking."""

from __future__ import annotations

import re
from typing import Any

from iopproxy.control.routes import Sharing
from iopproxy.routing.values import InvalidError, require_keys

__all__ = ["Challenges", "read_key_authorization"]

KIND = "challenges"
"""Of the entries that workers get: the key is the token, the value the key authorization."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,128}")
"""base64url of at least 128 bits (RFC 8555 section 8.3 asks for as much)."""
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")
_MOST = 1000
"""Challenges at once. One that was answered is removed, so more of them are a mistake."""


def read_key_authorization(token: str, body: Any) -> str:
    """The answer for a token, from the body of a PUT (RFC 8555 section 8.1). Raises InvalidError."""
    require_keys(body, frozenset({"key_authorization"}))
    value = body["key_authorization"]
    if not _TOKEN.fullmatch(token):
        raise InvalidError("A token must be 16 to 128 letters, digits, - and _.")
    given, _, thumbprint = value.partition(".") if isinstance(value, str) else ("", "", "")
    if given != token or not _THUMBPRINT.fullmatch(thumbprint):
        raise InvalidError("key_authorization must be the token, a dot and the account key's thumbprint.")
    return f"{token}.{thumbprint}"


class Challenges:
    """Those that are answered now. They don't outlive the program, and neither does the asking."""

    def __init__(self, workers: Sharing) -> None:
        self._workers = workers
        self._tokens: set[str] = set()

    async def put(self, token: str, key_authorization: str) -> None:
        """Answer with it; every worker does when this returns. Raises InvalidError when there are too many."""
        if len(self._tokens) >= _MOST and token not in self._tokens:
            raise InvalidError(f"There are {_MOST} challenges already.")
        self._tokens.add(token)
        await self._workers.put([(KIND, token, key_authorization)])

    async def delete(self, token: str) -> None:
        """No longer. One that isn't there is no mistake."""
        if token in self._tokens:
            self._tokens.discard(token)
            await self._workers.put([(KIND, token, None)])
