"""An HTTP/2 client in memory, made with the h2 library, and all that our side of its connection needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import evolve
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
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from iopproxy.http.deadlines import TICK, Deadlines
from iopproxy.http.http2 import Http2Connection
from iopproxy.http.known import Known
from iopproxy.http.limits import Limits
from iopproxy.http.meter import Meter
from iopproxy.http.pool import UnreachableError
from iopproxy.http.relay import Relay
from iopproxy.http.upstream import UpstreamConnection
from iopproxy.routing.balancer import Balancer
from iopproxy.routing.inflight import InFlight
from iopproxy.routing.router import Router
from iopproxy.routing.state import Route, Version
from tests.unit.proxy.transports import Transport

Fields = list[tuple[bytes, bytes]]

HEAD: Fields = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"a.example"), (b":path", b"/")]
POST: Fields = [(b":method", b"POST"), *HEAD[1:]]


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


class Answered:
    """What came on one stream."""

    def __init__(self) -> None:
        self.interim: list[Fields] = []
        self.fields: Fields = []
        self.body = b""
        self.trailers: Fields = []
        self.ended = False
        self.reset: int | None = None
        """The error code of RST_STREAM."""

    @property
    def status(self) -> int:
        """0 before there is a response."""
        return int(dict(self.fields).get(b":status", b"0"))

    def get(self, name: bytes) -> bytes | None:
        return dict(self.fields).get(name)


class Upstreams:
    """A pool whose connections end in a transport in memory."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.reachable = True
        self.made: list[UpstreamConnection] = []
        self.waiting: list[Deferred[None]] | None = None
        """Those who connect while this is a list wait until ``connect_all``."""

    def take(self, target: str, young: bool) -> None:
        return None

    async def connect(self, target: str) -> UpstreamConnection:
        if self.waiting is not None:
            self.waiting.append(Deferred())
            await self.waiting[-1]
        if not self.reachable:
            raise UnreachableError("it is a test")
        connection = UpstreamConnection(target, lambda _: None, lambda _: None, self.limits, Known())
        connection.makeConnection(Transport())
        self.made.append(connection)
        return connection

    def connect_all(self) -> None:
        """Whoever waits for a connection gets one."""
        waiting, self.waiting = self.waiting or [], None
        for each in waiting:
            if not each.called:  # cancelled
                each.callback(None)


class Book:
    """A journal."""

    def __init__(self) -> None:
        self.fates: list[str] = []
        self.statuses: list[int] = []

    def finished(self, exchange: Any) -> None:
        self.fates.append(exchange.fate)

    def refused(self, address: bytes, scheme: bytes, status: int) -> None:
        self.statuses.append(status)


class Lasting(H2ConnectionStateMachine):
    """Goes on with its streams after a GOAWAY, as clients do."""

    def process_input(self, input_: ConnectionInputs) -> list[Event]:
        goaway = input_ in (ConnectionInputs.RECV_GOAWAY, ConnectionInputs.SEND_GOAWAY)
        return [] if goaway else super().process_input(input_)


class Setting:
    """One client's connection, ready for requests, and everything around it."""

    def __init__(self, start: bool = True, draining: bool = False, **limits: Any) -> None:
        self.limits = evolve(Limits(), **limits)
        self.clock = Clock()
        self.deadlines = Deadlines(self.clock)
        self.pool = Upstreams(self.limits)
        self.book = Book()
        pool: Any = self.pool
        book: Any = self.book
        router = Router()
        router.put(Route("demo", "web", ("a.example",), Version(("web:1",), "blue", "r1")))
        in_flight = InFlight()
        balancer = Balancer(router.targets, in_flight, self.limits, self.deadlines, Meter())
        self.relay = Relay(
            router, balancer, in_flight, pool, self.deadlines, self.limits, book, secured=lambda _: False
        )
        self.relay.draining = draining
        self.connections: set[Http2Connection] = set()
        self.server = Http2Connection(self.relay, self.connections, b"https")
        self.transport = Transport()
        self.client = H2Connection(
            H2Configuration(
                client_side=True, validate_outbound_headers=False, normalize_outbound_headers=False
            )
        )
        self.client.state_machine = Lasting()
        self.answers: dict[int, Answered] = {}
        self.goaways: list[ConnectionTerminated] = []
        self.events: list[Event] = []
        self.server.makeConnection(self.transport)
        if start:
            self.client.initiate_connection()
            self.talk()

    # The client

    def talk(self) -> None:
        """Both sides hear each other out."""
        while True:
            data = self.client.data_to_send()
            if data:
                self.server.dataReceived(data)
            said = self.transport.value()
            self.transport.clear()
            if said:
                self.hear(said)
            elif not data:
                return

    def hear(self, said: bytes) -> None:
        for event in self.client.receive_data(said):
            self.events.append(event)
            if isinstance(event, ConnectionTerminated):
                self.goaways.append(event)
            elif isinstance(event, ResponseReceived):
                self.on(event).fields = list(event.headers)
            elif isinstance(event, InformationalResponseReceived):
                self.on(event).interim.append(list(event.headers))
            elif isinstance(event, DataReceived):
                self.on(event).body += event.data
            elif isinstance(event, TrailersReceived):
                self.on(event).trailers = list(event.headers)
            elif isinstance(event, StreamEnded):
                self.on(event).ended = True
            elif isinstance(event, StreamReset):
                self.on(event).reset = int(event.error_code)

    def on(self, event: Any) -> Answered:
        return self.answers.setdefault(event.stream_id, Answered())

    def ask(self, fields: Sequence[tuple[bytes, bytes]] = HEAD, end: bool = True) -> int:
        """Send a request's head; the stream's id."""
        stream_id = self.client.get_next_available_stream_id()
        self.client.send_headers(stream_id, fields, end_stream=end)
        self.talk()
        return stream_id

    def send(self, stream_id: int, data: bytes, end: bool = False) -> None:
        self.client.send_data(stream_id, data, end)
        self.talk()

    def answer(self, stream_id: int) -> Answered:
        return self.answers.get(stream_id) or Answered()

    def leave(self) -> None:
        self.server.connectionLost(Failure(ConnectionDone()))

    # Time and targets

    def pass_time(self, seconds: float) -> None:
        for _ in range(int(seconds / TICK) + 1):
            self.clock.advance(TICK)
            self.deadlines.tick()

    def live(self, seconds: float) -> None:
        """Time passes for a client that is there and answers PINGs."""
        for _ in range(int(seconds / 10)):
            self.pass_time(9.5)
            self.talk()

    def upstream(self, number: int = -1) -> Transport:
        """What one of the connections to the target was sent."""
        transport: Any = self.pool.made[number].transport
        return transport

    def reply(self, data: bytes, number: int = -1) -> None:
        """The target says something."""
        self.pool.made[number].dataReceived(data)
        self.talk()
