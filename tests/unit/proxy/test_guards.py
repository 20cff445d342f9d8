"""What an HTTP/2 client may not do too much of."""

from __future__ import annotations

import pytest
from h2.errors import ErrorCodes
from h2.settings import SettingCodes
from hpack import Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from iopproxy.http.guards.bucket import Bucket
from iopproxy.http.guards.frames import AbuseError, FrameWatch
from tests.unit.proxy.http2 import HEAD, OK, POST, Setting

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def flood(setting: Setting, *frames: Frame, times: int) -> None:
    data = b"".join(frame.serialize() for frame in frames)
    for _ in range(times):
        setting.server.dataReceived(data)


def calmed(setting: Setting) -> bool:
    """The connection was ended with ENHANCE_YOUR_CALM, and nothing of it is left."""
    setting.talk()
    assert setting.relay.in_flight.targets() == frozenset()
    return [each.error_code for each in setting.goaways] == [ErrorCodes.ENHANCE_YOUR_CALM]


@pytest.mark.parametrize(
    "frame",
    [
        PingFrame(0, b"whatever"),
        PriorityFrame(1, depends_on=3),
        SettingsFrame(0),
        WindowUpdateFrame(0, 1),
        DataFrame(1, b""),
        RstStreamFrame(5),
        PingFrame(0, b"whatever", flags=["ACK"]),
        SettingsFrame(0, flags=["ACK"]),
    ],
)
def test_floods_of_frames_without_content(frame: Frame) -> None:
    setting = Setting(h2_empty_frames=100)
    setting.client.get_next_available_stream_id()
    for _ in range(3):
        setting.ask(POST, end=False)
    setting.transport.clear()
    flood(setting, frame, times=90)
    setting.talk()
    assert setting.goaways == []
    flood(setting, frame, times=60)
    assert calmed(setting)


def test_as_many_over_a_longer_time_are_none() -> None:
    setting = Setting(h2_empty_frames=100)
    for _ in range(100):
        flood(setting, PingFrame(0, b"whatever"), times=20)
        setting.pass_time(0.5)
    setting.talk()
    assert setting.goaways == []


