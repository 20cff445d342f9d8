"""The proxy's own responses: small, plain, and with the request's id, so that it can be found in the log."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from iopproxy.http.headers import Header

__all__ = ["page", "phrase"]

_EXPLANATIONS: Final = {
    400: "The request isn't valid HTTP.",
    404: "No app is served under this name.",
    408: "The request didn't come in time.",
    413: "The request's body is larger than this app takes.",
    502: "The app can't be reached.",
    503: "The app isn't available right now.",
    504: "The app didn't answer in time.",
}
_LINES: Final[list[Header]] = [
    (b"Content-Type", b"text/plain; charset=utf-8"),
    (b"Cache-Control", b"no-store"),
]
_PHRASES: Final = {status.value: status.phrase.encode() for status in HTTPStatus}


def phrase(status: int) -> bytes:
    """The reason phrase of a status code, b"" when it has none."""
    return _PHRASES.get(status, b"")


def page(status: int, identity: bytes = b"") -> tuple[list[Header], bytes]:
    """(header lines, body) of an error: a sentence of plain text, and the request's id when there is one."""
    lines = [b"%d %b" % (status, phrase(status))]
    if explanation := _EXPLANATIONS.get(status):
        lines.append(explanation.encode())
    if identity:
        lines.append(b"Request: " + identity)
    return _LINES, b"\n".join(lines) + b"\n"
