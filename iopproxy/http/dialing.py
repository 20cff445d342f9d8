"""Connections to upstreams over TCP: the one place that knows which transport lies under their protocols."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any
from typing import Protocol as Seam

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import ClientFactory, Protocol
from twisted.internet.tcp import Client, Connector
from twisted.python.failure import Failure

from iopproxy.http.keepalive import keep_alive
from iopproxy.http.limits import Limits
from iopproxy.reactor import Reactor

__all__ = ["Dialer", "Outgoing", "TcpDialer"]


class Outgoing(Protocol):
    """A protocol that tells when it got its transport. Cancelling ``opened`` gives up connecting."""

    def __init__(self) -> None:
        self.opened: Deferred[None] = Deferred(lambda _: self.give_up())
        self.give_up: Callable[[], None] = lambda: None
        """Set by who dials: stop trying."""

    def connectionMade(self) -> None:
        """There is a transport."""
        self.opened.callback(None)


class Dialer(Seam):
    """How a protocol gets a transport to an address."""

    def dial(self, address: str, port: int, protocol: Outgoing) -> Deferred[None]:
        """``protocol.opened``: fires once connected, fails with what Twisted's connectors fail with."""


class TcpDialer:
    """Twisted's own sockets."""

    def __init__(self, reactor: Reactor, limits: Limits) -> None:
        self._reactor = reactor
        self._time = limits.connect_time

    def dial(self, address: str, port: int, protocol: Outgoing) -> Deferred[None]:
        """Connect ``protocol`` to a literal address within ``connect_time``."""
        connector = _Connector(address, port, _Once(protocol), self._time, None, self._reactor)
        connector.connect()
        protocol.give_up = connector.disconnect
        return protocol.opened


class _Once(ClientFactory):
    """One connection for one protocol that exists already."""

    noisy = False

    def __init__(self, protocol: Outgoing) -> None:
        self._outgoing = protocol

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        return self._outgoing

    def clientConnectionFailed(self, connector: object, reason: Failure) -> None:
        if not self._outgoing.opened.called:
            self._outgoing.opened.errback(reason)


class _Connector(Connector):
    """Twisted's, with a transport of ours."""

    def _makeTransport(self) -> Client:
        host, port, bind = self.host, self.port, self.bindAddress
        return _Transport(host, port, bind, self, self.reactor)  # type: ignore[no-untyped-call]  # Twisted's


class _Transport(Client):
    """A socket whose last words are heard.

    Who answers early and closes with some of the request unread resets the connection. The answer is in the
    receive buffer then, and the next write, which fails, would throw it away.
    """

    reactor: Reactor

    def createInternetSocket(self) -> socket.socket:
        """A socket that notices when the target vanishes, and with it the rest of a response."""
        made: socket.socket = super().createInternetSocket()  # type: ignore[no-untyped-call]  # Twisted's
        keep_alive(made)
        return made

    def doWrite(self) -> Any:
        """Send what there is; when that fails, read once before the connection is given up."""
        failed = super().doWrite()  # type: ignore[no-untyped-call]  # Twisted's
        if failed is not None and not self.disconnecting and self in self.reactor.getReaders():
            self.doRead()
        return failed
