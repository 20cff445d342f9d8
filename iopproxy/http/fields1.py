"""What the header lines of an HTTP/1 request mean to a proxy (RFC 9112). Those of HTTP/2 are in ``fields2``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from iopproxy.http import headers
from iopproxy.http.headers import HOST, Header
from iopproxy.http.ids import valid_id
from iopproxy.http.request import RefusedError, Request

__all__ = ["sort"]

_PLAIN: Final = frozenset({headers.DATE, headers.STRICT})


def sort(request: Request, special: Sequence[tuple[int, Header]]) -> None:
    """Do what the special lines say. Raises RefusedError. One Host is the only one in most requests."""
    if len(special) == 1 and special[0][0] == HOST:
        request.authority = special[0][1][1].rstrip(b" \t")
        return
    hosts = 0
    taken: frozenset[bytes] = frozenset()
    announced: list[Header] = []
    for kind, line in special:
        if kind == HOST:
            request.authority = line[1].rstrip(b" \t")
            hosts += 1
        elif kind == headers.CONNECTION:
            taken |= headers.named(line[1])
        elif kind in _PLAIN:
            request.headers.append(line)
        elif kind == headers.TRAILER:
            announced.append(line)
        else:
            _note(request, kind, line)
    if hosts != 1:
        raise RefusedError(400, "There must be exactly one Host.")
    if request.chunked:
        if request.length is not None:
            raise RefusedError(400, "There are both Content-Length and Transfer-Encoding.")
        request.headers += announced
    if taken:
        request.headers = headers.without(request.headers, taken)
        request.forwarded = headers.without(request.forwarded, taken)


def _note(request: Request, kind: int, line: Header) -> None:
    """What a line says that doesn't go on as it is, or not only."""
    value = line[1]
    if kind == headers.LENGTH:
        request.length = int(value)
    elif kind == headers.ENCODING:
        _encoding(request, value)
    elif kind == headers.FORWARDED:
        request.forwarded.append(line)
    elif kind == headers.REQUEST_ID:
        request.id = value if valid_id(value) else b""
    elif kind == headers.HOPS:
        request.count_hop(line)
    elif kind == headers.EXPECT:
        request.headers.append(line)
        request.waits = request.modern and b"100-continue" in headers.options(value)
    elif kind == headers.UPGRADE:
        request.upgrade = value if request.upgrade is None else request.upgrade + b"," + value
    elif kind == headers.TE:
        request.wants_trailers |= b"trailers" in headers.options(value)


def _encoding(request: Request, value: bytes) -> None:
    if request.chunked or not request.modern:
        raise RefusedError(400, "Transfer-Encoding is there twice, or in HTTP/1.0.")
    if value.strip(b" \t").lower() != b"chunked":
        raise RefusedError(501, "The transfer encoding isn't chunked.")
    request.chunked = True
