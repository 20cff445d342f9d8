"""TLS handshakes, each with one request: all in full, or all resumed from the session of the one before.

wrk and h2load can't be told which; openssl s_time sends no Host. This client checks that it got what it asked for.
"""

from __future__ import annotations

import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor

from peers.proxy import HOST, Proxy

from loads.idle import unchecked
from loads.load import Done, Load

CLIENTS = 8
_REQUEST = f"GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()


def handshakes(resumed: bool) -> Load:
    def load(proxy: Proxy, seconds: float) -> Done:
        begun = time.monotonic()
        with ThreadPoolExecutor(CLIENTS) as threads:
            counts = threads.map(lambda _: _client(proxy, begun + seconds, resumed), range(CLIENTS))
            return Done(sum(counts), time.monotonic() - begun)

    return load


def _client(proxy: Proxy, end: float, resumed: bool) -> int:
    context = unchecked()
    session, count = None, 0
    while time.monotonic() < end:
        session = _request(proxy, context, session if resumed else None, expected=resumed and count > 0)
        count += 1
    return count


def _request(
    proxy: Proxy, context: ssl.SSLContext, session: ssl.SSLSession | None, expected: bool
) -> ssl.SSLSession | None:
    with (
        socket.create_connection(("127.0.0.1", proxy.https), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname=HOST, session=session) as client,
    ):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.sendall(_REQUEST)
        answer = b""
        while data := client.recv(65536):
            answer += data
        if not answer.startswith(b"HTTP/1.1 200 "):
            raise SystemExit(f"{proxy.name} answered {answer[:100]!r}")
        if bool(client.session_reused) is not expected:
            raise SystemExit(f"{proxy.name} {'did not resume' if expected else 'resumed'} a session")
        return client.session
