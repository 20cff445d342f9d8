"""One framing of every message: however bytes are cut the same is read, and what is read h11 reads the same way."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from iopproxy.http.limits import Limits
from iopproxy.http.reader import RequestReader
from iopproxy.http.request import Request
from iopproxy.http.response import MalformedError, ResponseReader
from tests.unit.proxy import framing
from tests.unit.proxy.framing import Message

LIMITS = Limits()


def mostly(*good: bytes, odd: tuple[bytes, ...]) -> st.SearchStrategy[bytes]:
    """One of the good ones, nine times of ten: of many parts few are odd, else everything would be refused at once."""
    return st.integers(0, 9).flatmap(lambda die: st.sampled_from(odd if die == 9 else good))


ENDS = st.integers(0, 2).flatmap(
    lambda die: (
        mostly(b"\r\n", odd=(b"\n", b"\r", b"\r\r\n", b"\n\r\n", b"\r\n\r\n", b"\r\n ", b"\x00\r\n", b""))
        if die == 2
        else st.just(b"\r\n")
    )
)
NAMES = (
    b"Content-Length",
    b"Transfer-Encoding",
    b"Connection",
    b"Upgrade",
    b"Expect",
    b"X",
    b"Trailer",
    b"TE",
)
VALUES = (
    *(
        b"0",
        b"1",
        b"3",
        b"5",
        b"03",
        b"+3",
        b"-1",
        b"0x3",
        b"3, 3",
        b"3 3",
        b"1e1",
        b"",
        b"99999999999999999999",
    ),
    *(b"chunked", b"Chunked", b"identity", b"gzip, chunked", b"chunked, chunked", b"chunked;a", b"xchunked"),
    *(
        b"close",
        b"keep-alive",
        b"Upgrade",
        b"keep-alive, Upgrade",
        b"websocket",
        b"h2c",
        b"100-continue",
        b"a\tb",
    ),
)
COLONS = mostly(b": ", b":", b":\t", odd=(b" :", b"\t: ", b":\x0b", b": \x0c", b"", b"_: "))
ODD = st.binary(max_size=3)


def joined(*parts: st.SearchStrategy[bytes] | bytes) -> st.SearchStrategy[bytes]:
    """Those pieces one after the other."""
    return st.tuples(*(st.just(each) if isinstance(each, bytes) else each for each in parts)).map(b"".join)


LINES = st.one_of(
    joined(st.sampled_from(NAMES), COLONS, st.sampled_from(VALUES), ENDS),
    joined(st.sampled_from(NAMES), COLONS, st.sampled_from(VALUES), ODD, ENDS),
    joined(ODD, st.sampled_from(NAMES), ODD, COLONS, st.sampled_from(VALUES), ENDS),
)
HEADERS = st.one_of(
    st.sampled_from([b"", b"X: y\r\n", b"Connection: Upgrade\r\nUpgrade: x\r\n", b"Connection: close\r\n"]),
    st.lists(LINES, max_size=2).map(b"".join),
)
CHUNK = st.one_of(
    st.sampled_from([b"3\r\nabc\r\n", b"0003\r\nabc\r\n", b"A;a=b\r\n0123456789\r\n"]),
    joined(
        mostly(b"3", odd=(b"0", b"A", b"+3", b"0x3", b"3 ", b"", b"-1", b"3_", b"f" * 17)),
        mostly(b"", b";a=b", b';a="b;c"', odd=(b";\n", b";\r", b" ;a", b";\x00", b"\t")),
        ENDS,
        mostly(b"abc", odd=(b"0123456789", b"ab", b"")),
        ENDS,
    ),
)
TRAILERS = mostly(
    b"", b"X: y\r\n", odd=(b"X: y\n", b"X: \x00\r\n", b"X\r\n", b" X: y\r\n", b"X : y\r\n", b": y\r\n")
)
"""No framing among them: it means nothing there and isn't sent on, but h11 refuses some of it."""
CHUNKS = joined(st.lists(CHUNK, max_size=3).map(b"".join), b"0", ENDS, TRAILERS, ENDS)
SIZED = st.sampled_from([b"Content-Length: 3", b"Content-Length: 0", b"Content-Length: 10"])
CHUNKED = st.just(b"Transfer-Encoding: chunked")
BODIES = st.one_of(
    joined(SIZED, ENDS, HEADERS, ENDS, st.sampled_from([b"abc", b"", b"0123456789", b"ab"])),
    joined(CHUNKED, ENDS, HEADERS, ENDS, CHUNKS),
    joined(HEADERS, ENDS, st.one_of(st.just(b""), CHUNKS, ODD)),
)
REQUEST = joined(
    mostly(b"GET", b"POST", b"HEAD", b"OPTIONS", odd=(b"get", b"CONNECT", b"G ET")),
    mostly(b" ", odd=(b"\t",)),  # two spaces are taken for one (RFC 9112 section 3), though not by h11
    mostly(b"/", b"/a?b", b"http://a.example/", odd=(b"*", b"/\x00", b"/a b", b"/\xff", b"", b"//")),
    mostly(b" HTTP/1.1", odd=(b" HTTP/1.0", b" HTTP/1.2", b"", b" HTTP/2.0", b" http/1.1")),
    ENDS,
    mostly(b"Host: a.example\r\n", odd=(b"", b"Host: a\r\nHost: a\r\n", b"Host:a \r\n")),
    BODIES,
)
STATUS = mostly(b"200 OK", b"204 No", b"304 Not", b"404 ", odd=(b"500", b"2000 X", b"99 X", b"200 \x01"))
INTERIM = st.sampled_from(
    [b"", b"", b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"]
)
RESPONSE = joined(INTERIM, mostly(b"HTTP/1.1 ", odd=(b"HTTP/1.0 ", b"HTTP/2.0 ")), STATUS, ENDS, BODIES)
CUTS = st.lists(st.integers(min_value=0), max_size=8)


def pieces(data: bytes, places: list[int]) -> list[bytes]:
    """``data``, cut at those places."""
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges) if start < end]


