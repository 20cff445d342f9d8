"""Clients over TLS that check what they are shown, and certificates put through the admin API."""

from __future__ import annotations

import socket
import ssl
from typing import Any

from tests.certificates import Authority
from tests.proxy.running import Proxy
from tests.proxy.wire import Wire

AUTHORITY = Authority()
HTTPS = ("--https", "tcp:0:interface=127.0.0.1")


def certify(proxy: Proxy, name: str, *more: str, **how: Any) -> dict[str, Any]:
    """Put a new certificate for a name, and others; what the proxy says of it."""
    chain, key = AUTHORITY.issue(name, *more, **how)
    status, answer = proxy.api("PUT", f"/v1/certificates/{name}", {"certificate": chain, "private_key": key})
    assert status == 200, answer
    shown: dict[str, Any] = answer
    return shown


def trusting(version: ssl.TLSVersion | None = None, alpn: tuple[str, ...] = ()) -> ssl.SSLContext:
    """A client that trusts AUTHORITY and nobody else."""
    context = ssl.create_default_context(cadata=AUTHORITY.root)
    if version is not None:
        context.minimum_version = context.maximum_version = version
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


class SecureWire(Wire):
    """One connection to the proxy over TLS."""

    socket: ssl.SSLSocket

    def __init__(
        self,
        port: int,
        name: str | None,
        context: ssl.SSLContext | None = None,
        session: ssl.SSLSession | None = None,
    ) -> None:
        super().__init__(port)
        plain: socket.socket = self.socket
        try:
            self.socket = (context or trusting()).wrap_socket(
                plain, server_hostname=name, session=session, suppress_ragged_eofs=False
            )
        except BaseException:
            plain.close()
            raise
