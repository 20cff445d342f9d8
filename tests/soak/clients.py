"""The clients: each is a coroutine that does one thing once, and raises when the answer isn't right."""

from __future__ import annotations

import asyncio
import os
import random
import ssl
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable
from contextlib import suppress

from attrs import frozen

from tests.soak.app import DOWNLOAD, EVENTS
from tests.soak.tally import Tally

HOST = "soak.example"
PATIENCE = 30.0
"""Seconds for one exchange: nothing here takes more than two unless something hangs."""


@frozen
class Place:
    """Where the proxy listens, and how it is trusted."""

    http: int
    https: int
    trust: ssl.SSLContext
    trust_h2: ssl.SSLContext


class Wire:
    """One HTTP/1.1 connection. ``opened``: the moment it was."""

    opened: float

    def __init__(self, reader: StreamReader, writer: StreamWriter, opened: float) -> None:
        self.reader, self.writer, self.opened = reader, writer, opened
        self.usable = True

    @classmethod
    async def open(cls, place: Place, tls: bool = False) -> Wire:
        if tls:
            streams = asyncio.open_connection("127.0.0.1", place.https, ssl=place.trust, server_hostname=HOST)
        else:
            streams = asyncio.open_connection("127.0.0.1", place.http)
        opened = time.monotonic()
        reader, writer = await streams
        return cls(reader, writer, opened)

    def send(self, method: str, path: str, extra: str = "", body: bytes = b"") -> None:
        self.write(f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\n{extra}\r\n".encode() + body)

    def write(self, data: bytes) -> None:
        if self.writer.is_closing():
            raise ConnectionResetError
        self.writer.write(data)

    async def answer(self) -> bytes:
        """The body of a response that is 200 and whole."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 200 "):
            raise AssertionError(head[:60])
        self.usable = b"connection: close" not in head
        if b"transfer-encoding: chunked" in head:
            found = b""
            while size := int(await self.reader.readuntil(b"\r\n"), 16):
                found += (await self.reader.readexactly(size + 2))[:-2]
            await self.reader.readexactly(2)
            return found
        return await self.reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))

    def close(self) -> None:
        self.writer.close()


def expect(got: object, wanted: object) -> None:
    if got != wanted:
        raise AssertionError(f"{str(got)[:60]} in place of {str(wanted)[:60]}")


async def keep_alive(wire: Wire) -> None:
    for _ in range(random.randint(1, 50)):
        wire.send("GET", "/")
        expect(await wire.answer(), b"hello")
        if not wire.usable:
            return
        await asyncio.sleep(random.random() / 20)


async def once(wire: Wire) -> None:
    wire.send("GET", "/", "Connection: close\r\n")
    expect(await wire.answer(), b"hello")
    expect(await wire.reader.read(1), b"")


async def download(wire: Wire) -> None:
    wire.send("GET", "/download")
    expect(await wire.answer() == DOWNLOAD, True)


async def upload(wire: Wire) -> None:
    body = os.urandom(random.randint(1, 1_000_000))
    if random.random() < 0.5:
        wire.send("POST", "/upload", f"Content-Length: {len(body)}\r\n", body)
    else:
        half = len(body) // 2 + 1
        parts = [each for each in (body[:half], body[half:]) if each]
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in parts)
        wire.send("POST", "/upload", "Transfer-Encoding: chunked\r\n", chunks + b"0\r\n\r\n")
    expect(await wire.answer(), b"%d" % len(body))


async def events(wire: Wire) -> None:
    wire.send("GET", "/events")
    expect(await wire.answer(), b"".join(b"data: %d\n\n" % number for number in range(EVENTS)))


async def web_socket(wire: Wire) -> None:
    """The handshake, then bytes there and back: what the frames would be is the app's business."""
    wire.send(
        "GET",
        "/socket",
        "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    )
    head = await wire.reader.readuntil(b"\r\n\r\n")
    expect(head[:12], b"HTTP/1.1 101")
    expect(b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head, True)
    for _ in range(20):
        data = os.urandom(random.randint(1, 2000))
        wire.write(data)
        expect(await wire.reader.readexactly(len(data)), data)
        await asyncio.sleep(0.05)


async def slow(wire: Wire) -> None:
    """A head that trickles in, and a response that is taken slowly."""
    for byte in f"GET /download HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode():
        wire.write(bytes([byte]))
        await asyncio.sleep(0.02)
    await asyncio.sleep(1)
    expect(await wire.answer() == DOWNLOAD, True)


async def broken(wire: Wire) -> None:
    """A client that makes no sense, or goes away; it is owed nothing."""
    what = random.choice(
        [
            b"\x16\x03\x01 nonsense\r\n\r\n",
            f"POST /upload HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 100000\r\n\r\nhalf".encode(),
            f"POST / HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".encode(),
            f"GET /download HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode() * 5,
            f"GET /events HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode(),
            b"GET / HTTP/1.1\r\nHost",
            b"",
        ]
    )
    with suppress(OSError):
        wire.write(what)
        await asyncio.sleep(random.random() / 2)
        wire.writer.transport.abort()


KINDS: dict[str, tuple[Callable[[Wire], Awaitable[None]], bool, int]] = {
    "keep-alive": (keep_alive, False, 6),
    "new connection": (once, False, 4),
    "TLS keep-alive": (keep_alive, True, 4),
    "TLS new connection": (once, True, 3),
    "download": (download, False, 2),
    "upload": (upload, False, 2),
    "TLS upload": (upload, True, 1),
    "events": (events, False, 8),
    "TLS events": (events, True, 4),
    "WebSocket": (web_socket, False, 6),
    "TLS WebSocket": (web_socket, True, 4),
    "slow": (slow, False, 6),
    "broken": (broken, False, 4),
    "TLS broken": (broken, True, 2),
}
"""What it does, over TLS or not, and how many do it at a time."""


async def run(kind: str, place: Place, tally: Tally, until: float) -> None:
    """One client of that kind, again and again."""
    does, tls, _ = KINDS[kind]
    while time.monotonic() < until:
        began = time.monotonic()
        wire = None
        try:
            async with asyncio.timeout(PATIENCE):
                wire = await Wire.open(place, tls)
                await does(wire)
            tally.done[kind] += 1
        except (OSError, EOFError, AssertionError, TimeoutError) as error:
            tally.failure(kind, began if wire is None else wire.opened, error)
        finally:
            if wire is not None:
                wire.close()
        await asyncio.sleep(random.random() / 5)
