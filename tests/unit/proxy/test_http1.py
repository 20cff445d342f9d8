"""The server protocol on a fake transport and clock: its times, and that no bytes break it."""

from __future__ import annotations

import socket
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher
from twisted.python.failure import Failure

from iopproxy.http.deadlines import TICK, Deadlines
from iopproxy.http.exchange import Exchange
from iopproxy.http.http1 import Http1Connection
from iopproxy.http.ids import RequestIds
from iopproxy.http.journal import Journal
from iopproxy.http.known import Known
from iopproxy.http.limits import Limits
from iopproxy.http.meter import Meter
from iopproxy.http.pool import UnreachableError
from iopproxy.http.relay import Relay
from iopproxy.http.upstream import UpstreamConnection
from iopproxy.routing.balancer import Balancer
from iopproxy.routing.inflight import InFlight
from iopproxy.routing.router import Router
from iopproxy.routing.settings import Settings
from iopproxy.routing.state import Route, Version
from tests.unit.proxy.transports import Transport

LIMITS = Limits()


class Upstreams:
    """A pool whose connections end in a StringTransport."""

    def __init__(self, reachable: bool = True) -> None:
        self.reachable = reachable
        self.made: list[UpstreamConnection] = []
        self.delay: Deferred[None] = succeed(None)

    def take(self, target: str, young: bool) -> None:
        return None

    async def connect(self, target: str) -> UpstreamConnection:
        await self.delay
        if not self.reachable:
            raise UnreachableError("it is a test")
        connection = UpstreamConnection(target, lambda _: None, lambda _: None, LIMITS, Known())
        connection.makeConnection(Transport())
        self.made.append(connection)
        return connection


class Ids(RequestIds):
    """Remembers which it made."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[bytes] = []

    def next(self) -> bytes:
        self.made.append(super().next())
        return self.made[-1]


class Recording(Journal):
    """Remembers the ids of which it heard."""

    def __init__(self, meter: Meter) -> None:
        super().__init__(meter)
        self.heard: list[bytes] = []

    def finished(self, exchange: Exchange) -> None:
        assert exchange.fate and exchange.ended_at >= exchange.began
        self.heard.append(exchange.request.id)
        super().finished(exchange)


class Setting:
    """One client's connection and everything it needs."""

    def __init__(self, reachable: bool = True) -> None:
        route = Route("demo", "web", ("a.example",), Version(("web:1",), "blue", "r1"))
        self.clock = Clock()
        self.pool = Upstreams(reachable)
        self.deadlines = Deadlines(self.clock)
        pool: Any = self.pool
        router = Router()
        router.put(route)
        small = Version(("small:1",), "blue", "r1")
        router.put(Route("demo", "small", ("small.example",), small, settings=Settings(max_body=2)))
        meter, in_flight = Meter(), InFlight()
        balancer = Balancer(router.targets, in_flight, LIMITS, self.deadlines, meter)
        self.journal, self.ids = Recording(meter), Ids()
        self.relay = Relay(
            router, balancer, in_flight, pool, self.deadlines, LIMITS, self.journal, secured=lambda _: False
        )
        self.relay.ids = self.ids
        self.connections: set[Http1Connection] = set()
        self.server = Http1Connection(self.relay, self.connections, b"http")
        self.transport = Transport()
        self.server.makeConnection(self.transport)

    def pass_time(self, seconds: float) -> None:
        for _ in range(int(seconds / TICK) + 1):
            self.clock.advance(TICK)
            self.deadlines.tick()

    def upstream(self) -> tuple[UpstreamConnection, Transport]:
        transport: Any = self.pool.made[-1].transport
        return self.pool.made[-1], transport


GET = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"
EXPECTING = b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
RESPONSE_TIME = Settings().response_timeout
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
OFFER = GET[:-2] + b"Connection: Upgrade\r\nUpgrade: x\r\n\r\n"
ACCEPTED = b"HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"


def test_a_silent_client_is_closed() -> None:
    setting = Setting()
    setting.pass_time(LIMITS.head_time - 1)
    assert not setting.transport.over
    setting.pass_time(2)
    assert setting.transport.disconnecting
    assert setting.transport.value() == b""


def test_a_trickled_head_is_408() -> None:
    setting = Setting()
    for byte in GET[: int(LIMITS.head_time) - 1]:
        setting.server.dataReceived(bytes([byte]))
        setting.pass_time(1)
    assert setting.transport.value().startswith(b"HTTP/1.1 408 ")
    assert setting.transport.over


def test_an_idle_client_is_closed_after_its_time() -> None:
    setting = Setting()
    setting.server.dataReceived(GET)
    setting.upstream()[0].dataReceived(OK)
    setting.pass_time(LIMITS.idle_time - 1)
    assert not setting.transport.over
    setting.server.dataReceived(b"\r\n\r\n")  # blank lines prolong nothing
    setting.pass_time(2)
    assert setting.transport.disconnecting


