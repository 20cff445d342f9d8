"""HTTP/2 to clients: what becomes of a request and of its response."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest
from h2.errors import ErrorCodes
from h2.settings import SettingCodes

from iopproxy.http.exchange import Exchange
from tests.unit.proxy.http2 import CHUNKED, HEAD, OK, POST, Setting, chunk


def test_a_request_and_its_response() -> None:
    setting = Setting()
    stream = setting.ask([*HEAD, (b"x-one", b"1"), (b"cookie", b"a=1"), (b"cookie", b"b=2")])
    sent = setting.upstream().value()
    assert sent.startswith(b"GET / HTTP/1.1\r\nHost: a.example\r\nx-one: 1\r\ncookie: a=1; b=2\r\n")
    assert b"X-Forwarded-Proto: https\r\n" in sent
    setting.reply(
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: X-Hop\r\nX-Hop: 1\r\nX-Two:  2 \r\n\r\nok"
    )
    answer = setting.answer(stream)
    assert (answer.status, answer.body, answer.ended) == (200, b"ok", True)
    assert (answer.get(b"x-two"), answer.get(b"content-length")) == (b"2", b"2")
    assert answer.get(b"connection") is None
    assert answer.get(b"x-hop") is None
    assert answer.get(b"date") is not None
    assert setting.book.fates == ["complete"]
    assert (
        setting.server.engine.encoder.header_table.dynamic_entries
        == type(setting.server.engine.encoder.header_table.dynamic_entries)()
    )


def test_responses_come_in_whatever_order() -> None:
    setting = Setting()
    first, second = setting.ask(), setting.ask()
    setting.reply(OK, 1)
    assert (setting.answer(first).status, setting.answer(second).body) == (0, b"ok")
    setting.reply(OK, 0)
    assert setting.answer(first).ended


def test_a_body_with_a_length() -> None:
    setting = Setting()
    stream = setting.ask([*POST, (b"content-length", b"5")], end=False)
    setting.send(stream, b"hel")
    setting.send(stream, b"lo", end=True)
    assert b"\r\nContent-Length: 5\r\n" in setting.upstream().value()
    assert setting.upstream().value().endswith(b"\r\n\r\nhello")


def test_a_body_that_turns_out_to_be_empty_ends_for_its_target_too() -> None:
    """It was told that chunks come."""
    setting = Setting()
    stream = setting.ask(POST, end=False)
    setting.send(stream, b"", end=True)
    assert setting.upstream().value().endswith(b"\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    setting.reply(OK)
    assert setting.answer(stream).status == 200


def test_a_head_larger_than_a_frame() -> None:
    """Also the first one of a client that wants to hear of its table's new size."""
    setting = Setting(head_size=100000)
    setting.client.update_settings({SettingCodes.HEADER_TABLE_SIZE: 0})
    setting.talk()
    stream = setting.ask()
    setting.reply(b"HTTP/1.1 204 No\r\nX-Long: %b\r\n\r\n" % (b"y" * 50000))
    assert setting.answer(stream).get(b"x-long") == b"y" * 50000
    assert setting.answer(stream).ended


def test_a_body_without_a_length_is_chunked_and_may_have_trailers() -> None:
    setting = Setting()
    stream = setting.ask([*POST, (b"te", b"trailers"), (b"trailer", b"x-sum")], end=False)
    setting.send(stream, b"hello")
    setting.client.send_headers(stream, [(b"x-sum", b"5"), (b"content-length", b"9")], end_stream=True)
    setting.talk()
    sent = setting.upstream().value()
    assert b"\r\nTE: trailers\r\nConnection: TE\r\n" in sent
    assert b"\r\ntrailer: x-sum\r\n" in sent
    assert sent.endswith(b"\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-sum: 5\r\n\r\n")


@pytest.mark.parametrize("body", [b"", b"four", b"sixsix"])
@pytest.mark.parametrize("trailers", [False, True])
def test_a_body_of_another_length_than_announced_ends_its_stream_alone(body: bytes, trailers: bool) -> None:
    setting = Setting()
    other = setting.ask()
    stream = setting.ask([*POST, (b"content-length", b"5")], end=False)
    if trailers:
        setting.client.send_data(stream, body)
        setting.client.send_headers(stream, [(b"x", b"y")], end_stream=True)
    else:
        setting.client.send_data(stream, body, end_stream=True)
    setting.talk()
    assert setting.answer(stream).reset == ErrorCodes.PROTOCOL_ERROR
    assert setting.upstream(1).disconnected
    assert setting.goaways == []
    setting.reply(OK, 0)
    assert setting.answer(other).ended


def test_a_body_that_ends_with_its_head_has_length_0() -> None:
    setting = Setting()
    setting.ask(POST)
    assert b"\r\nContent-Length: 0\r\n" in setting.upstream().value()
    setting.ask()
    assert b"Content-Length" not in setting.upstream().value()


