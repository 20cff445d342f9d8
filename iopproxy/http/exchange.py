"""One request's way: to a target of its route, and the response back. Knows nothing of the client's protocol."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import Final

from iopproxy.http.answers import RETRY_AFTER, Answer, answer_for, be_strict, message
from iopproxy.http.approach import Approach
from iopproxy.http.deadlines import NEVER
from iopproxy.http.headers import Header
from iopproxy.http.relay import Client, Relay
from iopproxy.http.request import Request
from iopproxy.http.response import Response
from iopproxy.http.tunnel import Tunnel
from iopproxy.http.upstream import UpstreamConnection
from iopproxy.http.writing import chunk, last_chunk, request_head

__all__ = ["CLIENT_GONE", "COMPLETE", "OWN", "TIMEOUT", "UPSTREAM_FAILED", "Exchange"]

COMPLETE: Final = "complete"
CLIENT_GONE: Final = "client gone"
UPSTREAM_FAILED: Final = "upstream failed"
TIMEOUT: Final = "timeout"
OWN: Final = "own"
"""Answered without asking a target."""


class Exchange(Approach):
    """From the moment a request is the next one until its response ended, failed, or nobody wants it any more.

    Public attributes are for the journal: ``target`` is the last one tried, ``status`` 0 when the client left
    before any, ``sent`` the body's bytes; moments are ``time.perf_counter``'s, 0.0 when they didn't come.
    """

    __slots__ = (
        "_held",
        "_received_before",
        "_sent_end",
        "_upstream",
        "_upstream_full",
        "_waited",
        "began",
        "client",
        "deadline",
        "ended_at",
        "fate",
        "first_byte_at",
        "sent",
        "status",
    )

    def __init__(self, relay: Relay, request: Request, client: Client, held: bool) -> None:
        super().__init__(relay, request)
        self.client = client
        self.status = 0
        self.sent = 0
        self.began = perf_counter()
        self.first_byte_at = 0.0
        self.ended_at = 0.0
        self.fate = ""
        self.deadline = NEVER
        self._held = held
        """The client takes no more of the response for now."""
        self._upstream: UpstreamConnection | None = None
        self._upstream_full = False
        self._received_before = 0
        """Bytes of the body that had come when it was looked at last."""
        self._waited = False
        """The client holds its body back until there is an upstream."""
        self._sent_end = False

    # What the client's protocol calls

    def start(self) -> None:
        """Find the route and send what came, or answer at once."""
        relay, request = self._relay, self.request
        if not request.id:
            request.id = relay.ids.next()
        self.route = route = relay.router.find(request.host)
        answer = answer_for(relay, request, self.client, route)
        if answer is not None:
            self._answer(answer, OWN)
            return
        relay.deadlines.add(self)
        self._next_target()

    def body_arrived(self) -> None:
        """There may be more in ``request.parts``, or ``request.ended`` may have become true."""
        request = self.request
        if self._done or self._sent_end or not (request.parts or request.ended):
            return
        most = self.route.settings.max_body if self.route is not None else None
        if most is not None and request.received > most:
            self._fail(413, OWN)
            return
        if request.ended or request.waits:
            request.waits = False
            self._set_deadline()
        if self._upstream is not None:
            self._send(self._upstream, b"")
        elif request.parts:
            self._hold_body()

    def hold(self, held: bool) -> None:
        """The client takes no more of the response for now, or takes more again."""
        self._held = held
        if self._upstream is not None:
            self._upstream.hold(held)

    def cancel(self) -> None:
        """Nobody wants the response any more."""
        if not self._done:
            self._finish(CLIENT_GONE)

    def refuse(self, status: int) -> None:
        """The rest of the request makes no sense."""
        if not self._done:
            self._fail(status, CLIENT_GONE if self.status else OWN)

    def expired(self) -> None:
        """Nothing happened for too long. Whose fault is it? The client's only if somebody could take its bytes."""
        request, limits = self.request, self._relay.limits
        if request.ended or request.waits or self._upstream_full or self._upstream is None:
            self._fail(504, TIMEOUT, "it didn't answer in time")
        elif request.received - self._received_before < limits.body_rate * limits.body_grace_time:
            self._fail(408, TIMEOUT)
        else:
            self._set_deadline()

    # Towards the upstream

    def _nobody(self) -> None:
        if self._tried:
            self._fail(502, UPSTREAM_FAILED)
        else:
            self._answer(Answer(503, (RETRY_AFTER,)), OWN)

    def _hold_body(self) -> None:
        self._waited = True
        self.client.hold_body(True)

    def _ask(self, upstream: UpstreamConnection) -> None:
        self._upstream = upstream
        request, client, route = self.request, self.client, self.route
        upstream.ask(self, request.method, request.upgrade)
        if self._held:
            upstream.hold(True)
        if not request.ended:
            self._set_deadline()
        believe = route is not None and route.settings.forward_headers
        head = request_head(request, client.address, client.scheme, client.port, believe)
        if request.ended and not request.received and not request.chunked:
            self._sent_end = True
            upstream.send(head, True)
        else:
            self._send(upstream, head)
        if self._waited and not self._upstream_full and self._upstream is not None:
            self._waited = False
            client.hold_body(False)

    def _send(self, upstream: UpstreamConnection, data: bytes) -> None:
        """``data`` and what there is of the body, in one piece."""
        request = self.request
        if request.parts:
            body = b"".join(request.parts)
            request.parts.clear()
            data += chunk(body) if request.chunked else body
        if request.ended and request.chunked:
            data += last_chunk(request.trailers)
        self._sent_end = request.ended
        upstream.send(data, request.ended)

    # From the upstream

    def upstream_full(self, full: bool) -> None:
        """Whether the upstream takes no more of the body for now."""
        self._upstream_full = full
        self._set_deadline()
        self.client.hold_body(full)

    def answered(
        self,
        interim: Sequence[Response],
        head: Response | None,
        body: bytes,
        complete: bool,
        trailers: Sequence[Header],
    ) -> None:
        """What came of the response at once."""
        client = self.client
        for each in interim:
            client.interim(each)
            if each.status == 100 and self.request.waits:
                self.request.waits = False
                self._set_deadline()
        if head is not None:
            self._begin_response(head)
        self.sent += len(body)
        if complete:
            self._upstream = None
            self._finish(COMPLETE)
        if head is not None or body or complete:
            client.respond(head, body, complete, trailers)

    def switched(self, interim: Sequence[Response], head: Response, rest: bytes) -> None:
        """The target speaks another protocol from now on: let the bytes through."""
        upstream, self._upstream = self._upstream, None
        if upstream is None or self.target is None:
            return
        for each in interim:
            self.client.interim(each)
        self._begin_response(head)
        self.deadline = NEVER
        tunnel = Tunnel(self.target, upstream, self._relay, self._tunnel_over)
        self.client.switch(head, tunnel)
        if self._upstream_full:
            tunnel.upstream.full(True)
        if rest:
            tunnel.upstream.received(rest)

    def _tunnel_over(self, tunnel: Tunnel, timely: bool) -> None:
        self.request.received = tunnel.client.moved
        self.sent = tunnel.upstream.moved
        if not self._done:
            self._finish(COMPLETE if timely else TIMEOUT)

    def lost(self, why: str, repeatable: bool) -> None:
        """The upstream is gone before the response was complete."""
        self._upstream = None
        if repeatable and self.request.repeatable and self.target is not None:
            self._connect(self.target)
        else:
            self._fail(502, UPSTREAM_FAILED, why)

    def _begin_response(self, head: Response) -> None:
        """The head is there: add what is ours."""
        self.status = head.status
        self.first_byte_at = perf_counter()
        self._set_deadline()
        head.added.append((b"X-Request-ID", self.request.id))
        if self.client.scheme == b"https" and not head.strict:
            be_strict(head.added, self.route)

    # The end

    def _set_deadline(self) -> None:
        """A body that still comes has its own time, then the route's counts until the response's head is there."""
        relay, request = self._relay, self.request
        if not (request.ended or request.waits or self._upstream_full or self._upstream is None):
            self._received_before = request.received
            self.deadline = relay.deadlines.after(relay.limits.body_grace_time)
        elif not self.status and self.route is not None:
            self.deadline = relay.deadlines.after(self.route.settings.response_timeout)
        elif self._upstream_full:
            self.deadline = relay.deadlines.after(relay.limits.write_stall_time)
        else:
            self.deadline = NEVER

    def _answer(self, answer: Answer, fate: str) -> None:
        """A response of our own."""
        headers, body = message(answer, self.request, self.client, self.route)
        self.status = answer.status
        self.sent = 0 if self.request.method == b"HEAD" else len(body)
        self._finish(fate)
        self.client.own(answer.status, headers, body)

    def _fail(self, status: int, fate: str, why: str = "") -> None:
        if why:
            self._say(why)
        if self.status:
            self._finish(fate)
            self.client.abort()
        else:
            self._answer(Answer(status), fate)

    def _finish(self, fate: str) -> None:
        """Let go of everything."""
        self._done = True
        self.fate = fate
        self.ended_at = perf_counter()
        self.deadline = NEVER
        self._relay.deadlines.discard(self)
        upstream, self._upstream = self._upstream, None
        if upstream is not None:
            upstream.drop()
        self._give_up()
        self._relay.journal.finished(self)
