"""Whatever frames come, cut wherever: no exception, no exchange that stays, and one framing of every message."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from hpack import Encoder
from hyperframe.frame import (
    AltSvcFrame,
    ContinuationFrame,
    DataFrame,
    ExtensionFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    PushPromiseFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.error import ConnectionDone
from twisted.logger import globalLogPublisher
from twisted.python.failure import Failure

from iopproxy.http.limits import Limits
from iopproxy.http.reader import RequestReader
from iopproxy.http.upstream import UpstreamConnection
from tests.unit.proxy.http2 import HEAD, POST, Fields, Setting

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"

MORE: Fields = [
    (b"x", b"y"),
    (b"cookie", b"a=b"),
    (b"content-length", b"3"),
    (b"content-length", b"0"),
    (b"te", b"trailers"),
    (b"trailer", b"x"),
    (b"expect", b"100-continue"),
    (b"host", b"a.example"),
    (b"x", b"again" * 30),
]
WRONG: Fields = [
    (b"host", b"b.example"),
    (b"connection", b"close"),
    (b"transfer-encoding", b"chunked"),
    (b"x", b"a\r\nContent-Length: 7"),
    (b":path", b"/again"),
    (b"Upper", b"y"),
]
HEADS = [
    HEAD,
    POST,
    POST,
    [(b":method", b"HEAD"), *HEAD[1:]],
    [*HEAD[:2], (b":authority", b"b.example"), HEAD[3]],
]
HAPPENINGS = [
    *["request"] * 6,
    *["data"] * 6,
    *["target says"] * 6,
    *["window", "trailers", "reset", "settings", "harmless", "time"] * 2,
    *["client full", "client free", "target full", "target free", "target gone", "connected", "drain"],
    *["wrong request", "any frame", "noise"],
]


def encoded(fields: Fields) -> bytes:
    return Encoder().encode([(*each, True) for each in fields])


class Play:
    """A client's connection to which things happen by chance, most of them sensible."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.setting = Setting(
            start=False, h2_streams=3, h2_stream_window=2000, header_count=10, h2_resets=10
        )
        self.streams = [-1]
        self.client(PREFACE + SettingsFrame(0, {4: self.random.choice([0, 3, 65535])}).serialize())
        self.happen("request")

    @property
    def alive(self) -> bool:
        return not self.setting.transport.disconnected and not self.setting.transport.disconnecting

    def client(self, data: bytes) -> None:
        """The client's bytes come in pieces."""
        while data and self.alive:
            cut = self.random.choice([1, 5, 9, 12, 30, len(data), len(data)])
            self.setting.server.dataReceived(data[:cut])
            data = data[cut:]

    def some(self, choices: Sequence[Any], most: int) -> list[Any]:
        return self.random.sample(list(choices), self.random.randint(0, most))

    def frames(self, event: str) -> list[Frame]:
        """What the client sends."""
        chance, stream = self.random, self.random.choice(self.streams)
        if event == "data":
            sent = chance.choice([b"", b"abc", b"x" * 900, b"0\r\n\r\n"])
            return [DataFrame(stream, sent, flags=self.some(["END_STREAM", "PADDED"], 1))]
        if event == "window":
            wider = WindowUpdateFrame(chance.choice([0, stream]), chance.choice([1, 10, 65535]))
            return [wider, *[RstStreamFrame(stream, 8)] * chance.choice([0, 0, 0, 1])]
        if event == "trailers":
            block = encoded(self.some([*MORE, WRONG[-1]], 2))
            return [HeadersFrame(stream, block, flags=["END_HEADERS", "END_STREAM"])]
        if event == "settings":
            return [SettingsFrame(0, {chance.choice([1, 4]): chance.choice([0, 5, 100, 65535])})]
        if event == "any frame":
            return [self.any_frame(stream)]
        if event == "harmless":
            return [
                chance.choice(
                    [
                        PingFrame(0, b"draining", flags=self.some(["ACK"], 1)),
                        PriorityFrame(stream, depends_on=0),
                        ExtensionFrame(77, stream, body=b"x"),
                        AltSvcFrame(stream, b"", b"h3"),
                        SettingsFrame(0, flags=["ACK"]),
                    ]
                )
            ]
        return [RstStreamFrame(stream, chance.randint(0, 20))]

    def request(self, wrong: bool) -> list[Frame]:
        """The next stream's head, possibly in fragments, and possibly taken back at once."""
        chance, stream = self.random, max(self.streams) + 2
        self.streams = [*self.streams[-3:], stream]
        block = encoded([*chance.choice(HEADS), *self.some(MORE, 3), *(self.some(WRONG, 2) if wrong else [])])
        last = self.some(["END_STREAM"], 1)
        if chance.random() < 0.8:
            frames: list[Frame] = [HeadersFrame(stream, block, flags=["END_HEADERS", *last])]
        else:
            cut = chance.randint(0, len(block))
            frames = [HeadersFrame(stream, block[:cut], flags=last)]
            frames.append(ContinuationFrame(stream, block[cut:], flags=["END_HEADERS"]))
        return [*frames, RstStreamFrame(stream, 8)] if chance.random() < 0.1 else frames

    def any_frame(self, stream: int) -> Frame:
        """One that has no business here."""
        chance = self.random
        stream = chance.choice([stream, stream + 2, 2, 99])
        return chance.choice(
            [
                GoAwayFrame(0, 0, chance.choice([0, 0, 1])),
                ContinuationFrame(stream, b"", flags=["END_HEADERS"]),
                PushPromiseFrame(stream, 2, encoded(HEAD), flags=["END_HEADERS"]),
                HeadersFrame(stream, chance.randbytes(20), flags=["END_HEADERS", "PRIORITY"]),
                DataFrame(stream, b"abc"),
                WindowUpdateFrame(stream, 2**31 - 1),
                SettingsFrame(0, {chance.randint(0, 9): chance.choice([0, 2**31 - 1, 2**32 - 1])}),
                RstStreamFrame(stream, 0),
            ]
        )

    def happen(self, event: str) -> None:
        """One thing happens, if it can."""
        setting, chance = self.setting, self.random
        made = [each for each in setting.pool.made if not transport_of(each).disconnected]
        if event == "time":
            setting.pass_time(chance.choice([1, 20]))
        elif event == "drain":
            setting.server.close_if_idle()
        elif event == "connected":
            if setting.pool.waiting is None:
                setting.pool.waiting = []
            else:
                setting.pool.connect_all()
        elif event == "noise":
            self.client(chance.randbytes(chance.randint(1, 20)))
        elif event.endswith("request"):
            self.client(b"".join(each.serialize() for each in self.request(event == "wrong request")))
        elif event in ("client full", "client free"):
            if self.alive and setting.server.full != (event == "client full"):
                (
                    setting.server.pauseProducing
                    if event == "client full"
                    else setting.server.resumeProducing
                )()
        elif not event.startswith("target"):
            self.client(b"".join(each.serialize() for each in self.frames(event)))
        elif made:
            self.target(event, chance.choice(made))

    def target(self, event: str, target: UpstreamConnection) -> None:
        if event == "target says":
            target.dataReceived(self.random.choice(SAID))
        elif event == "target full":
            target.pauseProducing()
        elif event == "target free":
            target.resumeProducing()
        else:
            transport_of(target).abortConnection()
            target.connectionLost(Failure(ConnectionDone()))


