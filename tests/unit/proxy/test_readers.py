"""The readers: however the bytes are cut, the same comes out."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iopproxy.http.known import Known
from iopproxy.http.knownrequests import KnowingRequestReader
from iopproxy.http.limits import Limits
from iopproxy.http.reader import RequestReader
from iopproxy.http.request import Request
from iopproxy.http.response import MalformedError, ResponseReader

REQUESTS = (
    b"\r\nGET /a?b=c HTTP/1.1\r\nHost: A.example:80\r\nAccept: */*\r\n\r\n"
    b"POST /b HTTP/1.1\r\nhost:a.example\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n"
    b"2\r\nde\r\n0\r\nT: 1\r\n\r\n"
    b"PUT /c HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nbody"
    b"GET http://b.example HTTP/1.0\r\nHost: a.example\r\n\r\nignored"
)

RESPONSES = (
    b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n"
)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % len(data) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


@given(st.lists(st.integers(min_value=0), max_size=20))
def test_requests_however_they_are_cut(places: list[int]) -> None:
    reader = RequestReader(Limits())
    for piece in cut(REQUESTS, places):
        reader.feed(piece)
    assert reader.refusal is None
    assert [
        (each.method, each.target, each.host, b"".join(each.parts), each.ended, each.keep_alive)
        for each in reader.arrived
    ] == [
        (b"GET", b"/a?b=c", "a.example", b"", True, True),
        (b"POST", b"/b", "a.example", b"abcde", True, True),
        (b"PUT", b"/c", "a.example", b"body", True, True),
        (b"GET", b"/", "b.example", b"", True, False),
    ]
    assert reader.arrived[0].headers == [(b"Accept", b"*/*")]


@given(st.lists(st.integers(min_value=0), max_size=20))
def test_responses_however_they_are_cut(places: list[int]) -> None:
    reader = ResponseReader(Limits())
    for piece in cut(RESPONSES, places):
        assert not reader.complete
        if piece:
            reader.feed(piece)
    assert reader.complete and not reader.surplus
    assert [each.status for each in reader.interim] == [103]
    assert reader.response is not None
    assert (reader.response.status, reader.response.headers) == (200, [(b"X", b"y")])
    assert b"".join(reader.parts) == b"abcde"


@given(st.lists(st.integers(min_value=0), max_size=5), st.binary(max_size=400))
def test_no_bytes_break_the_request_reader(places: list[int], junk: bytes) -> None:
    reader = RequestReader(Limits())
    for piece in cut(b"GET / HTTP/1.1\r\nHost: a" + junk + b"\r\n\r\n", places):
        reader.feed(piece)


@given(st.lists(st.integers(min_value=0), max_size=5), st.binary(max_size=400))
def test_no_bytes_break_the_response_reader(places: list[int], junk: bytes) -> None:
    reader = ResponseReader(Limits())
    try:
        for piece in cut(b"HTTP/1.1 200 OK\r\n" + junk + b"\r\n\r\n", places):
            reader.feed(piece)
    except MalformedError:
        pass


@pytest.mark.parametrize("endless", [b"GET / HTTP/1.1\r\nX: ", b"GET /", b"GET / HTTP/1.1\r\nHost: a\r\n"])
def test_a_head_that_never_ends_is_refused_while_it_is_small(endless: bytes) -> None:
    reader = RequestReader(Limits())
    reader.feed(endless)
    fed = 0
    while reader.refusal is None:
        reader.feed(b"X: yyyyyyy\r\n" if endless.endswith(b"\n") else b"y" * 1000)
        fed += 1000
        assert fed < 200_000
    assert reader.refusal.status in (414, 431)


def test_requests_that_nobody_answers_yet_stay_bytes() -> None:
    body = (
        b"POST /%d HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6000\r\n"
        + b"y" * 0x6000
        + b"\r\n0\r\n\r\n"
    )
    sent = b"".join(
        body % each if each % 100 == 99 else b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % each
        for each in range(5000)
    )
    reader = RequestReader(Limits())
    reader.feed(sent)
    reader.feed(b"GET /5000 HTTP/1.1\r\nHost: a\r\n\r\n")
    got = []
    while reader.arrived:
        assert len(reader.arrived) < 1000
        if len(reader.arrived) < 2:
            reader.read_on()
        request = reader.arrived.popleft()
        assert request.ended
        assert request.received == (0x6000 if request.method == b"POST" else 0)
        got.append(request.target)
    assert got == [b"/%d" % each for each in range(5001)]
    assert (reader.rest, reader.refusal) == (b"", None)


def test_a_known_head_waits_behind_what_is_not_read_yet() -> None:
    each = b"GET /%04d HTTP/1.1\r\nHost: aa\r\n\r\n"
    assert len(each % 0) == 32  # so that no piece ends within a request
    known = Known[Request]()
    for _ in range(2):
        KnowingRequestReader(Limits(), known).feed(each % 0)
    assert known
    reader = KnowingRequestReader(Limits(), known)
    reader.feed(b"".join(each % number for number in range(1024)))
    assert reader.rest
    reader.feed(each % 1024)
    got = []
    while reader.arrived:
        got.append(reader.arrived.popleft().target)
        if len(reader.arrived) < 2:
            reader.read_on()
    assert got == [b"/%04d" % number for number in range(1025)]


def test_a_large_head_is_refused_wherever_a_feed_begins() -> None:
    small = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    large = b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: " + b"y" * 400 + b"\r\n\r\n"
    for pieces in ([small + large], [small + large[:9], large[9:]], [small, large], [large]):
        reader = RequestReader(Limits(head_size=300))
        for piece in pieces:
            reader.feed(piece)
        assert reader.refusal is not None
        assert reader.refusal.status == 431


@pytest.mark.parametrize("endless", [b"1;", b"0\r\nX: "])
def test_chunk_extensions_and_trailers_end_sometime(endless: bytes) -> None:
    reader = RequestReader(Limits())
    reader.feed(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + endless)
    for _ in range(200):
        reader.feed(b"y" * 1000)
    assert reader.refusal is not None
    assert reader.arrived[0].broken


@pytest.mark.parametrize(
    ("method", "data", "clean", "complete"),
    [
        (b"GET", b"HTTP/1.1 200 OK\r\n\r\nabc", True, True),
        (b"GET", b"HTTP/1.1 200 OK\r\n\r\nabc", False, False),
        (b"GET", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", True, False),
        (b"GET", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", True, False),
        (b"GET", b"HTTP/1.1 200 OK\r\n", True, False),
        (b"GET", b"HTTP/1.1 100 Continue\r\n\r\n", True, False),
        (b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", False, True),
    ],
)
def test_what_the_end_of_the_connection_means(
    method: bytes, data: bytes, clean: bool, complete: bool
) -> None:
    reader = ResponseReader(Limits())
    reader.begin(method)
    reader.feed(data)
    assert reader.closed(clean) is complete


def test_one_reader_reads_many_responses() -> None:
    reader = ResponseReader(Limits())
    for method in (b"GET", b"HEAD", b"GET", b"HEAD", b"HEAD", b"GET"):
        reader.begin(method)
        reader.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + (b"" if method == b"HEAD" else b"ok"))
        assert reader.complete and not reader.surplus
        assert reader.parts == ([] if method == b"HEAD" else [b"ok"])
        reader.parts.clear()