def read_requests(parts: list[bytes]) -> tuple[list[Message], bool]:
    """What the proxy reads, declining every upgrade as it comes; and whether it refused something."""
    reader = RequestReader(LIMITS)
    for part in parts:
        reader.feed(part)
        while reader.arrived and reader.arrived[-1].upgrade is not None and reader.arrived[-1].ended:
            reader.arrived[-1].upgrade = None
            reader.go_on()
    return [message(each) for each in reader.arrived], reader.refusal is not None


def message(request: Request) -> Message:
    return Message((request.method, request.target), b"".join(request.parts), request.ended)


@given(st.lists(REQUEST, min_size=1, max_size=3).map(b"".join), CUTS)
@example(
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n",
    [70],
)
@example(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n", [])
def test_a_request_has_one_framing(data: bytes, places: list[int]) -> None:
    ours, refused = read_requests([data])
    assert read_requests(pieces(data, places)) == (ours, refused)
    assert read_requests([data[at : at + 1] for at in range(len(data))]) == (ours, refused)
    theirs = framing.requests(data)
    for mine, other in zip(ours, theirs, strict=False):
        if refused and not mine.ended:
            break  # never sent on as a whole
        assert (mine.body, mine.ended) == (other.body, other.ended)
    whole = [each for each in ours if each.ended]
    assert len(whole) <= len([each for each in theirs if each.ended])


def read_response(parts: list[bytes], method: bytes, closed: bool) -> Message | None:
    """What the proxy takes for the response; None for one that is malformed."""
    reader = ResponseReader(LIMITS)
    reader.begin(method)
    body = b""
    for part in parts:
        if not reader.complete:
            try:
                reader.feed(part)
            except MalformedError:
                return None
            body += b"".join(reader.parts)
            reader.parts = []
    if closed:
        reader.closed(clean=True)
    if reader.response is None:
        return None
    return Message((b"%d" % reader.response.status,), body, reader.complete)


@given(RESPONSE, st.sampled_from([b"GET", b"HEAD", b"POST"]), st.booleans(), CUTS)
def test_a_response_has_one_framing(data: bytes, method: bytes, closed: bool, places: list[int]) -> None:
    ours = read_response([data], method, closed)
    assert read_response(pieces(data, places), method, closed) == ours
    if ours is not None and ours.ended:
        assert framing.response(data, method, closed) == ours


@given(
    st.binary(max_size=300),
    CUTS,
    st.sampled_from([read_requests, lambda parts: read_response(parts, b"GET", True)]),
)
def test_no_bytes_break_a_reader(
    data: bytes, places: list[int], read: Callable[[list[bytes]], object]
) -> None:
    assert read(pieces(data, places)) == read([data] if data else [])
