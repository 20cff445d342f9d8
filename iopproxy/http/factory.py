"""Makes the protocol for each client and knows who is connected."""

from __future__ import annotations

from typing import Any

from twisted.internet.protocol import Protocol

from iopproxy.http.http1 import Http1Connection
from iopproxy.http.http2 import Http2Connection
from iopproxy.http.meter import Meter
from iopproxy.http.relay import Relay

__all__ = ["HttpFactory"]


class HttpFactory:
    """Clients' connections over one scheme, b"http" or b"https"."""

    def __init__(self, relay: Relay, scheme: bytes, meter: Meter) -> None:
        self._relay = relay
        self._scheme = scheme
        name = scheme.decode("ascii")
        self._http1 = _Connections(f"{name}/http1", meter)
        self._http2 = _Connections(f"{name}/h2", meter)

    def build(self, alpn: str | None = None) -> Protocol:
        """One more client; ``alpn``: the protocol that TLS agreed on, if any."""
        if alpn == "h2":
            return Http2Connection(self._relay, self._http2, self._scheme)
        return Http1Connection(self._relay, self._http1, self._scheme)

    def close_idle(self) -> None:
        """End the connections that have no request under way. The others end after theirs once draining."""
        for connection in (*self._http1, *self._http2):
            connection.close_if_idle()

    def abort(self) -> None:
        """End all connections at once."""
        for connection in (*self._http1, *self._http2):
            connection.abort()


class _Connections(set[Any]):
    """Those that are open, counted."""

    def __init__(self, kind: str, meter: Meter) -> None:
        super().__init__()
        self._kind = kind
        self._meter = meter

    def add(self, connection: object) -> None:
        super().add(connection)
        self._meter.opened(self._kind)

    def discard(self, connection: object) -> None:
        if connection in self:
            super().discard(connection)
            self._meter.closed(self._kind)
