"""How long an HTTP/2 connection lives, and how it ends."""

from __future__ import annotations

from h2.errors import ErrorCodes

from tests.unit.proxy.http2 import CHUNKED, HEAD, OK, Setting, chunk


def test_a_client_that_says_nothing_is_closed() -> None:
    setting = Setting(start=False)
    setting.pass_time(setting.limits.head_time + 1)
    assert setting.goaways == []
    setting.pass_time(setting.limits.linger_time + 1)
    assert setting.transport.over


def test_a_header_block_that_does_not_end() -> None:
    setting = Setting()
    frames = b"\x00\x00\x01\x01\x00\x00\x00\x00\x01\x82"  # HEADERS without END_HEADERS
    setting.server.dataReceived(frames)
    setting.pass_time(setting.limits.head_time / 2)
    setting.server.dataReceived(b"\x00\x00\x01\x09\x00\x00\x00\x00\x01\x87")
    setting.pass_time(setting.limits.head_time / 2 + 1)
    setting.talk()
    assert [each.error_code for each in setting.goaways] == [ErrorCodes.ENHANCE_YOUR_CALM]
    setting.pass_time(setting.limits.linger_time + 1)
    assert setting.transport.over


def test_an_idle_connection_is_told_and_closed_whatever_pings_come() -> None:
    setting = Setting()
    stream = setting.ask()
    setting.reply(OK)
    for _ in range(3):
        setting.pass_time(setting.limits.idle_time / 4)
        setting.client.ping(b"whatever")
        setting.talk()
    assert not setting.transport.over
    setting.pass_time(setting.limits.idle_time / 4)
    setting.talk()
    assert [(each.error_code, each.last_stream_id) for each in setting.goaways] == [(0, stream)]
    assert setting.transport.disconnecting


def test_a_silent_stream_lives_for_as_long_as_its_client() -> None:
    setting = Setting()
    stream = setting.ask()
    setting.reply(CHUNKED + chunk(b"ok"))
    setting.live(3600)
    setting.reply(chunk(b"ok") + b"0\r\n\r\n")
    assert (setting.answer(stream).body, setting.answer(stream).ended) == (b"okok", True)
    assert not setting.transport.over


def test_a_client_that_does_not_answer_a_ping_is_gone() -> None:
    setting = Setting()
    setting.ask()
    setting.reply(CHUNKED + chunk(b"ok"))
    setting.pass_time(2 * setting.limits.h2_ping_interval + setting.limits.h2_ping_time + 2)
    assert setting.transport.disconnected


# Draining


def test_draining_lets_requests_on_their_way_in_and_finishes() -> None:
    setting = Setting()
    first = setting.ask()
    setting.server.close_if_idle()
    said = setting.transport.value()
    setting.transport.clear()
    late = setting.client.get_next_available_stream_id()
    setting.client.send_headers(late, HEAD, end_stream=True)
    setting.talk()
    assert setting.goaways == []
    setting.hear(said)
    setting.talk()
    assert [each.last_stream_id for each in setting.goaways] == [2**31 - 1, late]
    refused = setting.ask()
    assert setting.answer(refused).reset == ErrorCodes.REFUSED_STREAM
    setting.reply(OK, 0)
    assert not setting.transport.over
    setting.reply(OK, 1)
    assert setting.answer(first).ended
    assert setting.answer(late).ended
    assert setting.transport.disconnecting


def test_draining_an_idle_connection_closes_it() -> None:
    setting = Setting()
    setting.server.close_if_idle()
    setting.talk()
    assert [each.last_stream_id for each in setting.goaways] == [2**31 - 1, 0]
    assert setting.transport.disconnecting


def test_draining_does_not_wait_for_a_client_that_answers_no_ping() -> None:
    setting = Setting()
    setting.server.close_if_idle()
    setting.pass_time(setting.limits.linger_time + 1)
    assert setting.transport.disconnecting


def test_a_connection_that_is_made_while_draining_is_told_at_once() -> None:
    setting = Setting(start=False, draining=True)
    setting.client.initiate_connection()
    stream = setting.ask()
    assert [each.last_stream_id for each in setting.goaways] == [2**31 - 1, stream]
    setting.reply(OK)
    assert setting.answer(stream).ended
    assert setting.transport.disconnecting


def test_a_client_that_gives_up_everything_is_closed() -> None:
    setting = Setting()
    setting.ask()
    setting.client.close_connection(ErrorCodes.INTERNAL_ERROR)
    setting.talk()
    assert setting.upstream().disconnected
    assert setting.transport.disconnecting


def test_a_client_s_goaway_is_no_end_for_its_streams() -> None:
    setting = Setting()
    stream = setting.ask()
    setting.client.close_connection()
    setting.talk()
    assert not setting.transport.over
    setting.reply(OK)
    assert setting.answer(stream).ended
    assert setting.transport.disconnecting
