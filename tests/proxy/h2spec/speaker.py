"""A client that speaks frames over TLS, and tells what came back."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType

from hpack import Decoder
from hyperframe.frame import (
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
)

from tests.proxy.h2spec.frames import ACK, PING, PREFACE, SETTINGS, frame
from tests.proxy.secure import trusting

FIRST, LAST = b"pinged 1", b"pinged 2"
"""A server may acknowledge the first before it says what it thinks of frames that came together with it."""


class Speaker:
    """One connection, after the prefaces of both sides."""

    def __init__(self, port: int, name: str, preface: bytes = PREFACE) -> None:
        plain = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket = trusting(alpn=("h2",)).wrap_socket(plain, server_hostname=name)
        assert self.socket.selected_alpn_protocol() == "h2"
        self._decoder = Decoder()
        self._buffer = b""
        self.send(preface + frame(SETTINGS, 0, 0) + frame(SETTINGS, ACK, 0))

    def __enter__(self) -> Speaker:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        with suppress(ConnectionError, ssl.SSLError):  # the server had enough before all was sent
            self.socket.sendall(data)

    def frames(self) -> Iterator[Frame]:
        """What comes, until the end of the connection."""
        while True:
            while len(self._buffer) < 9:
                if not self._fill():
                    return
            parsed, size = Frame.parse_frame_header(memoryview(self._buffer[:9]))
            while len(self._buffer) < 9 + size:
                if not self._fill():
                    return
            parsed.parse_body(memoryview(self._buffer[9 : 9 + size]))
            self._buffer = self._buffer[9 + size :]
            yield parsed

    def _fill(self) -> bool:
        try:
            data = self.socket.recv(65536)
        except (ConnectionError, ssl.SSLError):
            return False
        self._buffer += data
        return bool(data)

    def outcome(self, awaited: bool) -> tuple[str, int]:
        """What the frames led to: a response if one is ``awaited``, else what came before a PING was answered.

        ("connection", code), ("stream", code), ("response", status), ("ping", 0), or ("end", 0).
        """
        self.send(frame(PING, 0, 0, FIRST))
        status = 0
        for each in self.frames():
            if isinstance(each, GoAwayFrame):
                return "connection", each.error_code
            if isinstance(each, RstStreamFrame):
                return "stream", each.error_code
            if isinstance(each, HeadersFrame):
                status = int(dict(self._decoder.decode(each.data, raw=True))[b":status"])
            if status >= 400 or (status and "END_STREAM" in each.flags):
                return "response", status
            if isinstance(each, PingFrame) and each.opaque_data == LAST and not awaited:
                return "ping", 0
            if isinstance(each, PingFrame) and each.opaque_data == FIRST:
                self.send(frame(PING, 0, 0, LAST))
        return "end", 0
