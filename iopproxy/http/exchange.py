"""One request's way: to a target of its route, and the response back. Knows nothing of the client's protocol."""

from __future__ import annotations

from typing import Protocol

from attrs import define
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from iopproxy.http.deadlines import NEVER, Deadlines
from iopproxy.http.limits import BODY_STALL_TIME
from iopproxy.http.pool import Pool, UnreachableError
from iopproxy.http.request import Request
from iopproxy.http.response import Response
from iopproxy.http.upstream import UpstreamConnection
from iopproxy.http.writing import LAST_CHUNK, chunk, request_head
from iopproxy.routing.balancer import Balancer
from iopproxy.routing.inflight import InFlight
from iopproxy.routing.router import Router
from iopproxy.routing.state import Route

__all__ = ["Client", "Exchange", "Relay"]


@define(eq=False)
class Relay:
    """What all exchanges share. ``draining``: the program is about to end, connections shall too."""

    router: Router
    balancer: Balancer
    in_flight: InFlight
    pool: Pool
    deadlines: Deadlines
    draining: bool = False


class Client(Protocol):
    """One request's client, in whatever protocol it speaks. Nothing is called any more after an end or ``abort``."""

    address: bytes
    scheme: bytes

    def interim(self, response: Response) -> None:
        """A 1xx response."""

    def respond(self, head: Response | None, body: bytes, complete: bool) -> None:
        """The head (once), a piece of the body (or b""), the end."""

    def fail(self, status: int) -> None:
        """A response of our own, instead of any other."""

    def abort(self) -> None:
        """End visibly before the response is complete."""

    def hold_body(self, held: bool) -> None:
        """Read no more of the request's body for now, or read on."""


