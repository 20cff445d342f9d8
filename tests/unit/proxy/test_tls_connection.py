"""TLS between two ends in memory: a client of the standard library, and TlsConnection over a transport of ours."""

from __future__ import annotations

import gc
import ssl
import sys
import weakref
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from iopproxy.http.deadlines import Deadlines
from iopproxy.tls.connection import Tls, TlsConnection
from iopproxy.tls.contexts import Contexts, hush_unreadable_names, server_context
from tests.certificates import Authority
from tests.unit.proxy.handshakes import client_context
from tests.unit.proxy.transports import Transport

PEM = Authority().pem("a.example")
RECORD = 5  # bytes of a record's header


class Above(Protocol):
    """What the data path would be."""

    def __init__(self, chosen: str | None) -> None:
        self.chosen = chosen
        self.got = b""
        self.lost: Failure | None = None

    def dataReceived(self, data: bytes) -> None:
        self.got += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        assert self.lost is None
        self.lost = reason


class Pair:
    """A client, a connection, and who stands above it."""

    def __init__(self, **client: object) -> None:
        self.clock = Clock()
        self.deadlines = Deadlines(self.clock)
        self.counted: Counter[str] = Counter()
        self.above: list[Above] = []
        contexts = Contexts(server_context())
        contexts.put("a.example", PEM)
        self.tls = Tls(
            contexts.server, self.deadlines, 10, self._build, lambda each: self.counted.update([each])
        )
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.context = client_context(**client)
        self.transport = Transport()
        self.connection = TlsConnection(self.tls)
        self.connection.makeConnection(self.transport)

    def _build(self, chosen: str | None) -> Above:
        self.above.append(Above(chosen))
        return self.above[-1]

    def connect(self, name: str | None = "a.example", piece: int = 65536) -> Above:
        self.client = self.context.wrap_bio(self.incoming, self.outgoing, server_hostname=name)
        for _ in range(3):
            with suppress(ssl.SSLWantReadError):
                self.client.do_handshake()
            self.pass_on(piece)
        return self.above[0]

    def pass_on(self, piece: int = 65536) -> None:
        """What the client wrote to the server, ``piece`` bytes at a time; and the answers back."""
        data = self.outgoing.read()
        for at in range(0, len(data), piece):
            self.connection.dataReceived(data[at : at + piece])
        self.incoming.write(self.transport.value())
        self.transport.clear()

    def say(self, data: bytes, piece: int = 65536) -> None:
        self.client.write(data)
        self.pass_on(piece)

    def hear(self) -> bytes:
        self.pass_on()
        heard = b""
        while True:
            try:
                part = self.client.read(65536)
            except ssl.SSLWantReadError:
                return heard
            if not part:
                return heard + b"<the end>"
            heard += part

    def lose(self) -> None:
        self.connection.connectionLost(Failure(ConnectionDone()))


@pytest.fixture
def pair() -> Pair:
    return Pair()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("piece", [1, 7, 65536])
def test_data_goes_both_ways(version: ssl.TLSVersion, piece: int) -> None:
    pair = Pair(minimum_version=version, maximum_version=version)
    above = pair.connect(piece=piece)
    assert pair.counted == {f"ok/{version.name.replace('_', '.')}": 1}
    request, response = b"request " * 5000, b"response " * 5000
    pair.say(request, piece)
    assert above.got == request
    pair.connection.write(response)
    assert pair.hear() == response


def test_what_comes_with_the_handshake_isnt_lost(pair: Pair) -> None:
    """Clients send their request with their last handshake message."""
    pair.client = pair.context.wrap_bio(pair.incoming, pair.outgoing, server_hostname="a.example")
    with pytest.raises(ssl.SSLWantReadError):
        pair.client.do_handshake()
    pair.pass_on()
    pair.client.do_handshake()
    pair.client.write(b"request")
    pair.pass_on()
    assert pair.above[0].got == b"request"


def test_alpn_decides_who_stands_above(pair: Pair) -> None:
    pair.context.set_alpn_protocols(["h2"])
    assert pair.connect().chosen == "h2"


