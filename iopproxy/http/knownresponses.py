"""Responses whose head was read before: see ``known``."""

from __future__ import annotations

from typing import Final

from iopproxy.http.known import Known
from iopproxy.http.limits import Limits
from iopproxy.http.response import Response, ResponseReader

__all__ = ["KnowingResponseReader"]

_END: Final = b"\r\n\r\n"


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
        if response is None or response.length != received or not self._is_plain(response):
            return
        if self._known.comes_again(head):
            self._known.learn(head, response.again())

    def _is_plain(self, response: Response) -> bool:
        """Whether it was all of its piece, and HTTP may follow."""
        return self.complete and response.upgrade is None and not self.interim and not self.surplus
