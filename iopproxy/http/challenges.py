"""The answers to a certificate authority's questions (RFC 8555 section 8.3), in the process that is asked."""

from __future__ import annotations

from typing import Final

__all__ = ["Challenges"]

_PREFIX: Final = b"/.well-known/acme-challenge/"


class Challenges:
    """Key authorizations by token."""

    def __init__(self) -> None:
        self._answers: dict[bytes, bytes] = {}

    def put(self, token: str, key_authorization: str | None) -> None:
        """Answer for a token, or no longer."""
        path = _PREFIX + token.encode("ascii")
        if key_authorization is None:
            self._answers.pop(path, None)
        else:
            self._answers[path] = key_authorization.encode("ascii")

    def find(self, target: bytes) -> bytes | None:
        """The answer to a request for ``target``, None when the question isn't ours: an app may have its own."""
        return self._answers.get(target)
