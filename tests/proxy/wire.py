"""A raw HTTP/1 client: sends any bytes, reads responses by their framing, and tells a truncated one."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field


class Truncated(Exception):
    """The connection ended before the response was complete."""


@dataclass
class Response:
    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    interim: list[Response] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)


class Wire:
    """One connection to the proxy."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._buffer = b""

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def get(self, host: str, path: str = "/", method: str = "GET", extra: str = "") -> Response:
        self.send(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{extra}\r\n".encode())
        return self.response(method)

    def _fill(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise Truncated(self._buffer[:200])
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

    def head(self) -> Response:
        """The next head, whatever its status."""
        first, *lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        version, _, rest = first.partition(" ")
        assert version == "HTTP/1.1", first
        status, _, reason = rest.partition(" ")
        pairs = [line.split(":", 1) for line in lines]
        return Response(int(status), reason, [(name, value.strip()) for name, value in pairs])

    def chunk(self) -> bytes:
        """One chunk of a chunked body; b"" is the end."""
        size = int(self._until(b"\r\n"), 16)
        data = self.exactly(size)
        assert self.exactly(2) == b"\r\n"
        return data

    def response(self, method: str = "GET") -> Response:
        """The next whole response, with the 1xx ones before it. Raises Truncated, or ConnectionResetError."""
        interim = []
        while (response := self.head()).status < 200:
            interim.append(response)
        response.interim = interim
        if method == "HEAD" or response.status in (204, 304):
            return response
        length = response.get("content-length")
        if length is not None:
            response.body = self.exactly(int(length))
        elif response.get("transfer-encoding") == "chunked":
            while data := self.chunk():
                response.body += data
        else:
            response.body = self.rest()
        return response

    def rest(self) -> bytes:
        """All that comes until the connection ends cleanly."""
        found, self._buffer = self._buffer, b""
        while data := self.socket.recv(65536):
            found += data
        return found

    def closed(self) -> bool:
        """Whether the proxy closed, with nothing more before that. Waits for it."""
        try:
            return self.rest() == b""
        except ConnectionResetError:
            return True
