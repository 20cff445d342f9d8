"""Connections to targets for health checks: the control process runs on Twisted's own reactor."""

from __future__ import annotations

from typing import Any

from OpenSSL.SSL import Connection
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IOpenSSLClientConnectionCreator
from twisted.internet.protocol import ClientFactory, Protocol
from twisted.internet.ssl import CertificateOptions
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from iopproxy.http.dialing import Outgoing
from iopproxy.reactor import Reactor

__all__ = ["TwistedDialer", "Unverified"]


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


@implementer(IOpenSSLClientConnectionCreator)
class Unverified:
    """TLS with whoever answers for ``host``: for asking ourselves, where a certificate may be of a private CA."""

    def __init__(self, host: str) -> None:
        self._host = host

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> Connection:
        """A connection that names the host."""
        connection = Connection(CertificateOptions(verify=False).getContext(), None)
        connection.set_tlsext_host_name(self._host.encode("ascii"))
        return connection
