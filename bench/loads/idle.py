"""Connections that are held open, each after one request."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from peers.proxy import HOST, Proxy

from loads.sources import source

_REQUEST = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()


@contextmanager
def held(proxy: Proxy, count: int, tls: bool) -> Iterator[list[socket.socket]]:
    """That many connections, open until the end of the block."""
    context = unchecked()
    port, connections = (proxy.https if tls else proxy.http), []
    try:
        for number in range(count):
            connection = socket.create_connection(("127.0.0.1", port), 20, source(number))
            connections.append(context.wrap_socket(connection, server_hostname=HOST) if tls else connection)
            if not answers(connections[-1]):
                raise SystemExit(f"{proxy.name} refused connection {number + 1}")
        yield connections
    finally:
        for each in connections:
            each.close()


def answers(connection: socket.socket) -> bool:
    """Whether a request on it is answered with a 200."""
    try:
        connection.sendall(_REQUEST)
        return connection.recv(4096).startswith(b"HTTP/1.1 200 ")
    except OSError:
        return False


def unchecked() -> ssl.SSLContext:
    """A TLS client that believes every certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
