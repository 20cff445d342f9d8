"""Upstream servers on real sockets whose every byte a test decides."""

from __future__ import annotations

import itertools
import json
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field


@dataclass
class Seen:
    """One request as the upstream got it."""

    method: str
    target: str
    version: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    connection: int = 0

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)


class Conversation:
    """One connection from the proxy, on the upstream's side."""

    def __init__(self, connection: socket.socket, number: int, seen: list[Seen]) -> None:
        self.socket = connection
        self.number = number
        self._seen = seen
        self._buffer = b""

    def _fill(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise EOFError
        self._buffer += data

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._buffer:
            self._fill()
        found, _, self._buffer = self._buffer.partition(mark)
        return found

    def exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._fill()
        found, self._buffer = self._buffer[:size], self._buffer[size:]
        return found

    def head(self) -> Seen:
        """The next request's head. Raises EOFError when the proxy closed instead."""
        first, *lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        method, target, version = first.split(" ")
        pairs = [line.split(":", 1) for line in lines]
        seen = Seen(method, target, version, [(name, value.strip()) for name, value in pairs])
        seen.connection = self.number
        self._seen.append(seen)
        return seen

    def body(self, seen: Seen) -> None:
        """The body of that request."""
        if length := seen.get("content-length"):
            seen.body = self.exactly(int(length))
        elif seen.get("transfer-encoding"):
            while size := int(self._until(b"\r\n").split(b";")[0], 16):
                seen.body += self.exactly(size)
                self.exactly(2)
            self.exactly(2)

    def request(self) -> Seen:
        """The next whole request."""
        seen = self.head()
        self.body(seen)
        return seen

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def reset(self) -> None:
        """Close with a RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


Handler = Callable[[Conversation], None]

_numbers = itertools.count()


@dataclass
class Upstream:
    """A server that runs ``handler`` in a thread for each connection, and closes it afterwards."""

    handler: Handler
    seen: list[Seen] = field(default_factory=list)
    address: str = ""
    port: int = 0

    def __post_init__(self) -> None:
        self.address = self.address or ("127.0.0.1" if self.port else _fresh_address())
        self._listener = socket.create_server((self.address, self.port), backlog=512)
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def target(self) -> str:
        return f"{self.address}:{self.port}"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection, self.connections), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with connection, suppress(EOFError, OSError):
            self.handler(Conversation(connection, number, self.seen))

    def stop(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # a thread that waits in accept() would keep it open
        self._listener.close()
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


def answer(body: bytes = b"ok", status: str = "200 OK", extra: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\n{extra}Content-Length: {len(body)}\r\n\r\n".encode() + body


def constant(response: bytes) -> Handler:
    """Answers every request with the same bytes and keeps the connection."""

    def serve(conversation: Conversation) -> None:
        while True:
            conversation.request()
            conversation.send(response)

    return serve


def once(response: bytes) -> Handler:
    """Answers one request with these bytes, then closes."""

    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(response)

    return serve


def echo(conversation: Conversation) -> None:
    """Answers with the request as JSON."""
    while True:
        seen = conversation.request()
        shown = {"method": seen.method, "target": seen.target, "headers": seen.headers}
        conversation.send(answer(json.dumps({**shown, "body": seen.body.decode("latin-1")}).encode()))


def dead_target() -> str:
    """A target that refuses connections."""
    address = _fresh_address()
    with socket.create_server((address, 0)) as server:
        return f"{address}:{server.getsockname()[1]}"


def _fresh_address() -> str:
    """One that no other target has: the system gives ports again, and a proxy remembers which targets were dead."""
    number = next(_numbers)
    return f"127.1.{number // 250}.{number % 250 + 1}"
