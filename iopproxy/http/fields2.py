"""What HTTP/2's fields mean (RFC 9113 section 8): a request out of a header block, as strict as HTTP/1's reader,
and a response's head.

The checks of the h2 library end the connection; ours end the stream, so one bad request doesn't take others along.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from iopproxy.http import headers
from iopproxy.http.headers import Header
from iopproxy.http.ids import valid_id
from iopproxy.http.limits import Limits
from iopproxy.http.request import RefusedError, Request
from iopproxy.http.response import Response
from iopproxy.http.writing import date
from iopproxy.routing.hosts import normalise

__all__ = ["MalformedError", "finish", "head_of", "request_of", "status_field", "trailers_of"]

_METHODS: Final = frozenset(
    b"GET HEAD POST PUT DELETE OPTIONS PATCH QUERY ACL BIND CHECKOUT COPY LINK LOCK M-SEARCH MERGE MKACTIVITY "
    b"MKCALENDAR MKCOL MOVE NOTIFY PROPFIND PROPPATCH PURGE REBIND REPORT SEARCH SUBSCRIBE UNBIND UNLINK UNLOCK "
    b"UNSUBSCRIBE".split()
)
"""What HTTP/1's reader serves, and no more: no CONNECT, no TRACE."""
_WITH_BODY: Final = frozenset({b"POST", b"PUT", b"PATCH"})
"""Methods whose empty body is announced to servers that insist on a length (RFC 9110 section 8.6)."""

_PSEUDO: Final = -1
_MALFORMED: Final = -2
_COOKIE: Final = -3
_PSEUDO_FIELDS: Final = frozenset({b":method", b":scheme", b":authority", b":path"})
_CONNECTION_FIELDS: Final = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"}
)
"""RFC 9113 section 8.2.2."""
_PLAIN: Final = frozenset({headers.OTHER, headers.DATE, headers.STRICT})

_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]+").fullmatch
_BAD_VALUE: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]|\A[ \t]|[ \t]\Z").search
_BAD_PATH: Final = re.compile(rb"[^\x21-\x7e]|#").search
_LENGTH: Final = re.compile(rb"[0-9]{1,18}").fullmatch
_NAME_SIZE: Final = 64


class MalformedError(Exception):
    """The stream ends with PROTOCOL_ERROR (RFC 9113 section 8.1.1)."""


def request_of(lines: Sequence[Header], ended: bool, limits: Limits) -> Request:
    """The request of a header block; ``ended``: nothing follows. Raises MalformedError and RefusedError."""
    _check_size(lines, limits)
    pseudo: dict[bytes, bytes] = {}
    rest = 0
    for name, value in lines:
        if _kind(name) != _PSEUDO:
            break
        if name in pseudo:
            raise MalformedError("A pseudo-header field is there twice.")
        pseudo[name] = value
        rest += 1
    request = _begin(pseudo, limits)
    host = _sort(request, lines[rest:])
    _find_host(request, pseudo.get(b":authority"), host)
    request.ended = ended
    if ended:
        finish(request)
    elif request.length is None:
        request.chunked = True
    return request


def trailers_of(lines: Sequence[Header], limits: Limits) -> list[Header]:
    """The trailer fields that go on. Raises MalformedError."""
    try:
        _check_size(lines, limits)
    except RefusedError as error:
        raise MalformedError(str(error)) from error
    for name, value in lines:
        if _kind(name) in (_PSEUDO, _MALFORMED) or _BAD_VALUE(value):
            raise MalformedError("A trailer field isn't valid.")
    return headers.trailers(lines)


def finish(request: Request, begun: bool = False) -> None:
    """All of it came. Raises MalformedError when the body isn't as long as it said (RFC 9113 section 8.1.1).

    ``begun``: its head may be with a target already, which was told then how the body will be framed.
    """
    request.ended = True
    if request.length is not None:
        if request.received != request.length:
            raise MalformedError("The body isn't as long as Content-Length says.")
    elif not begun and not request.received and not request.trailers:
        request.chunked = False
        if request.method in _WITH_BODY:
            request.length = 0


def status_field(status: int) -> Header:
    """What a response begins with (RFC 9113 section 8.3.2)."""
    return (b":status", b"%d" % status)


