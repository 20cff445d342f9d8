"""An HTTP/2 client over TLS, made with the h2 library, that reads and gives windows only when it is told to."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, field
from typing import Any

from h2.config import H2Configuration
from h2.connection import ConnectionInputs, H2Connection, H2ConnectionStateMachine
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    InformationalResponseReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)

from tests.proxy.secure import trusting

Fields = list[tuple[bytes, bytes]]


@dataclass
class Answer:
    """What came on one stream."""

    status: int = 0
    fields: Fields = field(default_factory=list)
    interim: list[int] = field(default_factory=list)
    body: bytes = b""
    trailers: Fields = field(default_factory=list)
    ended: bool = False
    reset: int | None = None
    """The code of RST_STREAM."""

    def get(self, name: str) -> str | None:
        return next((value.decode() for key, value in self.fields if key == name.encode()), None)


class _Lasting(H2ConnectionStateMachine):
    """Streams go on after a GOAWAY."""

    def process_input(self, input_: ConnectionInputs) -> list[Event]:
        return [] if input_ is ConnectionInputs.RECV_GOAWAY else super().process_input(input_)


class Wire2:
    """One connection to the proxy."""

    def __init__(self, port: int, host: str) -> None:
        self.host = host
        plain = socket.create_connection(("127.0.0.1", port), timeout=20)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.socket = trusting(alpn=("h2",)).wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise
        self.h2 = H2Connection(H2Configuration())
        self.h2.state_machine = _Lasting()
        self.answers: dict[int, Answer] = {}
        self.goaways: list[tuple[int, int]] = []
        """(error code, last stream)"""
        self.h2.initiate_connection()
        self.flush()

    def __enter__(self) -> Wire2:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def flush(self) -> None:
        self.socket.sendall(self.h2.data_to_send())

    def ask(self, path: str = "/", method: str = "GET", more: Fields | None = None, end: bool = True) -> int:
        """Send a request's head; the stream's id."""
        stream = self.h2.get_next_available_stream_id()
        head = [(":method", method), (":scheme", "https"), (":authority", self.host), (":path", path)]
        self.h2.send_headers(stream, [*head, *(more or [])], end_stream=end)
        self.flush()
        self.answers[stream] = Answer()
        return stream

    def send(self, stream: int, data: bytes, end: bool = False) -> None:
        """A body, in frames, as the proxy gives windows for it."""
        while True:
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size)
            if room or not data:
                piece, data = data[:room], data[room:]
                self.h2.send_data(stream, piece, end and not data)
                self.flush()
                if not data:
                    return
            else:
                self.read()

    def read(self, widen: bool = True) -> None:
        """Take in what comes next; ``widen``: give the windows back at once. Raises EOFError at the end."""
        data = self.socket.recv(65536)
        if not data:
            raise EOFError
        for event in self.h2.receive_data(data):
            self._hear(event, widen)
        self.flush()

    def _hear(self, event: Any, widen: bool) -> None:
        if isinstance(event, ConnectionTerminated):
            self.goaways.append((int(event.error_code), event.last_stream_id or 0))
            return
        answer = self.answers.get(getattr(event, "stream_id", 0))
        if answer is None:
            return
        if isinstance(event, ResponseReceived):
            answer.fields = [(bytes(name), bytes(value)) for name, value in event.headers]
            answer.status = int(answer.get(":status") or 0)
        elif isinstance(event, InformationalResponseReceived):
            answer.interim.append(int(dict(event.headers)[b":status"]))
        elif isinstance(event, DataReceived):
            answer.body += event.data
            if widen:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, TrailersReceived):
            answer.trailers = [(bytes(name), bytes(value)) for name, value in event.headers]
        elif isinstance(event, StreamEnded):
            answer.ended = True
        elif isinstance(event, StreamReset):
            answer.reset = int(event.error_code)

    def answer(self, stream: int, widen: bool = True) -> Answer:
        """The whole response, or what came of it before a reset."""
        answer = self.answers[stream]
        while not answer.ended and answer.reset is None:
            self.read(widen)
        return answer

    def get(self, path: str = "/", method: str = "GET", more: Fields | None = None) -> Answer:
        return self.answer(self.ask(path, method, more))

    def closed(self) -> bool:
        """Whether the proxy closed. Waits for it."""
        try:
            while True:
                self.read()
        except (EOFError, ConnectionError, ssl.SSLError):
            return True
