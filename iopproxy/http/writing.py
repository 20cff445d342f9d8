"""HTTP/1.1 messages as bytes (RFC 9112): heads for both directions, chunks, and the proxy's own small pages."""

from __future__ import annotations

import time
from collections.abc import Sequence
from email.utils import formatdate
from functools import lru_cache
from typing import Final

from iopproxy.http.headers import Header
from iopproxy.http.pages import phrase
from iopproxy.http.request import Request
from iopproxy.http.response import Response

__all__ = [
    "CLOSE",
    "chunk",
    "date",
    "interim_head",
    "last_chunk",
    "own_response",
    "request_head",
    "response_head",
]

CLOSE: Final = b"Connection: close"
_PORTS: Final = {b"http": b"80", b"https": b"443"}
"""Where a proxy in front was asked, when it says only how."""


def chunk(data: bytes) -> bytes:
    """One chunk. ``data`` isn't empty: an empty chunk would end the body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def last_chunk(trailers: Sequence[Header]) -> bytes:
    """The end of a chunked body (RFC 9112 section 7.1)."""
    if not trailers:
        return b"0\r\n\r\n"
    return b"0\r\n%b\r\n\r\n" % b"\r\n".join([name + b": " + value for name, value in trailers])


def request_head(request: Request, client: bytes, scheme: bytes, port: int, believe: bool) -> bytes:
    """A request's head for an upstream. ``client`` is the client's address, ``port`` ours.

    With ``believe`` (another proxy of the owner's stands in front) what the client side says about itself is
    kept, and its address only added to X-Forwarded-For; without, it is replaced.
    """
    lines = [b"%b %b HTTP/1.1" % (request.method, request.target), request.lines or request.written()]
    if believe and request.forwarded:
        lines += _believed(request, client, scheme, port)
        lines.append(b"X-Request-ID: " + request.id)
    else:
        lines.append(_told(client, scheme, port))
        lines.append(b"X-Forwarded-Host: %b\r\nX-Request-ID: %b" % (request.authority, request.id))
    if request.upgrade is not None:
        lines.append(b"Connection: Upgrade\r\nUpgrade: " + request.upgrade)
    elif request.wants_trailers:
        lines.append(b"TE: trailers\r\nConnection: TE")
    if request.chunked:
        lines.append(b"Transfer-Encoding: chunked")
    elif request.length is not None:
        lines.append(b"Content-Length: %d" % request.length)
    lines.append(b"\r\n")
    return b"\r\n".join(lines)


@lru_cache(maxsize=4096)
def _told(client: bytes, scheme: bytes, port: int) -> bytes:
    """What is the same for every request of a client."""
    return b"X-Forwarded-For: %b\r\nX-Forwarded-Proto: %b\r\nX-Forwarded-Port: %d\r\nX-Real-IP: %b" % (
        client,
        scheme,
        port,
        client,
    )


def _believed(request: Request, client: bytes, scheme: bytes, port: int) -> list[bytes]:
    said: dict[bytes, list[bytes]] = {}
    for name, value in request.forwarded:
        said.setdefault(name.lower(), []).append(value)
    before = said.pop(b"x-forwarded-for", [])
    nearest = before[-1].rpartition(b",")[2].strip() if before else client
    """Whom the proxy in front of us spoke to."""
    proto = said.pop(b"x-forwarded-proto", [b""])[0]
    known = _PORTS.get(proto.lower(), b"%d" % port)
    proto = proto or scheme
    told = {
        b"X-Forwarded-For": b", ".join([*before, client]),
        b"X-Forwarded-Proto": proto,
        b"X-Forwarded-Port": said.pop(b"x-forwarded-port", [known])[0],
        b"X-Forwarded-Host": said.pop(b"x-forwarded-host", [request.authority])[0],
        b"X-Real-IP": said.pop(b"x-real-ip", [nearest])[0],
    }
    lines = [name + b": " + value for name, value in told.items()]
    return lines + [b"%b: %b" % (name, value) for name, values in said.items() for value in values]


def response_head(response: Response, framing: bytes, connection: bytes) -> bytes:
    """A response's head for a client. ``framing`` and ``connection`` are whole header lines or empty."""
    lines = [response.lines or response.written()]
    for name, value in response.added:
        lines.append(name + b": " + value)  # one or two: a comprehension would cost more
    if not response.dated:
        lines.append(b"Date: " + date())
    if framing:
        lines.append(framing)
    if connection:
        lines.append(connection)
    lines.append(b"\r\n")
    return b"\r\n".join(lines)


def interim_head(response: Response) -> bytes:
    """A 1xx response."""
    return response.written() + b"\r\n\r\n"


def own_response(
    status: int, headers: Sequence[Header], body: bytes, connection: bytes, with_body: bool
) -> bytes:
    """A whole response of the proxy's own."""
    response = Response(status, phrase(status), keep_alive=True)
    response.headers.extend(headers)
    head = response_head(response, b"Content-Length: %d" % len(body), connection)
    return head + body if with_body else head


def date() -> bytes:
    """What a response without a Date gets (RFC 9110 section 6.6.1)."""
    return _date(int(time.time()))


@lru_cache(maxsize=2)
def _date(now: int) -> bytes:
    return formatdate(now, usegmt=True).encode()