def head_of(response: Response) -> list[Header]:
    """The fields of a target's final response."""
    fields = [status_field(response.status), *response.headers, *response.added]
    if not response.dated:
        fields.append((b"date", date()))
    if response.length is not None and response.status != 204:
        fields.append((b"content-length", b"%d" % response.length))
    return fields


def _check_size(lines: Sequence[Header], limits: Limits) -> None:
    if len(lines) > limits.header_count:
        raise RefusedError(431, "There are too many fields.")
    if sum([len(name) + len(value) + 4 for name, value in lines]) > limits.head_size:
        raise RefusedError(431, "The fields are too large.")


def _begin(pseudo: dict[bytes, bytes], limits: Limits) -> Request:
    method = pseudo.get(b":method", b"")
    if method == b"CONNECT":
        raise RefusedError(501, "The method isn't served.")
    path = pseudo.get(b":path", b"")
    if not method or not path or pseudo.get(b":scheme") not in (b"http", b"https"):
        raise MalformedError("A pseudo-header field is missing or empty.")
    if len(path) > limits.target_size:
        raise RefusedError(414, "The target is too long.")
    if (path[0] != 0x2F and (path != b"*" or method != b"OPTIONS")) or _BAD_PATH(path):
        raise MalformedError("The path isn't one.")
    if method not in _METHODS:
        raise RefusedError(501, "The method isn't served.")
    return Request(method, path, modern=True, keep_alive=True)


def _sort(request: Request, lines: Sequence[Header]) -> bytes | None:
    """Put each field where it belongs; the value of Host is returned."""
    host: bytes | None = None
    cookies: list[bytes] = []
    on = request.headers.append
    for line in lines:
        name, value = line
        kind = _kind(name)
        if _BAD_VALUE(value):
            raise MalformedError("A field's value isn't valid.")
        if kind in _PLAIN:
            on(line)
        elif kind == _COOKIE:
            cookies.append(value)
        elif kind == headers.FORWARDED:
            request.forwarded.append(line)
        elif kind != headers.HOST:
            _put(request, kind, line)
        elif host is None:
            host = value
        else:
            raise MalformedError("There are two Hosts.")
    if cookies:
        on((b"cookie", b"; ".join(cookies)))  # RFC 9113 section 8.2.3
    return host


def _put(request: Request, kind: int, line: Header) -> None:
    """A field that has a meaning to us, or none that is allowed."""
    value = line[1]
    if kind == headers.LENGTH:
        if request.length is not None or not _LENGTH(value):
            raise MalformedError("Content-Length isn't valid.")
        request.length = int(value)
    elif kind == headers.REQUEST_ID:
        request.id = value if valid_id(value) else b""
    elif kind == headers.TE:
        if value.lower() != b"trailers":
            raise MalformedError("TE is something else than trailers.")
        request.wants_trailers = True
    elif kind == headers.TRAILER:
        request.headers.append(line)
    elif kind == headers.HOPS:
        request.count_hop(line)
    elif kind == headers.EXPECT:
        request.headers.append(line)
        request.waits = b"100-continue" in headers.options(value)
    elif kind in (_PSEUDO, _MALFORMED):
        raise MalformedError("A field isn't valid here.")


def _find_host(request: Request, authority: bytes | None, host: bytes | None) -> None:
    """RFC 9113 section 8.3.1: :authority counts, and a Host beside it says the same."""
    if authority is not None and host is not None and authority.lower() != host.lower():
        raise MalformedError("Host and :authority differ.")
    request.authority = (authority if authority is not None else host) or b""
    name = normalise(request.authority)
    if name is None:
        raise RefusedError(400, "The host isn't valid.")
    request.host = name


def _kind(name: bytes) -> int:
    """The meaning of a field's name: one of ``headers``, or one of those that only HTTP/2 has."""
    return _cached_kind(name) if len(name) <= _NAME_SIZE else _found_kind(name)


def _found_kind(name: bytes) -> int:
    if name in _PSEUDO_FIELDS:
        return _PSEUDO
    if name in _CONNECTION_FIELDS or not _NAME(name):
        return _MALFORMED
    return _COOKIE if name == b"cookie" else headers.kind(name)


_cached_kind = lru_cache(maxsize=4096)(_found_kind)