class Exchange:
    """From the moment a request is the next one until its response ended, failed, or nobody wants it any more."""

    _log = Logger()

    __slots__ = (
        "_client",
        "_connecting",
        "_done",
        "_held",
        "_relay",
        "_request",
        "_responding",
        "_route",
        "_sent_end",
        "_target",
        "_tried",
        "_upstream",
        "_upstream_full",
        "deadline",
    )

    def __init__(self, relay: Relay, request: Request, client: Client, held: bool) -> None:
        self._relay = relay
        self._request = request
        self._client = client
        self._held = held
        """The client takes no more of the response for now."""
        self._upstream: UpstreamConnection | None = None
        self._upstream_full = False
        self._connecting: Deferred[UpstreamConnection] | None = None
        self._responding = False
        self._sent_end = False
        self._done = False
        self._target: str | None = None
        self._tried: tuple[str, ...] = ()
        self._route: Route | None = None
        self.deadline = NEVER

    # What the client's protocol calls

    def start(self) -> None:
        """Find the route and send what came."""
        self._relay.deadlines.add(self)
        self._next_target()

    def body_arrived(self) -> None:
        """There may be more in ``request.parts``, or ``request.ended`` may have become true."""
        if self._done or self._sent_end or not (self._request.parts or self._request.ended):
            return
        self._set_deadline()
        if self._upstream is not None:
            self._send(self._upstream, b"")
        elif self._request.parts:
            self._client.hold_body(True)

    def hold(self, held: bool) -> None:
        """The client takes no more of the response for now, or takes more again."""
        self._held = held
        if self._upstream is not None:
            self._upstream.hold(held)

    def cancel(self) -> None:
        """Nobody wants the response any more."""
        if not self._done:
            self._finish()

    def expired(self) -> None:
        """Nothing happened for too long. Whose fault is it? The client's only if somebody could take its bytes."""
        if self._request.ended or self._upstream_full or self._upstream is None:
            self._fail(504, "it didn't answer in time")
        else:
            self._fail(408)

    # Towards the upstream

    def _next_target(self) -> None:
        """Pick a target. The route is looked up every time: it may have changed since the last one was tried."""
        relay = self._relay
        self._route = route = relay.router.find(self._request.host)
        target = None if route is None else relay.balancer.pick(route, self._tried)
        if target is None:
            self._fail(502 if self._tried else 404)
            return
        self._tried += (target,)
        self._target = target
        relay.in_flight.begin(target)
        self._set_deadline()
        pooled = relay.pool.take(target, young=not self._request.repeatable)
        if pooled is not None:
            self._ask(pooled)
        else:
            self._connect(target)

    def _connect(self, target: str) -> None:
        if self._request.parts:
            self._client.hold_body(True)
        connecting = Deferred.fromCoroutine(self._relay.pool.connect(target))
        self._connecting = connecting
        connecting.addCallbacks(self._connected, self._not_connected)

    def _connected(self, upstream: UpstreamConnection) -> None:
        self._connecting = None
        if self._done:
            upstream.drop()
        else:
            self._ask(upstream)

    def _not_connected(self, failure: Failure) -> None:
        self._connecting = None
        if self._done:
            return
        if failure.check(UnreachableError):
            self._say(failure.getErrorMessage())
        else:
            self._log.failure("Connecting to {target} failed", failure=failure, target=self._target)
        self._leave_target()
        self._next_target()

    def _ask(self, upstream: UpstreamConnection) -> None:
        self._upstream = upstream
        request, client, route = self._request, self._client, self._route
        upstream.ask(self, request.method)
        if self._held:
            upstream.hold(True)
        believe = route is not None and route.settings.forward_headers
        self._send(upstream, request_head(request, client.address, client.scheme, believe))
        if not self._upstream_full:
            client.hold_body(False)

    def _send(self, upstream: UpstreamConnection, head: bytes) -> None:
        """Send what there is of the request, after ``head``."""
        request = self._request
        data = head
        if request.parts:
            body = b"".join(request.parts)
            request.parts.clear()
            data += chunk(body) if request.chunked else body
        if request.ended and request.chunked:
            data += LAST_CHUNK
        self._sent_end = request.ended
        upstream.send(data, request.ended)

    # From the upstream

    def upstream_full(self, full: bool) -> None:
        """Whether the upstream takes no more of the body for now."""
        self._upstream_full = full
        self._set_deadline()
        self._client.hold_body(full)

    def answered(self, interim: list[Response], head: Response | None, body: bytes, complete: bool) -> None:
        """What came of the response at once."""
        client = self._client
        for each in interim:
            client.interim(each)
        new_head = None
        if head is not None and not self._responding:
            self._responding = True
            new_head = head
            self._set_deadline()
        if complete:
            self._upstream = None
            self._finish()
        if new_head is not None or body or complete:
            client.respond(new_head, body, complete)

    def lost(self, why: str, repeatable: bool) -> None:
        """The upstream is gone before the response was complete."""
        self._upstream = None
        if repeatable and self._request.repeatable and self._target is not None:
            self._connect(self._target)
        else:
            self._fail(502, why)

    # The end

    def _set_deadline(self) -> None:
        """Until the head comes, the route's time since the last sign of life; then only a stalled body counts."""
        if not self._responding:
            seconds = self._route.settings.response_timeout if self._route is not None else BODY_STALL_TIME
            self.deadline = self._relay.deadlines.after(seconds)
        elif not self._request.ended:
            self.deadline = self._relay.deadlines.after(BODY_STALL_TIME)
        else:
            self.deadline = NEVER

    def _fail(self, status: int, why: str = "") -> None:
        if why:
            self._say(why)
        self._finish()
        if self._responding:
            self._client.abort()
        else:
            self._client.fail(status)

    def _say(self, why: str) -> None:
        self._log.warn(
            "{host}: {target} failed: {why}", host=self._request.host, target=self._target, why=why
        )

    def _leave_target(self) -> None:
        if self._target is not None:
            self._relay.in_flight.end(self._target)
            self._target = None

    def _finish(self) -> None:
        """Let go of everything."""
        self._done = True
        self.deadline = NEVER
        self._relay.deadlines.discard(self)
        upstream, self._upstream = self._upstream, None
        if upstream is not None:
            upstream.drop()
        if self._connecting is not None:
            self._connecting.cancel()
        self._leave_target()
