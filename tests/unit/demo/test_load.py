"""The load generator tells every kind of failure from what is no failure. Its servers are sockets on 127.0.0.1."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from iop.demo.load import Load
from iop.demo.report import Report

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhello from version 1"


@contextmanager
def serving(handle: Callable[[socket.socket, int], None]) -> Iterator[int]:
    """A server that hands each connection, with its number, to ``handle``; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            number = 0
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=talk, args=(connection, number), daemon=True).start()
                number += 1

        def talk(connection: socket.socket, number: int) -> None:
            with connection:
                handle(connection, number)

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def request(connection: socket.socket) -> bytes:
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        if not (more := connection.recv(4096)):
            return b""
        data += more
    return data


def load(port: int, **settings: float) -> Load:
    return Load("127.0.0.1", port, "a.example", **{"clients": 1, "long_clients": 0, "rate": 50.0, **settings})


def report_of(handle: Callable[[socket.socket, int], None], **settings: float) -> Report:
    with serving(handle) as port, load(port, **settings) as running:
        return running.stop()


def always(answer: bytes) -> Callable[[socket.socket, int], None]:
    def handle(connection: socket.socket, number: int) -> None:
        while request(connection):
            connection.sendall(answer)

    return handle


def reset(connection: socket.socket) -> None:
    """Close with RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_good_answers_over_one_connection_are_counted_by_body():
    seen, connections = [], set()
    reached = threading.Event()

    def handle(connection: socket.socket, number: int) -> None:
        while data := request(connection):
            connections.add(number)
            seen.append(data)
            connection.sendall(OK if len(seen) <= 3 else OK.replace(b"version 1", b"version 2"))
            if len(seen) >= 6:
                reached.set()

    before = time.monotonic()
    with serving(handle) as port, load(port) as running:
        assert reached.wait(20)
        report = running.stop()
    assert connections == {0}
    assert seen[0] == b"GET / HTTP/1.1\r\nHost: a.example\r\nAccept: */*\r\n\r\n"
    assert report.failed == ()
    one, two = report.by_body["hello from version 1"], report.by_body["hello from version 2"]
    assert one.count == 3
    assert report.requests == len(seen) == one.count + two.count
    assert before <= one.first <= one.last <= two.first <= two.last <= time.monotonic()
    assert 0 < report.slowest < time.monotonic() - before
    assert report.reconnects == report.long_requests == 0


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (OK.replace(b"200 OK", b"502 Bad Gateway"), "status 502: hello from version 1"),
        (OK.replace(b"hello", b"jello"), "wrong body: 'jello from version 1'"),
        (OK + OK, "more bytes than the answer has"),
        (b"what?\r\n\r\n", "not HTTP: "),
    ],
)
def test_a_bad_answer_is_a_failure(answer, reason):
    report = report_of(always(answer))
    assert report.requests == len(report.failed) >= 1
    assert report.failed[0].reason.startswith(reason)
    assert report.by_body == {}


def test_a_reset_before_the_answer_is_a_failure():
    def handle(connection: socket.socket, number: int) -> None:
        request(connection)
        reset(connection)

    assert report_of(handle).failed[0].reason == "Connection reset by peer before the answer"


def test_a_close_without_an_answer_is_a_failure():
    def handle(connection: socket.socket, number: int) -> None:
        request(connection)

    assert report_of(handle).failed[0].reason == "closed without an answer"


def test_an_answer_cut_short_is_a_failure():
    def handle(connection: socket.socket, number: int) -> None:
        request(connection)
        connection.sendall(OK[:-5])

    assert report_of(handle).failed[0].reason == "the answer was cut short"


def test_a_body_that_only_the_end_of_the_connection_ends_counts_as_cut_short():
    def handle(connection: socket.socket, number: int) -> None:
        request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nhello from version 1")

    assert report_of(handle).failed[0].reason == "the answer was cut short"


def test_nobody_listening_is_a_failure():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with load(port) as running:
        report = running.stop()
    assert report.failed[0].reason.startswith("connect: ")


def test_silence_is_a_failure():
    quiet = threading.Event()
    report = report_of(lambda connection, number: quiet.wait(30) and None, patience=0.2)
    quiet.set()
    assert report.failed[0].reason == "no answer within 0.2 s"


def test_a_close_that_was_announced_is_none():
    again = threading.Event()

    def handle(connection: socket.socket, number: int) -> None:
        request(connection)
        connection.sendall(OK.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n"))
        if number >= 2:
            again.set()

    with serving(handle) as port, load(port) as running:
        assert again.wait(20)
        report = running.stop()
    assert report.failed == ()
    assert report.reconnects == report.requests >= 3


def test_a_connection_closed_while_idle_is_none():
    again = threading.Event()

    def handle(connection: socket.socket, number: int) -> None:
        request(connection)
        connection.sendall(OK)
        if number >= 1:
            again.set()
            request(connection)

    with serving(handle) as port, load(port, rate=5.0) as running:
        assert again.wait(20)
        report = running.stop()
    assert report.failed == ()
    assert report.reconnects == 1


def test_long_requests_in_flight_are_finished_and_counted_apart():
    asked = threading.Event()

    def handle(connection: socket.socket, number: int) -> None:
        while data := request(connection):
            if data.startswith(b"GET /slow?seconds=0.5 "):
                asked.set()
                time.sleep(0.5)
            connection.sendall(OK)

    with serving(handle) as port, load(port, long_clients=1, long_seconds=0.5) as running:
        assert asked.wait(20)
        report = running.stop()
    assert report.failed == ()
    assert report.long_requests >= 1
    assert report.slowest_long >= 0.5
    assert report.requests > report.long_requests


def test_it_ends_by_itself_at_its_duration():
    with serving(always(OK)) as port, load(port, duration=0.2) as running:
        running._process.wait(20)
        report = running.stop()
    assert 1 <= report.requests <= 0.2 * 50 + 2, "and keeps to its rate"


def test_an_abandoned_one_is_ended():
    with serving(always(OK)) as port, pytest.raises(ZeroDivisionError), load(port) as running:
        process = running._process
        raise ZeroDivisionError
    assert process.returncode is not None


def test_a_report_survives_the_pipe():
    report = report_of(always(OK.replace(b"hello", b"jello")))
    assert Report.from_json(report.to_json()) == report
