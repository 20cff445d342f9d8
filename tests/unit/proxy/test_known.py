"""Heads that came before mean what the strict readers say, and nobody can fill the memory with them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iopproxy.http.known import Known
from iopproxy.http.knownrequests import KnowingRequestReader
from iopproxy.http.knownresponses import KnowingResponseReader
from iopproxy.http.limits import Limits
from iopproxy.http.reader import RequestReader
from iopproxy.http.request import Request
from iopproxy.http.response import MalformedError, Response, ResponseReader
from tests.unit.proxy.test_framing_fuzz import REQUEST, RESPONSE

LIMITS = Limits()
PLAIN = b"Host: a\r\nX-Y: z\r\nTE: trailers\r\nX-Forwarded-For: 1.2.3.4\r\nX-Request-ID: me\r\n\r\n"
OK = b"HTTP/1.1 200 Fine\r\nDate: now\r\nStrict-Transport-Security: x\r\nX: y\r\nContent-Length: 3\r\n\r\n"

State = list[dict[str, object]]


def state(message: Request | Response) -> dict[str, object]:
    """All there is of it but how it would be written."""
    return {name: getattr(message, name) for name in message.__slots__ if name != "lines"}


def requests(reader: RequestReader, *pieces: bytes) -> tuple[State, object, bool]:
    for piece in pieces:
        reader.feed(piece)
    status = None if reader.refusal is None else reader.refusal.status
    return [state(each) for each in reader.arrived], status, reader.in_head


def responses(reader: ResponseReader, pieces: list[bytes]) -> State:
    """What comes of them, in answer to one request after the other."""
    found: State = []
    for piece in pieces:
        try:
            reader.feed(piece)
        except MalformedError:
            return found
        heads = [state(each) for each in (*reader.interim, reader.head) if each is not None]
        found.append(
            {"heads": heads, "body": b"".join(reader.parts), "end": (reader.complete, reader.surplus)}
        )
        reader.interim, reader.parts, reader.head = [], [], None
        if not reader.complete:
            continue
        if reader.surplus or reader.response is None or not reader.response.keep_alive:
            return found
        reader.begin(b"GET")
    return found


def test_the_header_lines_of_a_request_are_read_once() -> None:
    known: Known[Request] = Known()
    first, second = KnowingRequestReader(LIMITS, known), KnowingRequestReader(LIMITS, known)
    requests(KnowingRequestReader(LIMITS, known), GET)
    assert not known
    first.feed(b"GET /a?b HTTP/1.1\r\n" + PLAIN)
    second.feed(b"DELETE /c HTTP/1.1\r\n" + PLAIN)
    one, other = first.arrived[0], second.arrived[0]
    assert one.headers is other.headers
    assert (other.method, other.target, other.host, other.id) == (b"DELETE", b"/c", "a", b"me")


def test_the_head_of_a_response_is_read_once() -> None:
    known: Known[Response] = Known()
    first, second = KnowingResponseReader(LIMITS, known), KnowingResponseReader(LIMITS, known)
    responses(KnowingResponseReader(LIMITS, known), [OK + b"abc"])
    assert not known
    first.feed(OK + b"abc")
    second.feed(OK + b"def")
    assert first.head is not None
    assert second.head is not None
    assert first.head.headers is second.head.headers
    assert second.parts == [b"def"]


def test_what_is_added_to_a_response_is_not_in_the_next() -> None:
    known: Known[Response] = Known()
    for _ in range(3):
        reader = KnowingResponseReader(LIMITS, known)
        reader.feed(OK + b"abc")
        assert reader.head is not None
        assert reader.head.added == []
        reader.head.added.append((b"X-Request-ID", b"1"))


def test_an_id_that_a_request_was_given_is_not_the_next_ones() -> None:
    known: Known[Request] = Known()
    for _ in range(3):
        reader = KnowingRequestReader(LIMITS, known)
        reader.feed(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert reader.arrived[0].id == b""
        reader.arrived[0].id = b"1"


GET = b"GET / HTTP/1.1\r\n" + PLAIN
SHORT = b"GET / HTTP/1.1\r\nHost: a\r\n"


@pytest.mark.parametrize(
    "pieces",
    [
        [GET, GET],
        [b"\r\n", GET, b"\r\n\r\n" + GET],
        [GET + GET, GET],
        [b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200\r\n\r\n", GET],  # it is in the body
        [b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", GET],
        [b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", GET],
        [SHORT + b"X: ", GET],
        [SHORT, GET],
        [b"GET / HTTP/1.1\r\n", GET],
        [b"G", GET],
        [SHORT + b"Expect: 100-continue\r\n\r\n", GET],
        [b"GET / HTTP/1.1\r\n\r\n", GET],
        [SHORT + b"Connection: close\r\n\r\n", GET],
        [SHORT + b"Connection: Upgrade\r\nUpgrade: x\r\n\r\n", GET],
        [SHORT + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", GET],
        [b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", GET],
        [b"GET / HTTP/1.0\r\n" + PLAIN, GET],
        [b"GET / HTTP/1.2\r\n" + PLAIN, GET],
        [b"GET /\x00 HTTP/1.1\r\n" + PLAIN, GET],
        [b"GET http://b/ HTTP/1.1\r\n" + PLAIN, GET],
        [b"\r\n" + GET, b"GET / HTTP/1.1\r\n" + GET],
    ],
)
def test_known_lines_mean_something_only_where_a_request_begins(pieces: list[bytes]) -> None:
    known: Known[Request] = Known()
    requests(KnowingRequestReader(LIMITS, known), GET, GET)
    for _ in range(3):
        assert requests(KnowingRequestReader(LIMITS, known), *pieces) == requests(
            RequestReader(LIMITS), *pieces
        )
        for piece in pieces:
            requests(KnowingRequestReader(LIMITS, known), piece)


@pytest.mark.parametrize(
    "pieces",
    [
        [OK + b"abc", OK + b"abc"],
        [OK + b"ab", OK + b"abc"],
        [OK + b"abcd", OK + b"abc"],
        [OK + b"abc" + OK + b"abc"],
        [OK, OK + b"abc"],
        [OK.replace(b"3", b"200"), OK + b"abc"],  # it is in the body
        [b"HTTP/1.1 100 Continue\r\n\r\n", OK + b"abc"],
        [b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"abc", OK + b"abc"],
        [OK[:-2] + b"X: ", OK + b"abc"],
        [OK[:-2], OK + b"abc"],
        [OK[:-2] + b"Connection: close\r\n\r\nabc", OK + b"abc"],
        [OK[:-2] + b"Connection: Upgrade\r\nUpgrade: x\r\n\r\nabc", OK + b"abc"],
        [b"HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\n", OK + b"abc"],
        [b"HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\nabc", OK + b"abc"],
        [b"HTTP/1.1 204 No\r\n\r\n", OK + b"abc"],
        [b"HTTP/1.1 200 OK\r\n\r\n", OK + b"abc"],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", OK + b"abc"],
        [b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", OK + b"abc"],
        [b"abc", OK + b"abc"],
    ],
)
def test_known_heads_mean_something_only_where_a_response_begins(pieces: list[bytes]) -> None:
    known: Known[Response] = Known()
    responses(KnowingResponseReader(LIMITS, known), [OK + b"abc", OK + b"abc"])
    for _ in range(3):
        strict = responses(ResponseReader(LIMITS), pieces)
        assert responses(KnowingResponseReader(LIMITS, known), pieces) == strict
        for piece in pieces:
            responses(KnowingResponseReader(LIMITS, known), [piece])


@settings(deadline=None)
@given(
    st.lists(REQUEST, min_size=1, max_size=3),
    st.sampled_from(
        [b"GET / HTTP/1.1", b"POST /a?b HTTP/1.1", b"GET / HTTP/1.0", b"GET /# HTTP/1.1", b"GET /"]
    ),
)
def test_a_request_that_came_before_means_the_same(pieces: list[bytes], line: bytes) -> None:
    known: Known[Request] = Known()
    for piece in pieces + pieces:
        requests(KnowingRequestReader(LIMITS, known), piece)
    others = [line + b"\r\n" + piece.partition(b"\r\n")[2] for piece in pieces]
    for again in (pieces, others, pieces + others):
        strict = requests(RequestReader(LIMITS), *again)
        assert requests(KnowingRequestReader(LIMITS, known), *again) == strict


@settings(deadline=None)
@given(st.lists(RESPONSE, min_size=1, max_size=3))
def test_a_response_that_came_before_means_the_same(pieces: list[bytes]) -> None:
    known: Known[Response] = Known()
    for piece in pieces + pieces:
        responses(KnowingResponseReader(LIMITS, known), [piece])
    cut = [piece[:-1] for piece in pieces]
    for again in (pieces, cut, pieces + pieces):
        strict = responses(ResponseReader(LIMITS), again)
        assert responses(KnowingResponseReader(LIMITS, known), again) == strict


def test_a_target_that_is_too_long_is_refused_with_known_lines_too() -> None:
    known: Known[Request] = Known()
    limits = Limits(target_size=10)
    requests(KnowingRequestReader(limits, known), GET, GET)
    assert len(known) == 1
    found = requests(KnowingRequestReader(limits, known), b"GET /2345678901 HTTP/1.1\r\n" + PLAIN)
    assert found == ([], 414, False)


def test_a_response_to_head_has_no_body() -> None:
    known: Known[Response] = Known()
    responses(KnowingResponseReader(LIMITS, known), [OK + b"abc", OK + b"abc"])
    assert len(known) == 1
    reader = KnowingResponseReader(LIMITS, known)
    reader.begin(b"HEAD")
    reader.feed(OK + b"abc")
    assert reader.surplus
    assert reader.parts == []


def test_neither_many_nor_long_nor_single_heads_are_kept() -> None:
    known: Known[int] = Known()
    assert not known.comes_again(b"single")
    for number in range(5000):
        head = b"%d" % number
        assert not known.comes_again(head)
        assert known.comes_again(head)
        known.learn(head, number)
    assert len(known) <= 512
    assert not known.comes_again(b"x" * 4096)
    assert not known.comes_again(b"x" * 4096)
    assert not known.comes_again(b"single")  # it is forgotten: hashes of few are kept, too
