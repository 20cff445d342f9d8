"""A peer that vanishes is noticed within half a minute, on both sides of the proxy."""

from __future__ import annotations

import socket
from typing import Any

import uvloop

from iopproxy.http.dialing import Outgoing, TcpDialer
from iopproxy.http.limits import Limits
from iopproxy.listening import Listen, open_socket


def seconds_to_notice(connection: socket.socket) -> int:
    """What the kernel was told; 0 when it was told nothing."""
    idle, interval, count = (
        connection.getsockopt(socket.IPPROTO_TCP, option)
        for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
    )
    on = connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    return (idle + interval * count) * on


def test_towards_clients() -> None:
    listening = open_socket(Listen(0, "127.0.0.1"), shared=False)
    with listening, socket.create_connection(listening.getsockname()):
        listening.setblocking(True)
        accepted, _ = listening.accept()
        with accepted:
            assert seconds_to_notice(accepted) == 30


def test_towards_targets() -> None:
    loop = uvloop.new_event_loop()
    protocol = Outgoing()
    with socket.create_server(("127.0.0.1", 0)) as server:
        TcpDialer(loop, Limits()).dial("127.0.0.1", server.getsockname()[1], protocol)
        loop.run_until_complete(protocol.opened.asFuture(loop))
        transport: Any = protocol.transport
        assert seconds_to_notice(transport.getHandle()) == 30
        transport.abortConnection()
    loop.close()
