"""A worker process: all of its parts are put together here. It accepts clients and relays their requests.

This module is imported once, by the server that forks the workers: what it makes below is the same in all of them.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from functools import partial
from time import perf_counter
from typing import Any, Final

import uvloop
from attrs import frozen
from twisted.internet import asyncioreactor
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as Expired
from twisted.logger import Logger
from twisted.python.failure import Failure

from iopproxy.http.accepting import Door
from iopproxy.http.addresses import Addresses
from iopproxy.http.caps import Caps
from iopproxy.http.deadlines import TICK, Deadlines
from iopproxy.http.dialing import TcpDialer
from iopproxy.http.factory import HttpFactory
from iopproxy.http.journal import Journal
from iopproxy.http.limits import Limits
from iopproxy.http.meter import HANDSHAKE, Meter
from iopproxy.http.pool import Pool
from iopproxy.http.relay import Relay
from iopproxy.http.spool import Spool
from iopproxy.inbox import Inbox
from iopproxy.link import Leaving, Reported, connect
from iopproxy.logs import LAST_WORDS_TIME, Logs
from iopproxy.orders import Orders
from iopproxy.reactor import Reactor
from iopproxy.repeated import Repeated
from iopproxy.routing.balancer import Balancer
from iopproxy.routing.inflight import InFlight
from iopproxy.routing.router import Router
from iopproxy.routing.state import Route
from iopproxy.routing.wire import read_stored
from iopproxy.tls.connection import Tls, TlsConnection
from iopproxy.tls.contexts import Contexts, hush_unreadable_names, server_context

__all__ = ["REPORT_TIME", "Start", "main"]

REPORT_TIME: Final = 1.0
"""Seconds between two reports."""
_NAMES_AT_ONCE: Final = 64
"""Names that are resolved at a time. One that isn't answered takes its place for as long as the resolver tries."""
_LATECOMERS_TIME: Final = 2.0
"""Seconds between two looks, while draining, at who is idle: handshakes may still have been under way."""

_TLS: Final = server_context()
"""What every handshake begins with; its ticket keys are made here, once for all workers."""


@frozen
class Start:
    """What a worker is given. ``drain_timeout``: seconds, for when nobody is left to say."""

    http: socket.socket
    https: socket.socket | None
    limits: Limits
    drain_timeout: float
    logs: Logs
    access_log: bool


def main(start: Start, link: socket.socket) -> None:
    """The life of a worker process. ``link``: its end of the link to the control process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the control process, which tells us
    spool = Spool(sys.stdout.fileno(), start.limits.log_buffer)
    start.logs.begin(spool)
    hush_unreadable_names()
    loop = uvloop.new_event_loop()
    loop.set_exception_handler(_report)
    asyncioreactor.install(loop)
    from twisted.internet import reactor as installed  # noqa: PLC0415  by the line above

    reactor: Reactor = installed
    worker = Worker(start, loop, reactor, spool)
    worker.begin(link)
    reactor.run(installSignalHandlers=False)
    spool.close(LAST_WORDS_TIME)
    os._exit(0)  # a thread may still ask for a name, and nothing is worth waiting for it


def _report(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What uvloop could not tell anybody else."""
    error = context.get("exception")
    if error is None:
        _log.error("{message}", message=context["message"])
    else:
        _log.failure("{message}", failure=Failure(error), message=context["message"])


_log = Logger()


