"""A request's way to a connection: which target gets it, and the next one when that can't be reached."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from iopproxy.http.pool import NoRoomError, UnreachableError
from iopproxy.http.relay import Relay
from iopproxy.http.request import Request
from iopproxy.http.upstream import UpstreamConnection
from iopproxy.routing.state import Route

__all__ = ["Approach"]


class Approach:
    """What an exchange does before it has somebody to ask. While ``target`` is approached or asked, it counts as busy.

    Part of the exchange by inheritance, not a helper of its own: one object for each request is what it costs.
    """

    _log = Logger()

    __slots__ = ("_connecting", "_counted", "_done", "_relay", "_tried", "request", "route", "target")

    def __init__(self, relay: Relay, request: Request) -> None:
        self.request = request
        self.route: Route | None = None
        self.target: str | None = None
        """The last one that was tried."""
        self._relay = relay
        self._tried: tuple[str, ...] = ()
        self._connecting: Deferred[UpstreamConnection] | None = None
        self._counted = False
        """The target counts this request as in flight."""
        self._done = False
        """Nothing that still happens matters."""

    # What comes of it

    def _ask(self, upstream: UpstreamConnection) -> None:
        """There is a connection to ``target``."""
        raise NotImplementedError

    def _nobody(self) -> None:
        """No target is left that could be tried."""
        raise NotImplementedError

    def _hold_body(self) -> None:
        """It takes a while until there is somebody to send it to."""
        raise NotImplementedError

    def _set_deadline(self) -> None:
        """The time for a target to answer begins."""
        raise NotImplementedError

    # The way

    def _next_target(self) -> None:
        """Pick a target. The route is looked up every time: it may have changed since the last one was tried."""
        relay = self._relay
        route = self.route
        if self._tried:
            self.route = route = relay.router.find(self.request.host) or route
        target = None if route is None else relay.balancer.pick(route, self._tried)
        if target is None:
            self._nobody()
            return
        self._tried += (target,)
        self.target = target
        self._counted = True
        relay.in_flight.begin(target)
        self._set_deadline()
        pooled = relay.pool.take(target, young=not self.request.repeatable)
        if pooled is not None:
            self._ask(pooled)
        else:
            self._connect(target)

    def _connect(self, target: str) -> None:
        if self.request.parts:
            self._hold_body()
        connecting = Deferred.fromCoroutine(self._relay.pool.connect(target))
        self._connecting = connecting
        connecting.addCallbacks(self._connected, self._not_connected)

    def _connected(self, upstream: UpstreamConnection) -> None:
        self._connecting = None
        self._relay.balancer.connected(upstream.target)
        if self._done:
            upstream.drop()
        else:
            self._ask(upstream)

    def _not_connected(self, failure: Failure) -> None:
        self._connecting = None
        if self._done or self.target is None:
            return
        if not failure.check(NoRoomError):
            self._relay.balancer.failed(self.target)
        if failure.check(UnreachableError):
            self._say(failure.getErrorMessage())
        else:
            self._log.failure("Connecting to {target} failed", failure=failure, target=self.target)
        self._leave_target()
        self._next_target()

    def _leave_target(self) -> None:
        if self._counted and self.target is not None:
            self._counted = False
            self._relay.in_flight.end(self.target)

    def _give_up(self) -> None:
        """Nobody needs a target any more."""
        if self._connecting is not None:
            self._connecting.cancel()
        self._leave_target()

    def _say(self, why: str) -> None:
        self._log.warn("{host}: {target} failed: {why}", host=self.request.host, target=self.target, why=why)
