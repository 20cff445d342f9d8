"""HTTP/1.1 messages as bytes (RFC 9112): heads for both directions, chunks, and the proxy's own small pages."""

from __future__ import annotations

import time
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Final

from iopproxy.http.request import Request
from iopproxy.http.response import Response

__all__ = ["CLOSE", "LAST_CHUNK", "chunk", "interim_head", "page", "request_head", "response_head"]

CLOSE: Final = b"Connection: close"
LAST_CHUNK: Final = b"0\r\n\r\n"

_EXPLANATIONS: Final = {
    400: "The request isn't valid HTTP.",
    404: "No app is served under this name.",
    408: "The request didn't come in time.",
    502: "The app can't be reached.",
    504: "The app didn't answer in time.",
}


def chunk(data: bytes) -> bytes:
    """One chunk. ``data`` isn't empty: an empty chunk would end the body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def request_head(request: Request, client: bytes, scheme: bytes, believe: bool) -> bytes:
    """A request's head for an upstream. ``client`` is the client's address.

    With ``believe`` (another proxy of the owner's stands in front) what the client side says about itself is
    kept, and its address only added to X-Forwarded-For; without, it is replaced.
    """
    lines = [b"%b %b HTTP/1.1\r\nHost: %b" % (request.method, request.target, request.authority)]
    lines += [name + b": " + value for name, value in request.headers]
    said: dict[bytes, list[bytes]] = {}
    if believe:
        for name, value in request.forwarded:
            said.setdefault(name.lower(), []).append(value)
    told = [*said.pop(b"x-forwarded-for", ()), client]
    proto = said.pop(b"x-forwarded-proto", [scheme])[0]
    host = said.pop(b"x-forwarded-host", [request.authority])[0]
    lines.append(
        b"X-Forwarded-For: %b\r\nX-Forwarded-Proto: %b\r\nX-Forwarded-Host: %b"
        % (b", ".join(told), proto, host)
    )
    lines += [b"%b: %b" % (name, value) for name, values in said.items() for value in values]
    if request.chunked:
        lines.append(b"Transfer-Encoding: chunked")
    elif request.length is not None:
        lines.append(b"Content-Length: %d" % request.length)
    lines.append(b"\r\n")
    return b"\r\n".join(lines)


def response_head(response: Response, framing: bytes, connection: bytes) -> bytes:
    """A response's head for a client. ``framing`` and ``connection`` are whole header lines or empty."""
    lines = [b"HTTP/1.1 %d %b" % (response.status, response.reason)]
    lines += [name + b": " + value for name, value in response.headers]
    if not response.dated:
        lines.append(b"Date: " + _date(int(time.time())))  # RFC 9110 section 6.6.1
    if framing:
        lines.append(framing)
    if connection:
        lines.append(connection)
    lines.append(b"\r\n")
    return b"\r\n".join(lines)


def interim_head(response: Response) -> bytes:
    """A 1xx response."""
    lines = [b"HTTP/1.1 %d %b" % (response.status, response.reason)]
    lines += [name + b": " + value for name, value in response.headers]
    lines.append(b"\r\n")
    return b"\r\n".join(lines)


def page(status: int, connection: bytes, with_body: bool) -> bytes:
    """A whole response of the proxy's own: a sentence of plain text."""
    phrase = HTTPStatus(status).phrase
    body = f"{status} {phrase}\n{_EXPLANATIONS.get(status, '')}".rstrip().encode() + b"\n"
    response = Response(status, phrase.encode(), keep_alive=True)
    response.headers = [(b"Content-Type", b"text/plain; charset=utf-8"), (b"Cache-Control", b"no-store")]
    head = response_head(response, b"Content-Length: %d" % len(body), connection)
    return head + body if with_body else head


@lru_cache(maxsize=2)
def _date(now: int) -> bytes:
    return formatdate(now, usegmt=True).encode()