def test_a_large_download_earns_its_window_updates() -> None:
    setting = Setting(h2_empty_frames=10)
    stream = setting.ask()
    setting.reply(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    for _ in range(100):
        setting.reply(b"x" * 10000)
        setting.client.increment_flow_control_window(10000)
        if not setting.answer(stream).ended:
            setting.client.increment_flow_control_window(10000, stream)
        setting.talk()
    assert setting.goaways == []
    assert setting.answer(stream).ended


def test_a_window_that_opens_byte_by_byte() -> None:
    """CVE-2019-9511: each WINDOW_UPDATE makes us send a frame."""
    setting = Setting()
    setting.client.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 0})
    stream = setting.ask()
    setting.reply(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n" + b"x" * 10000)
    for _ in range(2000):
        setting.client.increment_flow_control_window(1, stream)
        setting.talk()
    assert calmed(setting)


def test_a_body_byte_by_byte() -> None:
    setting = Setting()
    setting.ask(POST, end=False)
    flood(setting, DataFrame(1, b"x"), times=11000)
    assert calmed(setting)


def test_small_bodies_are_no_flood() -> None:
    setting = Setting(h2_small_frames=10)
    for _ in range(50):
        stream = setting.ask(POST, end=False)
        setting.send(stream, b"x")
        setting.send(stream, b"", end=True)
        setting.reply(OK)
    assert setting.goaways == []


def test_a_flood_is_noticed_before_all_of_it_is_worked_through() -> None:
    setting = Setting(h2_resets=10)
    encode = Encoder().encode
    heads = [HeadersFrame(number, encode(HEAD), flags=["END_HEADERS"]) for number in range(1, 20000, 2)]
    setting.server.dataReceived(b"".join(each.serialize() for each in heads))
    assert setting.server.engine.highest_inbound_stream_id < 10000
    assert setting.transport.over


def test_rapid_reset() -> None:
    setting = Setting(h2_resets=50)
    for _ in range(60):
        stream = setting.client.get_next_available_stream_id()
        setting.client.send_headers(stream, HEAD, end_stream=True)
        setting.client.reset_stream(stream)
        setting.server.dataReceived(setting.client.data_to_send())
    assert calmed(setting)
    assert len(setting.book.fates) <= 51


def test_resets_that_the_client_makes_us_send_count_too() -> None:
    setting = Setting(h2_resets=50)
    for _ in range(60):
        stream = setting.client.get_next_available_stream_id()
        setting.client.send_headers(stream, HEAD, end_stream=True)
        overflow = WindowUpdateFrame(stream, 2**31 - 1).serialize()
        setting.server.dataReceived(setting.client.data_to_send() + overflow)
    assert calmed(setting)


def test_requests_that_are_none_count_too() -> None:
    setting = Setting(h2_resets=50)
    for _ in range(60):
        stream = setting.client.get_next_available_stream_id()
        setting.client.send_headers(stream, [*HEAD, (b"connection", b"close")], end_stream=True)
        setting.server.dataReceived(setting.client.data_to_send())
    assert calmed(setting)
    assert setting.book.statuses == [400] * 50 + [429]


def test_more_streams_than_allowed_are_refused_one_by_one() -> None:
    setting = Setting(h2_streams=3)
    setting.client.remote_settings.update({3: 100})
    setting.client.remote_settings.acknowledge()
    streams = [setting.ask() for _ in range(5)]
    assert [setting.answer(each).reset for each in streams] == [None] * 3 + [ErrorCodes.REFUSED_STREAM] * 2
    setting.reply(b"HTTP/1.1 204 No Content\r\n\r\n", 0)
    assert setting.answer(setting.ask()).reset is None
    assert setting.goaways == []


def test_continuation_flood() -> None:
    setting = Setting(head_size=1000)
    setting.server.dataReceived(HeadersFrame(1, b"\x82").serialize())
    for _ in range(30):
        setting.server.dataReceived(ContinuationFrame(1, b"\x40\x01a\x60" + b"a" * 96).serialize())
    assert calmed(setting)


def test_fragments_without_content_end_the_connection() -> None:
    setting = Setting()
    setting.server.dataReceived(HeadersFrame(1, b"\x82").serialize())
    for _ in range(100):
        setting.server.dataReceived(ContinuationFrame(1, b"").serialize())
    setting.talk()
    assert len(setting.goaways) == 1


def test_an_hpack_bomb() -> None:
    """A large entry in the table, named thousands of times."""
    setting = Setting()
    block = b"\x40\x01a\x7f\x81\x1e" + b"a" * 4000 + b"\xbe" * 10000
    setting.server.dataReceived(
        HeadersFrame(1, block[:16000], flags=["END_HEADERS", "END_STREAM"]).serialize()
    )
    assert calmed(setting)


def test_a_block_that_can_not_be_decoded_is_a_compression_error() -> None:
    """RFC 9113 section 4.3: of a request and of trailers."""
    for first in (b"", HeadersFrame(1, b"\x83\x87\x84\x41\x09a.example", flags=["END_HEADERS"]).serialize()):
        setting = Setting()
        broken = HeadersFrame(1, b"\xff\xff\xff\xff", flags=["END_HEADERS", "END_STREAM"]).serialize()
        setting.server.dataReceived(first + broken)
        setting.talk()
        assert [each.error_code for each in setting.goaways] == [ErrorCodes.COMPRESSION_ERROR]


def test_a_large_field_section_is_431_and_the_connection_goes_on() -> None:
    setting = Setting(head_size=2000, header_count=20)
    large = setting.ask([*HEAD, (b"x", b"y" * 2000)])
    many = setting.ask([*HEAD, *[(b"x", b"y")] * 20])
    long = setting.ask([*HEAD[:3], (b":path", b"/" + b"x" * 3000)])
    assert [setting.answer(each).status for each in (large, many, long)] == [431, 431, 431]
    assert setting.book.statuses == [431, 431, 431]
    assert setting.goaways == []


def test_a_frame_that_is_too_large_is_not_waited_for() -> None:
    setting = Setting()
    setting.server.dataReceived(b"\xff\xff\xff\x00\x00\x00\x00\x00\x01")
    setting.talk()
    assert [each.error_code for each in setting.goaways] == [ErrorCodes.FRAME_SIZE_ERROR]


def test_the_client_s_table_size_costs_us_nothing() -> None:
    setting = Setting()
    setting.client.update_settings({1: 2**31})
    setting.talk()
    for number in range(50):
        stream = setting.ask()
        setting.reply(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-%d: %d\r\n\r\n" % (number, number))
        assert setting.answer(stream).get(b"x-%d" % number) == b"%d" % number
    assert len(setting.server.engine.encoder.header_table.dynamic_entries) == 0


def test_ended_streams_are_forgotten() -> None:
    setting = Setting(h2_streams=5)
    for _ in range(2000):
        setting.ask([*HEAD[:2], (b":authority", b"nobody.example"), HEAD[3]])
        setting.client.increment_flow_control_window(1000)
    assert len(setting.server.engine.streams) <= 11
    assert len(setting.server.engine._closed_streams) <= 1024


# The parts


def test_a_bucket() -> None:
    bucket = Bucket(10, 2, 0.0)
    assert bucket.take(10, 0.0)
    assert not bucket.take(1, 0.0)
    assert bucket.take(1, 1.0)
    assert bucket.take(10, 100.0)
    assert not bucket.take(1, 100.0)


@pytest.mark.parametrize("size", [1, 2, 7, 9, 10, 1000])
def test_frames_are_seen_however_they_are_cut(size: int) -> None:
    data = PREFACE + b"".join(
        frame.serialize()
        for frame in [
            SettingsFrame(0, {1: 2, 3: 4}),  # 3
            HeadersFrame(1, b"\x82" * 20),
            ContinuationFrame(1, b"\x82", flags=["END_HEADERS"]),  # 1
            DataFrame(1, b"x" * 50),
            DataFrame(1, b""),  # 1
            DataFrame(1, b"", flags=["END_STREAM"]),
            PingFrame(0, b"whatever"),  # 1
        ]
    )
    watch = FrameWatch(100)
    assert sum(watch.feed(data[at : at + size]) for at in range(0, len(data), size)) == 6
    assert (watch.units, watch.waiting) == (6, False)


def test_what_is_waited_for() -> None:
    watch = FrameWatch(100)
    watch.feed(PREFACE)
    assert not watch.waiting
    watch.feed(HeadersFrame(1, b"\x82" * 20).serialize()[:15])
    assert watch.waiting
    watch.feed(b"\x82" * 14)
    assert watch.waiting
    watch.feed(ContinuationFrame(1, b"\x82", flags=["END_HEADERS"]).serialize())
    assert not watch.waiting
    watch.feed(DataFrame(1, b"x" * 50).serialize()[:20])
    assert not watch.waiting


def test_a_block_that_is_too_large() -> None:
    watch = FrameWatch(100)
    watch.feed(PREFACE + HeadersFrame(1, b"\x82" * 90).serialize())
    with pytest.raises(AbuseError):
        watch.feed(ContinuationFrame(1, b"\x82" * 20).serialize()[:9])
