"""The control process as services: what is made once, how it starts, and how SIGTERM ends it."""

from __future__ import annotations

import resource
import signal
import socket
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.application.service import MultiService, Service
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.tcp import Port
from twisted.logger import Logger

from iopproxy.control.admin import admin_site
from iopproxy.control.api import Api
from iopproxy.control.certificates import Certificates
from iopproxy.control.challenges import Challenges
from iopproxy.control.dialing import TwistedDialer
from iopproxy.control.health import Checker
from iopproxy.control.proving import Prover
from iopproxy.control.routes import Routes
from iopproxy.control.status import Status
from iopproxy.control.token import load_token
from iopproxy.control.totals import Totals
from iopproxy.control.watch import Watch
from iopproxy.control.workers import Workers
from iopproxy.http.addresses import Addresses
from iopproxy.http.limits import Limits
from iopproxy.listening import Listen, open_socket, open_sockets
from iopproxy.logs import Logs
from iopproxy.reactor import Reactor
from iopproxy.routing.store import Store
from iopproxy.tls.store import CertificateStore
from iopproxy.worker import Start

__all__ = ["Settings", "make_service"]

_log = Logger()
_THREADS = 8
"""For everything but health checks."""


@frozen
class Settings:
    """What the command line says. ``drain_timeout`` is seconds; ``https`` is None when TLS isn't served."""

    http: Listen
    https: Listen | None
    admin: Listen
    state: Path
    drain_timeout: float
    workers: int
    limits: Limits
    logs: Logs
    access_log: bool


def make_service(settings: Settings, reactor: Reactor) -> MultiService:
    """The whole program. Opens its sockets and its state; raises OSError when that can't be done."""
    _allow_open_files()
    store = Store(settings.state)
    token = load_token(settings.state)
    # The admin port isn't shared: a second proxy that starts by mistake fails there.
    admin_socket = open_socket(settings.admin, shared=False)

    limits = settings.limits
    # Every check may wait for a name, and the routes must be saved all the same.
    reactor.suggestThreadPoolSize(limits.checks_at_once + _THREADS)
    totals = Totals()
    starts = _starts(settings)
    workers = Workers(reactor, starts, totals.hear)
    checker = Checker(
        TwistedDialer(reactor, limits.connect_time), Addresses(reactor, limits), reactor, limits
    )
    certificates = Certificates(CertificateStore(settings.state / "certs"), workers)
    watch = Watch(checker, workers.put, reactor, limits=limits)
    routes = Routes(store, workers, followers=(watch.follow, totals.follow))
    # Before the first worker is there: these are what it begins with.
    Deferred.fromCoroutine(routes.share())
    Deferred.fromCoroutine(certificates.share())
    status = Status(routes, workers, watch, totals)
    api = Api(
        routes,
        workers,
        checker,
        status,
        prover=_prover(checker, starts[0], certificates),
        certificates=certificates,
        challenges=Challenges(workers),
    )

    # The reactor would complain of being told twice.
    reactor.addSystemEventTrigger("before", "shutdown", _ignore_signals)
    service = MultiService()
    for each in (
        workers,
        watch,
        Listening(reactor, admin_socket, admin_site(api, token)),
    ):
        service.addService(each)
    return service


def _starts(settings: Settings) -> list[Start]:
    """What each worker begins with. It gets sockets of its own, and the next one in its place gets the same."""
    count = settings.workers
    http = open_sockets(settings.http, count)
    https: list[socket.socket] | list[None] = [None] * count
    if settings.https is not None:
        https = open_sockets(settings.https, count)
    for name, sockets in (("http", http), ("https", https)):
        if sockets[0] is not None:
            _log.info("{name} comes in on port {port}", name=name, port=sockets[0].getsockname()[1])
    return [
        Start(plain, tls, settings.limits, settings.drain_timeout, settings.logs, settings.access_log)
        for plain, tls in zip(http, https, strict=True)
    ]


def _prover(checker: Checker, start: Start, certificates: Certificates) -> Prover:
    return Prover(
        checker,
        http=_reached(start.http),
        https=None if start.https is None else _reached(start.https),
        secured=certificates.covers,
    )


def _reached(listening: socket.socket) -> str:
    """How to reach from here what listens there."""
    address, port = listening.getsockname()
    return f"{'127.0.0.1' if address == '0.0.0.0' else address}:{port}"


def _ignore_signals() -> None:
    """The end is under way; being told so again makes it no faster."""
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)


def _allow_open_files() -> None:
    """As many as the system lets us have: every connection is one, in the workers too."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Listening(Service):
    """Serves a socket from start to stop."""

    def __init__(self, reactor: Reactor, listening: socket.socket, factory: Any) -> None:
        self._reactor = reactor
        self._socket = listening
        self._factory = factory
        self._port: Port | None = None

    def startService(self) -> None:
        """Start accepting."""
        Service.startService(self)
        self._port = self._reactor.adoptStreamPort(self._socket.fileno(), socket.AF_INET, self._factory)
        self._socket.close()  # the reactor has its own

    def stopService(self) -> Deferred[None]:
        """Stop at once."""
        Service.stopService(self)
        port, self._port = self._port, None
        return succeed(None) if port is None else maybeDeferred(port.stopListening)
