"""A WebSocket server that costs little: after the handshake (RFC 6455 section 4) every byte goes back as it came.

No proxy looks into frames, so their masks don't matter. ``python bench/peers/echo.py PORT``
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import sys

import uvloop

_KEY = re.compile(rb"sec-websocket-key:[ \t]*(\S+)", re.IGNORECASE)
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Echo(asyncio.Protocol):
    transport: asyncio.Transport
    head = b""
    upgraded = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        if self.upgraded:
            self.transport.write(data)
            return
        self.head += data
        head, end, rest = self.head.partition(b"\r\n\r\n")
        if not end:
            return
        if (key := _KEY.search(head)) is None:
            self.transport.close()
            return
        accept = base64.b64encode(hashlib.sha1(key[1] + _GUID).digest())
        self.transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n" + rest
        )
        self.upgraded = True


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
