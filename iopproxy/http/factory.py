"""Makes the protocol for each client and knows who is connected."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, Protocol

from iopproxy.http.http1 import Http1Connection
from iopproxy.http.relay import Relay

__all__ = ["HttpFactory"]


class HttpFactory(Factory):
    """Clients' connections over one scheme, b"http" or b"https"."""

    noisy = False

    def __init__(self, relay: Relay, scheme: bytes) -> None:
        self._relay = relay
        self._scheme = scheme
        self.connections = _Connections()

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        """One more client."""
        return Http1Connection(self._relay, self.connections, self._scheme)

    def close_idle(self) -> None:
        """End the connections that have no request under way. The others end after theirs once draining."""
        for connection in tuple(self.connections):
            connection.close_if_idle()

    def abort(self) -> None:
        """End all connections at once."""
        for connection in tuple(self.connections):
            connection.abort()

    def when_empty(self) -> Deferred[None]:
        """Fires once nobody is connected."""
        return self.connections.when_empty()


class _Connections(set[Http1Connection]):
    """The open connections."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[Deferred[None]] = []

    def discard(self, connection: object) -> None:
        super().discard(connection)
        if not self:
            waiting, self._waiting = self._waiting, []
            for each in waiting:
                each.callback(None)

    def when_empty(self) -> Deferred[None]:
        """Fires once it is empty."""
        empty: Deferred[None] = Deferred(self._waiting.remove)
        if self:
            self._waiting.append(empty)
        else:
            empty.callback(None)
        return empty