def test_trailers_of_a_response() -> None:
    setting = Setting()
    stream = setting.ask()
    setting.reply(CHUNKED + chunk(b"ok") + b"0\r\nX-Sum: 2\r\n\r\n")
    answer = setting.answer(stream)
    assert (answer.body, answer.trailers, answer.ended) == (b"ok", [(b"x-sum", b"2")], True)


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_responses_without_a_body(status: bytes) -> None:
    setting = Setting()
    stream = setting.ask()
    setting.reply(b"HTTP/1.1 %b\r\nETag: x\r\n\r\n" % status)
    answer = setting.answer(stream)
    assert (answer.status, answer.body, answer.ended) == (int(status[:3]), b"", True)
    assert answer.get(b"content-length") is None


def test_head_has_the_length_and_no_body() -> None:
    setting = Setting()
    stream = setting.ask([(b":method", b"HEAD"), *HEAD[1:]])
    setting.reply(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
    answer = setting.answer(stream)
    assert (answer.get(b"content-length"), answer.body, answer.ended) == (b"2", b"", True)


def test_interim_responses() -> None:
    setting = Setting()
    stream = setting.ask([*POST, (b"expect", b"100-continue")], end=False)
    assert b"\r\nexpect: 100-continue\r\n" in setting.upstream().value()
    setting.reply(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
    assert setting.answer(stream).interim == [
        [(b":status", b"100")],
        [(b":status", b"103"), (b"link", b"</a>")],
    ]
    setting.send(stream, b"x", end=True)
    setting.reply(OK)
    assert setting.answer(stream).ended


def test_pages_of_our_own() -> None:
    setting = Setting()
    nobody = setting.ask([*HEAD[:2], (b":authority", b"nobody.example"), HEAD[3]])
    setting.pool.reachable = False
    unreachable = setting.ask()
    answer = setting.answer(nobody)
    assert (answer.status, answer.ended) == (404, True)
    assert answer.get(b"content-length") == b"%d" % len(answer.body)
    assert setting.answer(unreachable).status == 502
    assert setting.book.fates == ["own", "upstream failed"]


def test_an_early_answer_stops_the_upload() -> None:
    setting = Setting()
    stream = setting.ask(POST, end=False)
    setting.send(stream, b"x" * 100)
    setting.reply(OK)
    answer = setting.answer(stream)
    assert (answer.status, answer.ended, answer.reset) == (200, True, ErrorCodes.NO_ERROR)
    assert setting.answer(setting.ask()).reset is None


def test_a_cut_response_is_a_reset() -> None:
    setting = Setting()
    stream = setting.ask()
    setting.reply(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")
    setting.pool.made[-1].connectionLost()
    setting.talk()
    answer = setting.answer(stream)
    assert (answer.body, answer.ended, answer.reset) == (b"ok", False, ErrorCodes.INTERNAL_ERROR)
    assert not setting.transport.over


def test_a_reset_cancels_the_exchange() -> None:
    setting = Setting()
    stream, other = setting.ask(), setting.ask()
    setting.client.reset_stream(stream, ErrorCodes.CANCEL)
    setting.talk()
    assert setting.upstream(0).disconnected
    assert not setting.upstream(1).disconnected
    assert setting.relay.in_flight.count("web:1") == 1
    setting.reply(OK, 1)
    assert setting.answer(other).ended


def test_a_request_that_is_taken_back_at_once_asks_nobody() -> None:
    setting = Setting()
    stream = setting.client.get_next_available_stream_id()
    setting.client.send_headers(stream, HEAD, end_stream=True)
    setting.client.reset_stream(stream, ErrorCodes.CANCEL)
    setting.talk()
    assert (setting.pool.made, setting.book.fates) == ([], ["client gone"])


def test_a_client_that_leaves_cancels_all() -> None:
    setting = Setting()
    setting.ask()
    setting.pool.waiting = []
    setting.ask()
    setting.leave()
    assert setting.book.fates == ["client gone", "client gone"]
    assert setting.relay.in_flight.targets() == frozenset()
    assert setting.connections == set()


def test_a_stream_that_is_over_leaves_nothing_for_the_garbage_collector() -> None:
    setting = Setting()
    gc.disable()
    try:
        before = exchanges()
        setting.ask()
        assert exchanges() == before + 1
        setting.reply(OK)
        assert exchanges() == before
    finally:
        gc.enable()


def exchanges() -> int:
    return sum(isinstance(each, Exchange) for each in gc.get_objects())


def test_responses_that_come_at_once_are_one_write() -> None:
    setting = Setting()
    later: list[Callable[[], None]] = []
    setting.relay.soon = later.append
    streams = [setting.ask() for _ in range(3)]
    for number in range(3):
        setting.pool.made[number].dataReceived(OK)
    assert (setting.transport.value(), len(later)) == (b"", 1)
    later.pop()()
    setting.talk()
    assert all(setting.answer(each).ended for each in streams)


def test_a_large_response_does_not_wait_for_others() -> None:
    """Only what is written can fill the send buffer, and so hold the targets."""
    setting = Setting()
    setting.client.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 2**30})
    setting.client.increment_flow_control_window(2**30)
    setting.talk()
    setting.relay.soon = lambda work: None
    streams = [setting.ask() for _ in range(2)]
    setting.pool.made[0].dataReceived(b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300000)
    setting.talk()
    assert len(setting.answer(streams[0]).body) == 300000
