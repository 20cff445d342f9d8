"""Requests whose header lines were read before: see ``known``."""

from __future__ import annotations

import re
from typing import Final

from iopproxy.http.known import Known
from iopproxy.http.limits import Limits
from iopproxy.http.reader import RequestReader
from iopproxy.http.request import Request

__all__ = ["KnowingRequestReader"]

_END: Final = b"\r\n\r\n"
_LINE: Final = re.compile(rb"(GET|HEAD|POST|PUT|PATCH|DELETE) (/[!\"$-~]*) HTTP/1\.1\r\n").match
"""The request lines with which header lines mean the same, whichever of them it is. With OPTIONS one means more."""


class KnowingRequestReader(RequestReader):
    """Knows the header lines of requests without a body that came in one piece; their first lines may differ."""

    def __init__(self, limits: Limits, known: Known[Request]) -> None:
        super().__init__(limits)
        self._known = known

    def feed(self, data: bytes) -> None:
        """More bytes."""
        if (
            self.in_head
            or self._open is not None
            or self._over
            or self.rest
            or self._waiting
            or self.refusal is not None
            or (line := _LINE(data)) is None
            or line.end(2) - line.start(2) > self._limits.target_size
        ):
            super().feed(data)
            return
        lines = data[line.end() :]
        known = self._known.get(lines)
        if known is not None:
            self._idle_bytes = 0
            self.arrived.append(known.again(*line.groups()))
            return
        before = len(self.arrived)
        super().feed(data)
        if len(self.arrived) == before + 1 and lines.find(_END) == len(lines) - len(_END):
            request = self.arrived[-1]
            if _is_plain(request) and self._known.comes_again(lines):
                self._known.learn(lines, request.again(b"GET", b"/"))


def _is_plain(request: Request) -> bool:
    """Whether there was nothing but the head, and nothing in that of a body, another protocol or an end."""
    framed = request.length is not None or request.chunked
    return (
        request.ended and request.keep_alive and not framed and not request.waits and request.upgrade is None
    )
