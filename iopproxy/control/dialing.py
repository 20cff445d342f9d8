"""Connections to targets for health checks: the control process runs on Twisted's own reactor."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import ClientFactory, Protocol
from twisted.python.failure import Failure

from iopproxy.http.dialing import Outgoing
from iopproxy.reactor import Reactor

__all__ = ["TwistedDialer"]


class TwistedDialer:
    """Twisted's own sockets."""

    def __init__(self, reactor: Reactor, connect_time: float) -> None:
        self._reactor = reactor
        self._time = connect_time

    def dial(self, address: str, port: int, protocol: Outgoing) -> Deferred[None]:
        """Connect ``protocol`` to a literal address within ``connect_time`` seconds."""
        connector = self._reactor.connectTCP(address, port, _Once(protocol), self._time)

        def settle(result: Any) -> Any:
            if isinstance(result, Failure):
                connector.disconnect()
            return result

        return protocol.opened.addBoth(settle)


class _Once(ClientFactory):
    """One connection for one protocol that exists already."""

    noisy = False

    def __init__(self, protocol: Outgoing) -> None:
        self._outgoing = protocol

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        return self._outgoing

    def clientConnectionFailed(self, connector: object, reason: Failure) -> None:
        self._outgoing.failed(reason)