def test_goodbyes(pair: Pair) -> None:
    """The client can tell an end from a cut, and is heard until it ends too."""
    above = pair.connect()
    pair.connection.write(b"last words")
    pair.connection.loseWriteConnection()
    pair.connection.write(b"too late")
    assert pair.hear() == b"last words<the end>"
    assert pair.transport.half_closed
    pair.say(b"still talking")
    assert above.got == b"still talking"
    pair.connection.loseConnection()
    assert pair.transport.disconnecting
    assert pair.transport.value() == b""
    pair.lose()
    assert above.lost is not None


def test_a_client_that_says_goodbye(pair: Pair) -> None:
    above = pair.connect()
    pair.client.write(b"last words")
    with pytest.raises(ssl.SSLWantReadError):
        pair.client.unwrap()
    pair.pass_on()
    assert above.got == b"last words"
    assert pair.transport.disconnecting
    pair.client.unwrap()  # and it was answered


def test_what_openssl_holds_goes_with_the_connection(pair: Pair) -> None:
    """Connection and transport know each other: without this it would stay until the garbage collector comes by."""
    pair.connect()
    held = weakref.ref(pair.connection._ssl)
    gc.disable()
    try:
        pair.lose()
        assert held() is None
    finally:
        gc.enable()


def test_an_abort_says_nothing(pair: Pair) -> None:
    pair.connect()
    pair.connection.write(b"half a resp")
    pair.connection.abortConnection()
    assert pair.transport.disconnected
    assert pair.hear() == b"half a resp"


def test_a_broken_record_ends_it(pair: Pair) -> None:
    above = pair.connect()
    pair.client.write(b"request")
    broken = bytearray(pair.outgoing.read())
    broken[RECORD] ^= 1
    pair.connection.dataReceived(bytes(broken))
    assert pair.transport.disconnected
    pair.lose()
    assert above.got == b""
    assert above.lost is not None