class Worker:
    """The parts of a worker and what it does when it is told."""

    def __init__(self, start: Start, loop: asyncio.AbstractEventLoop, reactor: Reactor, spool: Spool) -> None:
        limits = start.limits
        self._start = start
        self._loop = loop
        self._reactor = reactor
        self._limits = limits
        self._serving = False
        self._finishing = False
        self._next_counts = 0.0

        # The data path
        self._meter = Meter()
        self._journal = Journal(self._meter, spool if start.access_log else None)
        self._router = Router()
        self._in_flight = InFlight()
        self._deadlines = Deadlines(reactor)
        targets = self._router.targets
        self._addresses = Addresses(reactor, limits, targets)
        dialer = TcpDialer(loop, limits)
        self._pool = Pool(dialer, self._addresses, self._deadlines, lambda: targets, limits)
        self._balancer = Balancer(targets, self._in_flight, limits, self._deadlines, self._meter)
        contexts = Contexts(_TLS)
        self._relay = Relay(
            self._router,
            self._balancer,
            self._in_flight,
            self._pool,
            self._deadlines,
            limits,
            self._journal,
            secured=contexts.covers,
            soon=loop.call_soon,
        )

        # Where clients come in
        http, https = (HttpFactory(self._relay, scheme, self._meter) for scheme in (b"http", b"https"))
        tls = Tls(
            context=contexts.server,
            deadlines=self._deadlines,
            handshake_time=limits.handshake_time,
            above=https.build,
            count=partial(self._meter.count, HANDSHAKE),
        )
        self._caps = Caps(limits, self._meter)
        self._factories = (http, https, tls)
        self._doors = [Door(loop, start.http, self._caps, http.build)]
        if start.https is not None:
            self._doors.append(Door(loop, start.https, self._caps, partial(TlsConnection, tls)))

        # What all workers share
        self.inbox = Inbox()
        self.inbox.on("routes", self._put_route)
        self.inbox.on("certificates", contexts.put)
        self.inbox.on("challenges", self._relay.challenges.put)
        self.inbox.on("health", lambda target, value: self._balancer.mark(target, value is False))

        self._orders = Orders(self)

    def begin(self, link: socket.socket) -> None:
        """Start all that runs by itself; clients are accepted once the control process says so."""
        self._loop.add_signal_handler(signal.SIGTERM, self._leave)
        self._reactor.suggestThreadPoolSize(_NAMES_AT_ONCE)
        connect(self._reactor, link, self._orders)
        for interval, work in (
            (TICK, self._deadlines.tick),
            (TICK, self._journal.flush),
            (REPORT_TIME, self._say_something),
        ):
            Repeated(self._reactor, interval, work).startService()
        # All that is there now stays: it needn't be looked at again and again.
        gc.collect()
        gc.freeze()
        # Requests leave nothing to collect, so looking for it can be rare.
        gc.set_threshold(10_000, 20, 20)

    async def _put_route(self, key: str, value: Any) -> None:
        if value is None:
            left = self._router.drop(key)
            self._balancer.drop(key)
        else:
            route = read_stored(value)
            if self._serving:  # else there may be thousands, and their names can wait for their requests
                await self._learn(route)
            left = self._router.put(route)
        for target in left:
            self._pool.forget(target)
            self._addresses.forget(target)
            self._balancer.forget(target)

    async def _learn(self, route: Route) -> None:
        """The first request to a new target shall not wait for its name; a name that isn't there yet may come."""
        learning = self._addresses.learn(route.live.targets)
        with suppress(Expired):
            await learning.addTimeout(self._limits.resolve_time, self._reactor)

    def _from_loop(self, work: Coroutine[Any, Any, None]) -> Deferred[None]:
        """What asyncio does, for Twisted."""
        return Deferred.fromFuture(asyncio.ensure_future(work, loop=self._loop))

    # What the control process asks: see iopproxy.link

    async def serve(self) -> None:
        """Accept clients."""
        self._serving = True
        for door in self._doors:
            await self._from_loop(door.open())

    async def report(self) -> None:
        """Say how things are."""
        await self._send_report()

    async def drain(self, targets: Sequence[str], timeout: float) -> dict[str, dict[str, int]]:
        """Wait until targets have nothing to do, up to ``timeout`` seconds; then close the tunnels that are left."""
        with suppress(Expired):  # a tunnel is a request in flight, too
            await self._in_flight.when_idle(frozenset(targets)).addTimeout(timeout, self._reactor)
        tunnels = self._relay.tunnels.counts()
        left = {
            "in_flight": {target: self._in_flight.count(target) for target in targets},
            "tunnels": {target: tunnels.get(target, 0) for target in targets},
        }
        # Who was switched back to meanwhile keeps them.
        self._relay.tunnels.close(target for target in targets if target not in self._router.targets)
        return left

    def finish(self, timeout: float | None = None) -> None:
        """End once nobody is connected, after ``timeout`` seconds at the latest."""
        if not self._finishing:
            self._finishing = True
            seconds = self._start.drain_timeout if timeout is None else timeout
            Deferred.fromCoroutine(self._finish(seconds)).addErrback(self._broken)

    def _leave(self) -> None:
        """SIGTERM, from whoever."""
        if not self._finishing:
            self._orders.ask(Leaving).addErrback(lambda _: None)
            self.finish()

    async def _finish(self, timeout: float) -> None:
        await self.inbox.put([])  # whoever waits to be accepted goes by the latest routes
        self._relay.draining = True
        for door in self._doors:
            await self._from_loop(door.close())
        _log.info("draining {count} connections", count=self._caps.count)
        self._loop.call_later(min(self._limits.drain_grace_time, timeout), self._close_idle)
        try:
            await self._caps.when_empty().addTimeout(timeout, self._reactor)
        except Expired:
            _log.warn("{count} connections didn't end in time", count=self._caps.count)
            self._relay.tunnels.close()
            for factory in self._factories:
                factory.abort()
        self._journal.flush()
        with suppress(Expired):
            await self._send_report().addTimeout(LAST_WORDS_TIME, self._reactor)
        self._reactor.crash()

    def _close_idle(self) -> None:
        for factory in self._factories:
            factory.close_idle()
        self._loop.call_later(_LATECOMERS_TIME, self._close_idle)

    def _broken(self, failure: Failure) -> None:
        _log.failure("The end went wrong", failure=failure)
        self._reactor.crash()

    def _say_something(self) -> None:
        """A report: who says nothing for long is taken to hang. Counts, slow with many routes, aren't in each."""
        began = perf_counter()
        counts = began >= self._next_counts
        self._send_report(counts)
        if counts:
            ended = perf_counter()
            self._next_counts = ended + 50 * (ended - began)  # so they get a fiftieth of the time

    def _send_report(self, counts: bool = True) -> Deferred[Any]:
        """Fires once the control process has it, or is gone."""
        in_flight = self._in_flight
        report = {
            "connections": self._caps.count,
            "in_flight": {target: in_flight.count(target) for target in in_flight.targets()},
            "tunnels": self._relay.tunnels.counts(),
            "open": self._meter.open,
            "meter": self._meter.take() if counts else None,
        }
        return self._orders.ask(Reported, report=report).addErrback(lambda _: None)
