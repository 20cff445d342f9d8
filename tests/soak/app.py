"""The app behind the proxy: ``python -m tests.soak.app``. Says its port; SIGTERM lets requests under way finish."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import os
import signal
from asyncio import StreamReader, StreamWriter
from contextlib import suppress

EVENTS = 20
EVENT_TIME = 0.05
DOWNLOAD = b"0123456789abcdef" * 16384
_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3


class App:
    """Connections, and how many have a request under way."""

    def __init__(self) -> None:
        self.busy = 0
        self.stopping = asyncio.Event()

    async def connection(self, reader: StreamReader, writer: StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.busy += 1
                try:
                    await self.answer(head, reader, writer)
                finally:
                    self.busy -= 1
        writer.close()

    async def answer(self, head: bytes, reader: StreamReader, writer: StreamWriter) -> None:
        first, *lines = head.decode("latin-1").rstrip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        path = first.split(" ")[1]
        if path == "/upload":
            size = await body(headers, reader)
            writer.write(response(b"%d" % size))
        elif path == "/events":
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            for number in range(EVENTS):
                event = b"data: %d\n\n" % number
                writer.write(b"%x\r\n%b\r\n" % (len(event), event))
                await asyncio.sleep(EVENT_TIME)
            writer.write(b"0\r\n\r\n")
        elif path == "/download":
            writer.write(response(DOWNLOAD))
        elif path == "/socket":
            accept = base64.b64encode(hashlib.sha1(headers["sec-websocket-key"].encode() + _MAGIC).digest())
            writer.write(
                b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
            )
            while data := await reader.read(65536):  # raw: what comes goes back
                writer.write(data)
        else:
            writer.write(response(b"hello"))
        await writer.drain()


async def body(headers: dict[str, str], reader: StreamReader) -> int:
    """Read a request's body; its size."""
    total = 0
    if "content-length" in headers:
        left = int(headers["content-length"])
        while left:
            data = await reader.read(min(left, 65536))
            if not data:
                raise ConnectionResetError
            left -= len(data)
            total += len(data)
    elif "transfer-encoding" in headers:
        while size := int(await reader.readuntil(b"\r\n"), 16):
            await reader.readexactly(size + 2)
            total += size
        await reader.readuntil(b"\r\n")
    return total


def response(content: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(content), content)


async def main() -> None:
    app = App()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, app.stopping.set)
    server = await asyncio.start_server(app.connection, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await app.stopping.wait()
    server.close()
    while app.busy:
        await asyncio.sleep(0.05)
    os._exit(0)  # the idle connections end with it


if __name__ == "__main__":
    logging.getLogger("asyncio").setLevel(
        logging.ERROR
    )  # it remarks every write to a connection that was cut
    asyncio.run(main())
