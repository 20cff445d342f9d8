"""The admin API's door: twisted.web in front, the token, and JSON."""

from __future__ import annotations

import json
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import Request as HttpRequest
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from iopproxy.control.api import Answer, Api, Call
from iopproxy.control.token import matches

__all__ = ["admin_site"]

_BODY_SIZE = 1048576
"""Bytes; the largest sensible body is a maintenance page."""


class _BoundedRequest(Request):
    """A request that keeps no more of its body than it may have."""

    taken = 0
    gone = False
    """Whoever asked doesn't wait for the answer any more."""

    def connectionLost(self, reason: Failure) -> None:
        self.gone = True
        Request.connectionLost(self, reason)

    def handleContentChunk(self, data: bytes) -> None:
        self.taken += len(data)
        if self.taken <= _BODY_SIZE:
            HttpRequest.handleContentChunk(self, data)


class _Door(Resource):
    """Answers for every path."""

    isLeaf = True
    _log = Logger()

    def __init__(self, api: Api, token: str) -> None:
        Resource.__init__(self)
        self._api = api
        self._token = token

    def render(self, request: _BoundedRequest) -> int:
        answering = Deferred.fromCoroutine(self._answer(request))
        # Whoever goes away while a drain or a check runs isn't waited for any longer.
        request.notifyFinish().addErrback(lambda _: answering.cancel())
        answering.addErrback(self._unexpected, request)
        answering.addCallback(lambda answer: None if request.gone else _write(request, answer))
        return NOT_DONE_YET

    async def _answer(self, request: _BoundedRequest) -> Answer:
        path = request.path.decode("latin-1")
        if path != "/healthz" and not matches(request.getHeader(b"authorization"), self._token):
            return Answer(401, {"error": "The admin token is missing or wrong."})
        if request.taken > _BODY_SIZE:
            return Answer(413, {"error": f"The body is larger than {_BODY_SIZE} bytes."})
        body: Any = None
        if request.content is not None and (raw := request.content.read()):
            try:
                body = json.loads(raw)
            except (ValueError, RecursionError):
                return Answer(400, {"error": "The body isn't JSON."})
        return await self._api.answer(Call(request.method.decode("latin-1"), path, body))

    def _unexpected(self, failure: Failure, request: _BoundedRequest) -> Answer:
        if not request.gone:
            self._log.failure("An admin call failed", failure=failure)
        return Answer(500, {"error": "The proxy failed; its log says how."})


def _write(request: Request, answer: Answer) -> None:
    request.setResponseCode(answer.status)
    if isinstance(answer.body, bytes):
        request.setHeader("content-type", CONTENT_TYPE_LATEST)
        request.write(answer.body)
    else:
        request.setHeader("content-type", "application/json")
        request.write(json.dumps(answer.body).encode() + b"\n")
    request.finish()


class AdminSite(Site):
    """No access log: it would show every call of iop's."""

    noisy = False

    def log(self, request: object) -> None:
        pass


def admin_site(api: Api, token: str) -> Site:
    """What listens on the admin port."""
    return AdminSite(_Door(api, token), requestFactory=_BoundedRequest)  # type: ignore[no-untyped-call]  # Twisted's