def test_a_stalled_body_is_408() -> None:
    setting = Setting()
    setting.server.dataReceived(b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 9\r\n\r\n")
    setting.pass_time(LIMITS.body_grace_time - 1)
    assert not setting.transport.over
    setting.pass_time(2)
    assert setting.transport.value().startswith(b"HTTP/1.1 408 ")
    assert setting.upstream()[1].disconnected or setting.upstream()[1].disconnecting
    assert setting.relay.in_flight.count("web:1") == 0


def test_a_client_that_was_told_to_wait_is_not_late() -> None:
    setting = Setting()
    setting.server.dataReceived(EXPECTING)
    setting.pass_time(RESPONSE_TIME - 1)
    assert setting.transport.value() == b""
    setting.pass_time(2)
    assert setting.transport.value().startswith(b"HTTP/1.1 504 ")


def test_a_client_that_was_told_to_go_on_has_its_time_from_then_on() -> None:
    setting = Setting()
    setting.server.dataReceived(EXPECTING)
    setting.pass_time(LIMITS.body_grace_time - 5)
    setting.upstream()[0].dataReceived(b"HTTP/1.1 100 Continue\r\n\r\n")
    setting.pass_time(LIMITS.body_grace_time - 1)
    assert setting.transport.value() == b"HTTP/1.1 100 Continue\r\n\r\n"
    setting.pass_time(2)
    assert b"HTTP/1.1 408 " in setting.transport.value()


def test_a_late_upstream_is_504_even_after_a_long_upload() -> None:
    setting = Setting()
    setting.server.dataReceived(b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\n\r\nx")
    setting.pass_time(25)
    setting.server.dataReceived(b"x")
    setting.pass_time(25)
    assert setting.transport.value() == b""
    setting.pass_time(6)
    assert setting.transport.value().startswith(b"HTTP/1.1 504 ")
    assert not setting.transport.over


def test_a_target_that_can_not_be_reached_in_time_is_504_whatever_the_client_still_has_to_send() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        setting = Setting()
        setting.transport.handle = ours
        setting.pool.delay = Deferred()
        setting.server.dataReceived(b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 9\r\n\r\nx")
        setting.pass_time(31)
        assert setting.transport.value().startswith(b"HTTP/1.1 504 ")


def test_a_response_may_pause_for_as_long_as_it_likes() -> None:
    setting = Setting()
    setting.server.dataReceived(GET)
    setting.upstream()[0].dataReceived(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
    setting.pass_time(3600)
    setting.upstream()[0].dataReceived(b"0\r\n\r\n")
    assert setting.transport.value().endswith(b"2\r\nok\r\n0\r\n\r\n")
    assert not setting.transport.over


def test_a_client_that_reads_nothing_is_given_up() -> None:
    setting = Setting()
    setting.server.dataReceived(GET)
    setting.upstream()[0].dataReceived(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")
    setting.server.pauseProducing()
    assert setting.upstream()[1].producerState == "paused"
    setting.pass_time(LIMITS.write_stall_time + 1)
    assert setting.transport.disconnected
    setting.server.connectionLost(Failure(ConnectionDone()))
    assert setting.relay.in_flight.count("web:1") == 0


def test_a_client_that_leaves_is_noticed_while_nothing_is_read() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        setting = Setting()
        setting.transport.handle = ours
        setting.server.dataReceived(GET + GET)
        setting.upstream()[0].dataReceived(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")
        assert setting.transport.producerState == "paused"
        setting.pass_time(60)
        assert not setting.transport.disconnected
        theirs.close()
        setting.pass_time(6)
        assert setting.transport.disconnected


def test_a_full_buffer_has_its_time_even_when_the_response_is_complete() -> None:
    setting = Setting()
    setting.server.dataReceived(GET)
    setting.server.pauseProducing()
    setting.upstream()[0].dataReceived(OK)
    setting.pass_time(LIMITS.write_stall_time - 1)
    assert not setting.transport.over
    setting.pass_time(2)
    assert setting.transport.disconnected


def test_a_client_that_was_full_when_its_tunnel_began_holds_the_target_back() -> None:
    setting = Setting()
    setting.server.dataReceived(OFFER)
    setting.transport.full_after = 1
    setting.upstream()[0].dataReceived(ACCEPTED)
    assert setting.upstream()[1].producerState == "paused"
    setting.server.resumeProducing()
    assert setting.upstream()[1].producerState == "producing"


def lingering(handle: socket.socket) -> Setting:
    """A client that was answered before it had sent everything. ``handle`` holds what it hasn't taken."""
    setting = Setting()
    setting.transport.handle = handle
    setting.server.dataReceived(b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 9\r\n\r\nx")
    setting.upstream()[0].dataReceived(OK)
    assert setting.transport.half_closed
    return setting


def test_an_early_answer_is_not_cut_for_a_client_that_reads_slowly() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.send(b"a long answer")
        setting = lingering(ours)
        setting.pass_time(LIMITS.linger_time * 10)
        assert not setting.transport.disconnected
        theirs.recv(100)
        setting.pass_time(LIMITS.linger_time - 1)
        assert not setting.transport.disconnected
        setting.pass_time(2)
        assert setting.transport.disconnected


def test_an_early_answer_does_not_wait_for_a_client_that_reads_nothing() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.send(b"a long answer")
        setting = lingering(ours)
        setting.pass_time(LIMITS.write_stall_time - 1)
        assert not setting.transport.disconnected
        setting.pass_time(2)
        assert setting.transport.disconnected


def test_a_client_that_reads_again_gets_the_rest() -> None:
    setting = Setting()
    setting.server.dataReceived(GET)
    setting.server.pauseProducing()
    setting.server.resumeProducing()
    assert setting.upstream()[1].producerState == "producing"
    setting.pass_time(LIMITS.write_stall_time + 1)
    assert setting.transport.value().startswith(b"HTTP/1.1 504 ")  # by the route's time, not the client's


def test_a_client_that_is_full_before_there_is_an_upstream() -> None:
    setting = Setting()
    setting.pool.delay = Deferred()
    setting.server.dataReceived(GET)
    setting.server.pauseProducing()
    setting.pool.delay.callback(None)
    assert setting.upstream()[1].producerState == "paused"
    setting.server.resumeProducing()
    assert setting.upstream()[1].producerState == "producing"


def test_a_body_waits_for_its_upstream() -> None:
    setting = Setting()
    setting.pool.delay = Deferred()
    setting.server.dataReceived(b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 9\r\n\r\nbody")
    assert setting.transport.producerState == "paused"
    setting.pool.delay.callback(None)
    assert setting.transport.producerState == "producing"
    assert setting.upstream()[1].value().endswith(b"\r\n\r\nbody")


def test_a_client_that_leaves_before_there_is_an_upstream() -> None:
    setting = Setting()
    setting.pool.delay = Deferred()
    setting.server.dataReceived(GET)
    setting.server.connectionLost(Failure(ConnectionDone()))
    assert setting.pool.delay.called  # cancelled
    assert (setting.pool.made, setting.relay.in_flight.targets()) == ([], frozenset())


def test_a_full_upstream_stops_the_client() -> None:
    setting = Setting()
    setting.server.dataReceived(b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 9\r\n\r\nx")
    setting.upstream()[0].pauseProducing()
    assert setting.transport.producerState == "paused"
    setting.upstream()[0].resumeProducing()
    assert setting.transport.producerState == "producing"


def test_a_waiting_request_stops_the_client() -> None:
    setting = Setting()
    setting.server.dataReceived(GET + GET)
    assert setting.transport.producerState == "paused"
    setting.upstream()[0].dataReceived(OK)
    assert setting.transport.producerState == "producing"


def test_many_requests_at_once_are_all_answered() -> None:
    """Also the last one, of whose body a part waits with the others."""
    many = GET.replace(b"a.example", b"nobody.example") * 2000
    setting = Setting()
    setting.server.dataReceived(many + EXPECTING + b"x" * 8)
    assert setting.transport.value().count(b"HTTP/1.1 404 ") == 2000
    assert setting.transport.producerState == "producing"
    setting.server.dataReceived(b"x")
    assert setting.upstream()[1].value().endswith(b"\r\n\r\nxxxxxxxxx")
    setting.upstream()[0].dataReceived(OK)
    assert setting.transport.value().endswith(b"ok")


def test_nobody_is_asked_while_the_client_takes_no_answers() -> None:
    """A client that sends requests to nobody and reads no answers must not fill the memory with them."""
    setting = Setting()
    setting.server.pauseProducing()
    setting.server.dataReceived(GET.replace(b"a.example", b"nobody.example") * 100)
    assert setting.transport.value() == b""
    setting.server.resumeProducing()
    assert setting.transport.value().count(b"HTTP/1.1 404 ") == 100


def test_draining_closes_after_the_response() -> None:
    setting = Setting()
    setting.server.dataReceived(GET)
    setting.relay.draining = True
    setting.server.close_if_idle()
    assert not setting.transport.over
    setting.upstream()[0].dataReceived(OK)
    assert b"Connection: close\r\n" in setting.transport.value()
    assert setting.transport.disconnecting


def test_draining_spares_a_half_sent_request() -> None:
    setting = Setting()
    setting.server.dataReceived(GET[:20])
    setting.relay.draining = True
    setting.server.close_if_idle()
    assert not setting.transport.over
    setting.server.dataReceived(GET[20:])
    setting.upstream()[0].dataReceived(OK)
    assert setting.transport.value().endswith(b"ok")


PIECES = [
    b"GET / HTTP/1.1\r\n",
    b"POST /x HTTP/1.1\r\n",
    b"HEAD / HTTP/1.0\r\n",
    b"Host: a.example\r\n",
    b"Host: nobody.example\r\n",
    b"Host: small.example\r\n",
    b"Content-Length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Connection: close\r\n",
    b"Connection: Upgrade\r\nUpgrade: x\r\n",
    b"Expect: 100-continue\r\n",
    b"\r\n",
    b"3\r\nabc\r\n",
    b"0\r\n\r\n",
    b"0\r\nX: y\r\n\r\n",
    b"abc",
    b"\x00",
]
ANSWERS = [
    OK,
    OK[:20],
    OK[20:],
    b"HTTP/1.1 100 Go\r\n\r\n",
    b"x",
    ACCEPTED,
    ACCEPTED + b"early",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"1\r\nx\r\n",
    b"0\r\nX: y\r\n\r\n",
]
HAPPENINGS = ["client full", "client free", "client half closed", "upstream full", "upstream free"]
HAPPENINGS += ["upstream half closed", "upstream gone", "upstream broken", "time", "drained"]
POST = b"POST / HTTP/1.1\r\nHost: a.example\r\n"
WHOLE = [
    GET,
    GET.replace(b"a.example", b"nobody.example"),
    GET.replace(b"GET", b"HEAD"),
    OFFER,
    OFFER + b"early",
    POST + b"Content-Length: 3\r\n\r\nabc",
    POST + b"Content-Length: 4\r\n\r\nabc",
    POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    POST.replace(b"a.example", b"small.example") + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
]
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("client"), st.sampled_from(WHOLE)),
        st.tuples(st.just("upstream"), st.sampled_from(ANSWERS)),
        st.tuples(st.just("upstream"), st.sampled_from([OK, ACCEPTED])),
        st.tuples(st.just("client"), st.sampled_from(PIECES)),
        st.tuples(st.sampled_from(HAPPENINGS), st.just(b"")),
    ),
    max_size=30,
)


def play(setting: Setting, event: str, data: bytes) -> None:
    """One thing happens, if it can."""
    server, alive = setting.server, not setting.transport.disconnected
    upstream = setting.pool.made[-1] if setting.pool.made else None
    upstream_alive = upstream is not None and not setting.upstream()[1].disconnected
    if event == "time":
        setting.pass_time(1)
    elif event == "drained":
        setting.relay.tunnels.close()
    elif event == "client half closed" and alive and server.end is not None:
        server.readConnectionLost()
    elif event == "client" and alive:
        server.dataReceived(data)
    elif event == "client full" and alive:
        server.pauseProducing()
    elif event == "client free" and alive:
        server.resumeProducing()
    elif upstream is None or not upstream_alive:
        pass
    elif event == "upstream":
        upstream.dataReceived(data)
    elif event == "upstream full":
        upstream.pauseProducing()
    elif event == "upstream free":
        upstream.resumeProducing()
    elif event == "upstream half closed" and upstream.end is not None:
        upstream.readConnectionLost()
    elif event in ("upstream gone", "upstream broken"):
        setting.upstream()[1].abortConnection()
        upstream.connectionLost(Failure(ConnectionDone() if event == "upstream gone" else ConnectionLost()))


@settings(max_examples=max(300, settings.default.max_examples))
@given(EVENTS, st.booleans())
def test_nothing_that_happens_breaks_it(events: list[tuple[str, bytes]], reachable: bool) -> None:
    """No exception, nothing logged as a failure, each exchange's end told once, and afterwards nothing is left."""
    failures: list[Any] = []

    def observe(event: Any) -> None:
        if "log_failure" in event:
            failures.append(event["log_failure"])

    globalLogPublisher.addObserver(observe)
    try:
        setting = Setting(reachable)
        with socket.socket() as handle:
            setting.transport.handle = handle
            for event, data in events:
                play(setting, event, data)
            setting.server.connectionLost(Failure(ConnectionDone()))
    finally:
        globalLogPublisher.removeObserver(observe)
    assert failures == []
    assert setting.relay.in_flight.targets() == frozenset()
    assert setting.relay.tunnels.counts() == {}
    assert setting.connections == set()
    assert sorted(setting.journal.heard) == sorted(setting.ids.made)
    assert not [each for each in setting.deadlines._members if each not in setting.pool.made]
