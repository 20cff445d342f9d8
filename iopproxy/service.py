"""The program as services: what is made once, how it starts, and how SIGTERM ends it without cutting a request."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.application.service import MultiService, Service
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred, succeed
from twisted.internet.defer import TimeoutError as Expired
from twisted.internet.task import LoopingCall, deferLater
from twisted.internet.tcp import Port
from twisted.logger import Logger

from iopproxy.control.admin import admin_site
from iopproxy.control.api import Api
from iopproxy.control.health import Checker
from iopproxy.control.routes import Routes
from iopproxy.control.token import load_token
from iopproxy.http.addresses import Addresses
from iopproxy.http.deadlines import TICK, Deadlines
from iopproxy.http.dialing import TcpDialer
from iopproxy.http.factory import HttpFactory
from iopproxy.http.journal import Journal
from iopproxy.http.limits import Limits
from iopproxy.http.meter import Meter
from iopproxy.http.pool import Pool
from iopproxy.http.relay import Relay
from iopproxy.listening import Listen, accept_all, adopt, open_socket
from iopproxy.reactor import Reactor
from iopproxy.routing.balancer import Balancer
from iopproxy.routing.inflight import InFlight
from iopproxy.routing.router import Router
from iopproxy.routing.store import Store

__all__ = ["Settings", "make_service"]


@frozen
class Settings:
    """What the command line says. ``drain_timeout`` is seconds."""

    http: Listen
    admin: Listen
    state: Path
    drain_timeout: float


def make_service(settings: Settings, reactor: Reactor) -> MultiService:
    """The whole program. Opens its sockets and its state; raises OSError when that can't be done."""
    store = Store(settings.state)
    token = load_token(settings.state)
    # The admin port isn't shared: a second proxy that starts by mistake fails there.
    admin_socket = open_socket(settings.admin, shared=False)
    http_socket = open_socket(settings.http, shared=True)

    router, limits = Router(), Limits()
    deadlines, addresses, dialer = Deadlines(reactor), Addresses(reactor, limits), TcpDialer(reactor, limits)
    pool = Pool(dialer, addresses, deadlines, lambda: router.targets, limits)
    meter, in_flight = Meter(), InFlight()
    balancer = Balancer(router.targets, in_flight, limits, deadlines, meter)
    relay = Relay(
        router, balancer, in_flight, pool, deadlines, limits, Journal(meter), secured=lambda host: False
    )
    routes = Routes(router, store, pool, addresses, reactor, limits=limits)
    api = Api(routes, relay.in_flight, Checker(dialer, addresses, reactor, limits), reactor)

    service = MultiService()
    factory = HttpFactory(relay, b"http")
    for each in (
        Repeated(reactor, TICK, deadlines.tick),
        Repeated(reactor, limits.refresh_time, lambda: addresses.learn(router.targets)),
        Traffic(reactor, http_socket, factory, relay, settings.drain_timeout),
        Listening(reactor, admin_socket, admin_site(api, token)),
    ):
        service.addService(each)
    return service


class Repeated(Service):
    """Calls something now and every ``interval`` seconds, and still while the traffic drains.

    What it returns isn't waited for: work that hangs once is done again all the same.
    """

    def __init__(self, reactor: Reactor, interval: float, work: Callable[[], object]) -> None:
        def call() -> None:
            work()

        self._interval = interval
        self._loop = LoopingCall(call)
        self._loop.clock = reactor

    def startService(self) -> None:
        """Start."""
        Service.startService(self)
        self._loop.start(self._interval)


class Listening(Service):
    """Serves a socket from start to stop."""

    port: Port | None = None

    def __init__(self, reactor: Reactor, listening: socket.socket, factory: Any) -> None:
        self.reactor = reactor
        self._socket = listening
        self._factory = factory

    def startService(self) -> None:
        """Start accepting."""
        Service.startService(self)
        self.port = adopt(self.reactor, self._socket, self._factory)

    def stopService(self) -> Deferred[None]:
        """Stop at once."""
        Service.stopService(self)
        port, self.port = self.port, None
        return succeed(None) if port is None else maybeDeferred(port.stopListening)


class Traffic(Listening):
    """The apps' traffic. Stopping it drains: nobody is cut before the drain timeout."""

    _log = Logger()

    def __init__(
        self,
        reactor: Reactor,
        listening: socket.socket,
        factory: HttpFactory,
        relay: Relay,
        drain_timeout: float,
    ) -> None:
        super().__init__(reactor, listening, factory)
        self._clients = factory
        self._relay = relay
        self._drain_timeout = drain_timeout

    def stopService(self) -> Deferred[None]:
        """Fires when everybody has their answer, at the latest after the drain timeout."""
        return Deferred.fromCoroutine(self._drain())

    async def _drain(self) -> None:
        self._relay.draining = True
        if self.port is not None:
            accept_all(self.port)
        await super().stopService()
        clients = self._clients
        self._log.info("draining {count} connections", count=len(clients.connections))
        over = clients.when_empty()
        over.addTimeout(self._drain_timeout, self.reactor)
        seconds = min(self._relay.limits.drain_grace_time, self._drain_timeout)
        grace = deferLater(self.reactor, seconds, clients.close_idle)
        try:
            await over
        except Expired:
            self._log.warn("{count} connections didn't end in time", count=len(clients.connections))
            clients.abort()
        grace.cancel()
        with suppress(CancelledError):
            await grace