SAID = [OK, OK, OK[:30], OK[30:], CHUNKED, CHUNKED, b"0\r\n\r\n", b"HTTP/1.1 100 Go\r\n\r\n", b"x"]


def transport_of(connection: Any) -> Any:
    return connection.transport


@settings(max_examples=max(300, settings.default.max_examples))
@given(st.lists(st.sampled_from(HAPPENINGS), min_size=5, max_size=60), st.integers(0, 2**32))
def test_nothing_that_happens_breaks_it(happenings: list[str], seed: int) -> None:
    failures: list[Any] = []

    def observe(event: Any) -> None:
        if "log_failure" in event:
            failures.append(event["log_failure"])

    globalLogPublisher.addObserver(observe)
    try:
        play = Play(seed)
        for each in happenings:
            play.happen(each)
        said = play.setting.transport.value()
        play.setting.leave()
    finally:
        globalLogPublisher.removeObserver(observe)
    assert failures == []
    assert play.setting.relay.in_flight.targets() == frozenset()
    assert play.setting.connections == set()
    assert not [each for each in play.setting.deadlines._members if each not in play.setting.pool.made]
    speaks_http2(said)
    for connection in play.setting.pool.made:
        reads_as_one_request(transport_of(connection).value())


def speaks_http2(said: bytes) -> None:
    """All that was sent is frames, and no stream goes on after its end."""
    ended: set[int] = set()
    while len(said) >= 9:
        frame, size = Frame.parse_frame_header(memoryview(said[:9]))
        frame.parse_body(memoryview(said[9 : 9 + size]))
        said = said[9 + size :]
        if frame.stream_id and not isinstance(frame, RstStreamFrame | WindowUpdateFrame):
            assert frame.stream_id not in ended
        if "END_STREAM" in frame.flags or isinstance(frame, RstStreamFrame):
            ended.add(frame.stream_id)
    assert said == b""


def reads_as_one_request(sent: bytes) -> None:
    """What a target got is one request, or the beginning of one, for HTTP/1's reader as well."""
    reader = RequestReader(Limits())
    reader.feed(sent)
    assert reader.refusal is None, reader.refusal
    assert len(reader.arrived) == 1
    assert b"again" not in reader.arrived[0].target


@given(st.binary(max_size=3000), st.booleans())
def test_bytes_that_mean_nothing(data: bytes, preface: bool) -> None:
    setting = Setting(start=False)
    setting.server.dataReceived((PREFACE if preface else b"") + data)
    setting.pass_time(1000)
    assert setting.transport.over
    setting.leave()
    assert setting.relay.in_flight.targets() == frozenset()


def test_a_conversation_cut_byte_by_byte() -> None:
    client = H2Connection(H2Configuration())
    client.initiate_connection()
    client.send_headers(1, [*POST, (b"content-length", b"5")])
    client.send_data(1, b"hello", end_stream=True)
    setting = Setting(start=False)
    for byte in client.data_to_send():
        setting.server.dataReceived(bytes([byte]))
    assert setting.upstream().value().endswith(b"\r\n\r\nhello")