def test_nobody_above_sees_a_failed_handshake(pair: Pair) -> None:
    for data, counted, answer in (
        (b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", "plain HTTP", b"HTTP/1.1 400 Bad Request\r\n"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "no TLS", b""),
        (bytes(100), "no TLS", b""),
        (b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", "other", b"\x15\x03"),
    ):
        pair.transport = Transport()
        pair.connection = TlsConnection(pair.tls)
        pair.connection.makeConnection(pair.transport)
        pair.connection.dataReceived(data)
        assert pair.transport.value().startswith(answer), data
        assert pair.transport.disconnecting, data
        pair.connection.dataReceived(data)
        pair.lose()
        assert pair.connection not in pair.deadlines._members
        assert pair.counted == {f"failed/{counted}": 1}, data
        pair.counted.clear()
    assert not pair.above


def test_an_unknown_name_is_told_so(pair: Pair) -> None:
    with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
        pair.connect("b.example")
    pair.lose()
    assert pair.counted == {"failed/unknown name": 1}


def test_a_name_that_is_not_ascii(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """ssl prints a traceback for each unless it is told not to; of anything else it is still heard."""
    said: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", said.append)
    hush_unreadable_names()
    pair.client = pair.context.wrap_bio(pair.incoming, pair.outgoing, server_hostname="a.example")
    with pytest.raises(ssl.SSLWantReadError):
        pair.client.do_handshake()
    pair.connection.dataReceived(pair.outgoing.read().replace(b"a.example", b"\xff.example"))
    assert pair.counted == {"failed/unknown name": 1}
    assert pair.transport.value()[:3] == b"\x15\x03\x03"
    assert not said
    sys.unraisablehook(SimpleNamespace(exc_type=UnicodeDecodeError, object=None))
    assert len(said) == 1


def test_large_pieces_leave_no_large_buffers(pair: Pair) -> None:
    """Memory that OpenSSL took for bytes it passes on is never given back while the connection lasts."""
    above = pair.connect()
    sizes: list[int] = []
    incoming, outgoing = pair.connection._incoming, pair.connection._outgoing

    class Bio:
        """Counts what one of them has to hold at once."""

        def __init__(self, bio: ssl.MemoryBIO) -> None:
            self.bio = bio

        def write(self, data: bytes) -> int:
            sizes.append(len(data))
            return self.bio.write(data)

        def read(self) -> bytes:
            data = self.bio.read()
            sizes.append(len(data))
            return data

        @property
        def pending(self) -> int:
            return self.bio.pending

    pair.connection._incoming, pair.connection._outgoing = Bio(incoming), Bio(outgoing)  # type: ignore[assignment]
    pair.say(b"x" * 300000, piece=262144)
    pair.connection.write(b"y" * 300000)
    assert above.got == b"x" * 300000
    assert pair.hear() == b"y" * 300000
    assert max(sizes) < 17000


def test_a_client_that_wants_another_certificate_authority(pair: Pair) -> None:
    pair.context.verify_mode = ssl.CERT_REQUIRED
    with pytest.raises(ssl.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        pair.connect()
    pair.pass_on()
    pair.lose()
    assert pair.counted == {"failed/alert": 1}


@pytest.mark.parametrize("started", [False, True])
def test_a_handshake_takes_no_longer_than_it_may(pair: Pair, started: bool) -> None:
    if started:
        pair.client = pair.context.wrap_bio(pair.incoming, pair.outgoing, server_hostname="a.example")
        with pytest.raises(ssl.SSLWantReadError):
            pair.client.do_handshake()
        hello = pair.outgoing.read()
        for byte in hello[:9]:
            pair.connection.dataReceived(bytes([byte]))
            pair.clock.advance(1)
            pair.deadlines.tick()
        assert not pair.transport.disconnected
    pair.clock.advance(11)
    pair.deadlines.tick()
    assert pair.transport.disconnected
    pair.lose()
    assert pair.counted == {"failed/timeout": 1}


def test_a_client_that_leaves_during_the_handshake(pair: Pair) -> None:
    pair.lose()
    assert pair.counted == {"failed/closed": 1}
    assert not pair.deadlines._members


def record_of_a_client() -> bytes:
    """All that one sends in a handshake and with it."""
    pair, sent = Pair(), b""
    pair.client = pair.context.wrap_bio(pair.incoming, pair.outgoing, server_hostname="a.example")
    for _ in range(2):
        with suppress(ssl.SSLWantReadError):
            pair.client.do_handshake()
            pair.client.write(b"GET / HTTP/1.1\r\n\r\n")
        sent += pair.outgoing.read()
        pair.connection.dataReceived(sent)
        pair.incoming.write(pair.transport.value())
    return sent


SENT = record_of_a_client()


@pytest.fixture(scope="module")
def as_in_a_worker() -> Iterator[None]:
    before = sys.unraisablehook
    hush_unreadable_names()
    yield
    sys.unraisablehook = before


@given(
    damage=st.lists(st.tuples(st.integers(0, len(SENT) - 1), st.integers(0, 255)), max_size=8),
    cuts=st.lists(st.integers(0, len(SENT)), max_size=8),
    noise=st.binary(max_size=64),
)
@settings(max_examples=300)
@pytest.mark.usefixtures("as_in_a_worker")
def test_no_bytes_break_it(damage: list[tuple[int, int]], cuts: list[int], noise: bytes) -> None:
    """Whatever comes, in whatever pieces: nothing is raised, and the handshake ends once."""
    data = bytearray(SENT)
    for at, byte in damage:
        data[at] = byte
    data += noise
    pair = Pair()
    edges = [0, *sorted(cuts), len(data)]
    for start, end in pairwise(edges):
        pair.connection.dataReceived(bytes(data[start:end]))
    pair.lose()
    assert pair.counted.total() == 1
    assert not pair.tls.begun
    assert not pair.deadlines._members


def test_who_says_nothing_is_closed_when_asked(pair: Pair) -> None:
    talking = Pair()
    talking.connection.dataReceived(SENT[:9])
    for each in (pair, talking):
        each.tls.close_idle()
    assert pair.transport.disconnecting
    assert not talking.transport.disconnecting
    talking.tls.abort()
    assert talking.transport.disconnected


def test_backpressure_goes_through(pair: Pair) -> None:
    pair.connect()
    producer = object()
    pair.connection.registerProducer(producer, True)
    assert pair.transport.producer is producer
    pair.connection.pauseProducing()
    assert pair.transport.producerState == "paused"
    pair.connection.resumeProducing()
    assert pair.transport.producerState == "producing"
    pair.connection.unregisterProducer()
    assert pair.transport.producer is None
