"""1,000 WebSockets, each with one message under way: it is echoed, then the next one goes out."""

from __future__ import annotations

import asyncio
import base64
import os
import time

import uvloop
from peers.proxy import ECHO_HOST, Proxy

from loads.load import Done, Load
from loads.sources import source

_MESSAGE = bytes([0x82, 0x80 | 64]) + b"mask" + bytes(64)
"""A binary message of 64 bytes, masked as a client's (RFC 6455 section 5.2)."""


def websockets(connections: int) -> Load:
    def load(proxy: Proxy, seconds: float) -> Done:
        return uvloop.run(_run(proxy, connections, seconds))

    return load


async def _run(proxy: Proxy, connections: int, seconds: float) -> Done:
    loop = asyncio.get_running_loop()
    clients = []
    for number in range(connections):
        client = _Client()
        await loop.create_connection(
            lambda client=client: client, "127.0.0.1", proxy.http, local_addr=source(number)
        )  # type: ignore[misc]
        clients.append(client)
    await asyncio.wait_for(asyncio.gather(*(each.upgraded for each in clients)), 30)
    begun, before = time.monotonic(), proxy.cpu()
    for each in clients:
        each.send()
    await asyncio.sleep(seconds)
    done = Done(sum(each.echoed for each in clients), time.monotonic() - begun, proxy.cpu() - before)
    if failed := [each for each in clients if each.lost or not each.echoed]:
        raise SystemExit(f"{len(failed)} WebSockets through {proxy.name} failed")
    for each in clients:
        each.transport.abort()
    return done


class _Client(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self) -> None:
        self.upgraded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.echoed = 0
        self.lost = False
        self._came = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        key = base64.b64encode(os.urandom(16))
        self.transport.write(
            b"GET / HTTP/1.1\r\nHost: " + ECHO_HOST.encode() + b"\r\nUpgrade: websocket\r\n"
            b"Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: " + key + b"\r\n\r\n"
        )

    def send(self) -> None:
        self.transport.write(_MESSAGE)

    def data_received(self, data: bytes) -> None:
        self._came += data
        if self.upgraded.done():
            if len(self._came) >= len(_MESSAGE):
                self._came = b""
                self.echoed += 1
                self.send()
        elif b"\r\n\r\n" in self._came:
            if not self._came.startswith(b"HTTP/1.1 101 "):
                raise SystemExit(f"no WebSocket: {self._came[:100]!r}")
            self._came = b""
            self.upgraded.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
