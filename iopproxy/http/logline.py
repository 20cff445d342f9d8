"""One request as a line of JSON. Whatever a client sent, a line is valid JSON, ASCII, and of bounded length."""

from __future__ import annotations

import json
from collections.abc import Iterable
from time import gmtime, strftime
from typing import TYPE_CHECKING, Final

from iopproxy.http.headers import Header
from iopproxy.routing.state import Route

if TYPE_CHECKING:
    from iopproxy.http.exchange import Exchange

__all__ = ["LineWriter"]

_PATH_SIZE: Final = 1024
"""Bytes, as the following; the longest line has fewer than the 4096 that ``Spool`` can write in one piece."""
_HEADERS_SIZE: Final = 1536
_VALUE_SIZE: Final = 256
_WORD_SIZE: Final = 128

_LINE: Final = (
    b'{"time":"%b%03dZ","id":"%b","client":"%b","scheme":"%b","protocol":"%b","host":"%b","method":"%b",'
    b'"path":"%b","status":%d,"received":%d,"sent":%d,"first_byte":%b,"seconds":%.6f,%b,"fate":"%b"%b}\n'
)
_REFUSED: Final = (
    b'{"time":"%b%03dZ","id":null,"client":"%b","scheme":"%b","protocol":null,"host":null,"method":null,'
    b'"path":null,"status":%d,"received":0,"sent":0,"first_byte":null,"seconds":0,%b,"fate":"refused"}\n'
)
_NOWHERE: Final = b'"target":null,"release":null,"app":null'
_KEPT: Final = 4096
"""Targets of which it is kept what their lines say."""
_SAFE: Final = bytes(byte for byte in range(32, 127) if byte not in b'"\\')
"""What stands for itself in a JSON string: printable ASCII without quotes and backslashes."""


def _escaped(value: bytes, size: int) -> bytes:
    """What stands between the quotes of a JSON string: at most ``size`` bytes; what is cut ends in ``...``."""
    if not value.translate(None, _SAFE):
        return value if len(value) <= size else value[: size - 3] + b"..."
    pieces: list[str] = []
    left = size - 3
    for character in value[:size].decode("utf-8", "backslashreplace"):
        piece = json.dumps(character)[1:-1]
        left -= len(piece)
        if left < 0:
            return "".join(pieces).encode("ascii") + b"..."
        pieces.append(piece)
    return "".join(pieces).encode("ascii") + (b"..." if len(value) > size else b"")


def _headers(names: Iterable[str], headers: Iterable[Header]) -> bytes:
    """The asked ones among a request's headers, as a member of the line; the last may be missing for their size."""
    found: dict[bytes, list[bytes]] = {name.encode("ascii"): [] for name in names}
    for name, value in headers:
        if (values := found.get(name.lower())) is not None:
            values.append(value)
    members: list[bytes] = []
    left = _HEADERS_SIZE
    for name, values in found.items():
        if values:
            members.append(b'"%b":"%b"' % (name, _escaped(b", ".join(values), _VALUE_SIZE)))
            left -= len(members[-1]) + 1
            if left < 0:
                members.pop()
                break
    return b',"headers":{%b}' % b",".join(members)


class LineWriter:
    """Makes the lines. What many of them have in common is kept: the second, where a request went."""

    def __init__(self) -> None:
        self._second = -1
        self._stamp = b""
        self._ends: dict[str | None, tuple[Route, bytes]] = {}

    def refused(self, address: bytes, scheme: bytes, status: int, now: float) -> bytes:
        """Something that never became a request, answered with ``status`` at ``now``."""
        second = int(now)
        if second != self._second:
            self._turn(second)
        return _REFUSED % (self._stamp, (now - second) * 1000, address, scheme, status, _NOWHERE)

    def line(self, exchange: Exchange, now: float) -> bytes:
        """An exchange that ended at ``now``, seconds since 1970."""
        second = int(now)
        if second != self._second:
            self._turn(second)
        request, client, route, began = exchange.request, exchange.client, exchange.route, exchange.began
        path, method, name = request.target, request.method, request.id
        more = b""
        if route is None:
            end = _NOWHERE
            path = path.partition(b"?")[0]
        else:
            settings = route.settings
            if not settings.log_query:
                path = path.partition(b"?")[0]
            known = self._ends.get(exchange.target)
            end = known[1] if known is not None and known[0] is route else self._end(exchange.target, route)
            if settings.log_headers:
                more = _headers(settings.log_headers, (*request.headers, *request.forwarded))
        hostile = path + method + name
        if len(hostile) > _PATH_SIZE or hostile.translate(None, _SAFE):
            path = _escaped(path, _PATH_SIZE)
            method, name = _escaped(method, _WORD_SIZE), _escaped(name, _WORD_SIZE)
        first = exchange.first_byte_at
        return _LINE % (
            self._stamp,
            (now - second) * 1000,
            name,
            client.address,
            client.scheme,
            client.protocol if request.modern else b"HTTP/1.0",
            request.host.encode("ascii"),
            method,
            path,
            exchange.status,
            request.received,
            exchange.sent,
            b"%.6f" % (first - began) if first else b"null",
            exchange.ended_at - began,
            end,
            exchange.fate.encode(),
            more,
        )

    def _turn(self, second: int) -> None:
        self._second = second
        self._stamp = strftime("%Y-%m-%dT%H:%M:%S.", gmtime(second)).encode("ascii")

    def _end(self, target: str | None, route: Route) -> bytes:
        """Where a request went."""
        if len(self._ends) >= _KEPT:
            self._ends.clear()
        where = b"null" if target is None else b'"%b"' % target.encode("ascii")
        release = _escaped(route.live.release.encode(), _WORD_SIZE)
        end = b'"target":%b,"release":"%b","app":"%b"' % (where, release, route.key.encode("ascii"))
        self._ends[target] = (route, end)
        return end
