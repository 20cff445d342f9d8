"""The access log: whatever clients send, its lines are JSON, and whoever doesn't read them holds nobody up."""

from __future__ import annotations

import json
import os
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iopproxy.http.journal import Journal
from iopproxy.http.logline import LineWriter
from iopproxy.http.meter import LOG_DROP, REFUSAL, Meter
from iopproxy.http.spool import Spool
from iopproxy.routing.state import Route, Version
from tests.unit.proxy.exchanges import exchange, route_with

NOW = 1_700_000_000.25


def line(**different: Any) -> Any:
    return json.loads(LineWriter().line(exchange(**different), NOW))


def test_a_line() -> None:
    assert line() == {
        "time": "2023-11-14T22:13:20.250Z",
        "id": "0123",
        "client": "192.0.2.1",
        "scheme": "https",
        "protocol": "HTTP/2",
        "host": "a.example",
        "method": "GET",
        "path": "/path",
        "status": 200,
        "received": 10,
        "sent": 5,
        "first_byte": 0.01,
        "seconds": 0.02,
        "target": "web:1",
        "release": "r1",
        "app": "demo/web",
        "fate": "complete",
    }


def test_a_request_that_went_nowhere() -> None:
    found = line(route=None, status=404, first_byte_at=0.0, modern=False)
    assert [found[key] for key in ("target", "release", "app", "first_byte", "path")] == [None] * 4 + [
        "/path"
    ]
    assert found["protocol"] == "HTTP/1.0"
    assert line(target=None)["target"] is None


def test_queries_and_headers_are_shown_where_a_route_asks_for_them_only() -> None:
    secrets = [(b"Cookie", b"session=1"), (b"User-Agent", b'a "b"\xff'), (b"X-A", b"1"), (b"x-a", b"2")]
    assert "headers" not in line(headers=secrets)
    asked = route_with(log_query=True, log_headers=("user-agent", "x-a", "absent"))
    found = line(route=asked, headers=secrets)
    assert found["path"] == "/path?token=secret"
    assert found["headers"] == {"user-agent": 'a "b"\\xff', "x-a": "1, 2"}
    assert "session" not in json.dumps(found)


def test_times_go_on() -> None:
    writer = LineWriter()
    times = [json.loads(writer.line(exchange(), NOW + more))["time"][-7:] for more in (0, 0.7499, 0.75, 60)]
    assert times == ["20.250Z", "20.999Z", "21.000Z", "20.250Z"]


def test_a_line_says_where_a_request_went_after_a_switch() -> None:
    """The same target, another release."""
    writer, old, new = LineWriter(), route_with(), route_with(hsts=1)
    new = Route("demo", "web", new.hosts, Version(new.live.targets, "green", "r2"))
    releases = [json.loads(writer.line(exchange(route=each), NOW))["release"] for each in (old, new, old)]
    assert releases == ["r1", "r2", "r1"]


hostile = st.binary(max_size=8192) | st.text(max_size=3000).map(lambda text: text.encode("utf-8", "ignore"))


@given(path=hostile, method=hostile, id=hostile, value=hostile, release=st.text(max_size=128))
def test_whatever_comes_it_is_one_line_of_json_of_bounded_length(
    path: bytes, method: bytes, id: bytes, value: bytes, release: str
) -> None:
    settings = route_with(log_query=True, log_headers=tuple(f"{n:064}" for n in range(16))).settings
    targets = ("w" * 253 + ":65535",)
    route = Route("p" * 63, "a" * 63, ("a.example",), Version(targets, "blue", release), settings=settings)
    made = LineWriter().line(
        exchange(
            route,
            target_=None,
            id=id,
            method=method,
            host="h" * 253,
            headers=[(f"{n:064}".encode(), value) for n in range(16)],
            path=path,
        ),
        NOW,
    )
    assert len(made) <= 4096
    assert made.endswith(b"\n")
    assert made.isascii()
    assert not any(byte < 32 for byte in made[:-1])
    found = json.loads(made)
    assert found["status"] == 200
    if len(path) < 100:
        assert found["path"] == path.decode("utf-8", "backslashreplace")


def drain(descriptor: int) -> bytes:
    with os.fdopen(descriptor, "rb") as reader:
        return reader.read()


def test_all_lines_are_there_at_the_end_and_none_is_cut_by_another_process() -> None:
    """Each write fits into what the kernel keeps together."""
    reading, writing = os.pipe()
    spool = Spool(writing, most=10**9)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(drain(reading)))
    reader.start()
    lines = [b"%d %b\n" % (n, b"x" * (n % 4000)) for n in range(3000)]
    for each in lines:
        spool.add(each)
    spool.close(30)
    os.close(writing)
    reader.join(30)
    assert got[0] == b"".join(lines)
    assert spool.lost == 0


def test_a_reader_that_stopped_blocks_nobody_and_what_it_missed_is_counted() -> None:
    reading, writing = os.pipe()
    meter = Meter()
    spool = Spool(writing, most=200_000)
    journal = Journal(meter, spool)
    for _ in range(10_000):
        journal.finished(exchange())
    journal.flush()
    lost = sum(times for event, _, times in meter.take()["events"] if event == LOG_DROP)
    assert 5_000 < lost < 10_000
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(drain(reading)))
    reader.start()
    spool.close(30)
    os.close(writing)
    reader.join(30)
    lines = got[0].splitlines()
    assert len(lines) == 10_000 - lost
    assert all(json.loads(each)["status"] == 200 for each in lines)


def test_the_end_does_not_wait_forever_for_a_reader_that_stopped() -> None:
    reading, writing = os.pipe()
    spool = Spool(writing, most=10**7)
    for _ in range(1000):
        spool.add(b"x" * 1000 + b"\n")
    spool.close(0.1)
    os.close(reading)  # its thread ends with the error that this makes
    spool._thread.join(30)
    assert not spool._thread.is_alive()
    os.close(writing)


def test_a_descriptor_that_does_not_block_is_waited_for() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    spool = Spool(writing, most=10**7)
    for _ in range(1000):
        spool.add(b"x" * 1000 + b"\n")
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(drain(reading)))
    reader.start()
    spool.close(30)
    os.close(writing)
    reader.join(30)
    assert (len(got[0]), spool.lost) == (1_001_000, 0)


@pytest.mark.parametrize("scheme", [b"http", b"https"])
def test_what_never_became_a_request(scheme: bytes) -> None:
    reading, writing = os.pipe()
    meter = Meter()
    spool = Spool(writing, most=10**6)
    journal = Journal(meter, spool)
    journal.refused(b"192.0.2.1", scheme, 400)
    spool.close(30)
    os.close(writing)
    found = json.loads(drain(reading))
    assert (found["client"], found["status"], found["fate"]) == ("192.0.2.1", 400, "refused")
    assert set(found) == set(line())
    assert meter.take()["events"] == [[REFUSAL, "400", 1]]


def test_a_file_gets_all_lines_in_order(tmp_path):
    path = tmp_path / "log"
    lines = [b"%d %s\n" % (number, b"x" * (number % 3000)) for number in range(1000)]
    with path.open("wb") as file:
        spool = Spool(file.fileno(), most=10**9)
        for line in lines:
            spool.add(line)
        spool.close(30)
    assert path.read_bytes() == b"".join(lines)
    assert spool.lost == 0
