"""Heads that were read before: clients and apps say the same again and again, and reading is what costs most.

Nothing is read less strictly for that. What a head means depends on its bytes and the limits alone, so what the strict
reader made of the very same bytes is used again, and only for messages of which nothing else has to be read.
"""

from __future__ import annotations

import re
from typing import Final, TypeVar

from iopproxy.http.limits import Limits
from iopproxy.http.reader import RequestReader
from iopproxy.http.request import Request
from iopproxy.http.response import Response, ResponseReader

__all__ = ["KnowingRequestReader", "KnowingResponseReader", "Known"]

_COUNT: Final = 512
_SIZE: Final = 2048
"""Bytes of a head. Others choose what they send, so neither many nor long ones are kept."""
_END: Final = b"\r\n\r\n"
_LINE: Final = re.compile(rb"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (/[!\"$-~]*) HTTP/1\.1\r\n").match
"""The request lines with which header lines mean the same, whichever of them it is."""

_Meaning = TypeVar("_Meaning")


class Known(dict[bytes, _Meaning]):
    """What heads mean under one set of limits."""

    def learn(self, head: bytes, meaning: _Meaning) -> None:
        """Keep one. ``meaning`` must not change any more."""
        if len(head) <= _SIZE:
            if len(self) >= _COUNT:
                self.clear()
            self[head] = meaning


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
            if _is_plain(request):
                self._known.learn(lines, request.again(b"GET", b"/"))


def _is_plain(request: Request) -> bool:
    """Whether there was nothing but the head, and nothing in that of a body, another protocol or an end."""
    framed = request.length is not None or request.chunked
    return request.ended and request.keep_alive and not framed and request.upgrade is None


class KnowingResponseReader(ResponseReader):
    """Knows the heads of responses that came in one piece, with a body of a length that was told."""

    def __init__(self, limits: Limits, known: Known[Response]) -> None:
        super().__init__(limits)
        self._known = known

    def feed(self, data: bytes) -> None:
        """More bytes. Raises MalformedError."""
        end = data.find(_END)
        if self.started or self._bodyless or end < 0:
            super().feed(data)
            return
        end += len(_END)
        head, received = data[:end], len(data) - end
        known = self._known.get(head)
        if known is not None and known.length == received:
            self.started = self.complete = True
            self.response = self.head = known.again()
            if received:
                self.parts.append(data[end:])
            return
        super().feed(data)
        response = self.head
        if (
            self.complete
            and response is not None
            and response.length == received
            and self._is_plain(response)
        ):
            self._known.learn(head, response.again())

    def _is_plain(self, response: Response) -> bool:
        """Whether it was the only response in its piece, and another may follow."""
        return response.keep_alive and response.upgrade is None and not self.interim and not self.surplus
