"""HTTP/2's windows, both ways: who is slow holds up nobody else."""

from __future__ import annotations

from h2.errors import ErrorCodes
from h2.settings import SettingCodes

from tests.unit.proxy.http2 import CHUNKED, OK, POST, Setting, chunk


def test_a_response_waits_for_its_stream_s_window_and_holds_only_its_own_target() -> None:
    setting = Setting()
    setting.client.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 10})
    setting.talk()
    slow = setting.ask()
    setting.reply(b"HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n" + b"x" * 24)
    assert (setting.answer(slow).body, setting.upstream(0).producerState) == (b"x" * 10, "paused")
    quick = setting.ask()
    setting.reply(OK)
    assert setting.answer(quick).ended
    assert setting.upstream(1).producerState == "producing"
    setting.client.increment_flow_control_window(10, slow)
    setting.talk()
    assert (setting.answer(slow).body, setting.answer(slow).ended) == (b"x" * 20, False)
    setting.client.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 20})
    setting.talk()
    assert setting.upstream(0).producerState == "producing"
    setting.reply(b"x", 0)
    assert (setting.answer(slow).body, setting.answer(slow).ended) == (b"x" * 25, True)


def test_trailers_wait_for_the_body() -> None:
    setting = Setting()
    setting.client.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 1})
    setting.talk()
    stream = setting.ask()
    setting.reply(CHUNKED + chunk(b"ok") + b"0\r\nX-Sum: 2\r\n\r\n")
    assert setting.answer(stream).body == b"o"
    setting.client.increment_flow_control_window(1, stream)
    setting.talk()
    answer = setting.answer(stream)
    assert (answer.body, answer.trailers, answer.ended) == (b"ok", [(b"x-sum", b"2")], True)


def test_the_connection_s_window_is_shared() -> None:
    setting = Setting()
    first, second = setting.ask(), setting.ask()
    big = b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n" + b"x" * 60000
    setting.reply(big, 0)
    setting.reply(big, 1)
    assert (len(setting.answer(first).body), len(setting.answer(second).body)) == (60000, 5535)
    setting.client.increment_flow_control_window(100000)
    setting.talk()
    assert setting.answer(second).ended


def test_a_window_that_stays_shut_ends_the_stream() -> None:
    setting = Setting()
    setting.client.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 1})
    setting.talk()
    stream = setting.ask()
    setting.reply(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")
    setting.live(setting.limits.write_stall_time - 20)
    setting.client.increment_flow_control_window(1, stream)
    setting.reply(b"kokok")
    setting.live(setting.limits.write_stall_time - 20)
    assert setting.answer(stream).reset is None
    setting.live(30)
    assert setting.answer(stream).reset == ErrorCodes.CANCEL
    assert setting.upstream().disconnected
    assert setting.book.fates == ["client gone"]


def test_an_upload_gets_no_window_while_its_target_takes_nothing() -> None:
    setting = Setting(h2_stream_window=1000, h2_connection_window=100000)
    stalled = setting.ask(POST, end=False)
    setting.pool.made[-1].pauseProducing()
    setting.send(stalled, b"x" * 1000)
    assert setting.client.local_flow_control_window(stalled) == 0
    other = setting.ask(POST, end=False)
    for _ in range(5):
        setting.send(other, b"x" * 900)
    assert setting.client.local_flow_control_window(other) > 0
    setting.pool.made[0].resumeProducing()
    setting.talk()
    assert setting.client.local_flow_control_window(stalled) == 1000


def test_uploads_that_their_targets_do_not_take_leave_room_for_every_other() -> None:
    """And for what it may have at once: nobody is too slow because of the others."""
    setting = Setting(h2_streams=30)
    for number in range(29):
        stalled = setting.ask(POST, end=False)
        if number % 2:
            upload(setting, stalled, 400000)
        setting.pool.made[-1].pauseProducing()
        upload(setting, stalled, 1000000)
        assert setting.client.local_flow_control_window(stalled) == 0
    other = setting.ask(POST, end=False)
    for _ in range(20):
        assert setting.client.local_flow_control_window(other) > 30000
        setting.send(other, b"x" * 16384)


def test_an_upload_that_its_target_takes_fast_gets_more_window_and_leaves_it_to_others() -> None:
    setting = Setting(h2_connection_window=200000)
    for _ in range(3):
        stream = setting.ask(POST, end=False)
        assert setting.client.local_flow_control_window(stream) == 65535
        upload(setting, stream, 1000000)
        assert 130000 < setting.client.local_flow_control_window(stream) <= 262144
        setting.send(stream, b"", end=True)
        setting.reply(OK)


def upload(setting: Setting, stream: int, size: int) -> None:
    """As much of a body as the windows allow."""
    while size and (room := min(setting.client.local_flow_control_window(stream), 16384, size)):
        setting.send(stream, b"x" * room)
        size -= room


def test_an_upload_waits_for_a_connection_to_its_target() -> None:
    setting = Setting(h2_stream_window=1000)
    setting.pool.waiting = []
    stream = setting.ask(POST, end=False)
    setting.send(stream, b"x" * 1000)
    assert setting.client.local_flow_control_window(stream) == 0
    setting.pool.connect_all()
    setting.talk()
    assert setting.client.local_flow_control_window(stream) == 1000
    assert setting.upstream().value().endswith(b"x\r\n")


def test_the_connection_s_window_comes_back_whatever_becomes_of_a_body() -> None:
    setting = Setting(h2_streams=1, h2_stream_window=30000, h2_connection_window=65535)
    setting.pool.waiting = []
    for _ in range(20):
        stream = setting.ask(POST, end=False)
        setting.send(stream, b"x" * 16384)
        setting.client.reset_stream(stream)
        setting.talk()
    assert setting.client.outbound_flow_control_window > 30000


# A full transport


def test_a_full_transport_holds_everything() -> None:
    setting = Setting()
    stream = setting.ask()
    setting.reply(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok")
    setting.server.pauseProducing()
    assert (setting.transport.producerState, setting.upstream().producerState) == ("paused", "paused")
    setting.reply(b"ok")
    assert setting.answer(stream).body == b"ok"
    setting.server.resumeProducing()
    setting.talk()
    assert setting.transport.producerState == "producing"
    assert (setting.answer(stream).body, setting.answer(stream).ended) == (b"okok", True)


def test_a_client_that_reads_nothing_is_given_up() -> None:
    setting = Setting()
    setting.ask()
    setting.server.pauseProducing()
    setting.pass_time(setting.limits.write_stall_time - 1)
    assert not setting.transport.over
    setting.pass_time(2)
    assert setting.transport.disconnected
