"""What an HTTP/2 header block means, and which are refused."""

from __future__ import annotations

import pytest
from hpack import Decoder
from hpack.exceptions import HPACKDecodingError, HPACKError
from hypothesis import given
from hypothesis import strategies as st

from iopproxy.http import fields2
from iopproxy.http.fieldblock import StaticEncoder
from iopproxy.http.fielddecoder import FieldDecoder
from iopproxy.http.fields2 import MalformedError, finish, request_of, trailers_of
from iopproxy.http.limits import Limits
from iopproxy.http.reader import RequestReader
from iopproxy.http.request import RefusedError
from tests.unit.proxy.http2 import HEAD, POST

LIMITS = Limits()


def without(name: bytes) -> list[tuple[bytes, bytes]]:
    return [each for each in HEAD if each[0] != name]


def having(name: bytes, value: bytes) -> list[tuple[bytes, bytes]]:
    return [(key, value if key == name else old) for key, old in HEAD]


@pytest.mark.parametrize(
    "lines",
    [
        [],
        without(b":method"),
        without(b":scheme"),
        without(b":path"),
        [*HEAD, HEAD[0]],
        [*HEAD, (b"a", b"b"), (b":path", b"/")],
        [(b"a", b"b"), *HEAD],
        [*HEAD, (b":status", b"200")],
        [*HEAD, (b":protocol", b"websocket")],
        [*HEAD, (b":other", b"1")],
        having(b":path", b""),
        having(b":path", b"relative"),
        having(b":path", b"*"),
        having(b":path", b"http://a.example/"),
        having(b":path", b"/a b"),
        having(b":path", b"/a\x00"),
        having(b":path", b"/a\r\nHost: b"),
        having(b":path", b"/\xc3\xa9"),
        having(b":path", b"/a#b"),
        having(b":scheme", b"ftp"),
        having(b":scheme", b"https\r\n"),
        having(b":method", b""),
        *[
            [*HEAD, (name, b"x")]
            for name in [
                b"",
                b"Upper",
                b"a b",
                b"a:b",
                b"a\r\nb",
                b"a\x00",
                b"\xe9",
                b"connection",
                b"keep-alive",
                b"proxy-connection",
                b"transfer-encoding",
                b"upgrade",
                b"te",
                b"x" * 65 + b" ",
            ]
        ],
        *[
            [*HEAD, (b"x", value)]
            for value in [b"a\r\nb: c", b"a\nb", b"a\rb", b"a\x00b", b"\x7f", b" a", b"a ", b"\ta"]
        ],
        [*HEAD, (b"transfer-encoding", b"chunked")],
        [*HEAD, (b"te", b"gzip")],
        [*HEAD, (b"host", b"b.example")],
        [*HEAD, (b"host", b"a.example:80")],
        [*without(b":authority"), (b"host", b"a.example"), (b"host", b"a.example")],
        *[
            [*HEAD, (b"content-length", value)]
            for value in [b"", b"+1", b"-1", b"1,1", b"0x1", b"1" * 19, b"5"]
        ],
        [*HEAD, (b"content-length", b"0"), (b"content-length", b"0")],
    ],
)
def test_malformed(lines: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(MalformedError):
        request_of(lines, True, LIMITS)


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([(b":method", b"CONNECT"), (b":authority", b"a.example:443")], 501),
        (having(b":method", b"TRACE"), 501),
        (having(b":method", b"BREW"), 501),
        (having(b":method", b"get"), 501),
        (without(b":authority"), 400),
        (having(b":authority", b""), 400),
        (having(b":authority", b"user@a.example"), 400),
        (having(b":authority", b"a.example/x"), 400),
        (having(b":path", b"/" + b"x" * LIMITS.target_size), 414),
        ([*HEAD, (b"x", b"y" * LIMITS.head_size)], 431),
        ([*HEAD, *[(b"x", b"y")] * LIMITS.header_count], 431),
    ],
)
def test_refused(lines: list[tuple[bytes, bytes]], status: int) -> None:
    with pytest.raises(RefusedError) as refused:
        request_of(lines, True, LIMITS)
    assert refused.value.status == status


@pytest.mark.parametrize(
    ("lines", "authority", "host"),
    [
        (HEAD, b"a.example", "a.example"),
        (having(b":authority", b"A.Example.:8443"), b"A.Example.:8443", "a.example"),
        ([*without(b":authority"), (b"host", b"b.example")], b"b.example", "b.example"),
        ([*HEAD, (b"host", b"A.example")], b"a.example", "a.example"),
    ],
)
def test_the_host(lines: list[tuple[bytes, bytes]], authority: bytes, host: str) -> None:
    request = request_of(lines, True, LIMITS)
    assert (request.authority, request.host) == (authority, host)
    assert all(name != b"host" for name, _ in request.headers)


def test_where_fields_go() -> None:
    lines = [
        (b"cookie", b"a=1"),
        (b"x", b""),
        (b"x_forwarded_for", b"6.6.6.6"),
        (b"x-forwarded-for", b"6.6.6.6"),
        (b"x-request-id", b"abc"),
        (b"te", b"trailers"),
        (b"proxy-authorization", b"Basic x"),
        (b"cookie", b"b=2"),
        (b"y", b"caf\xe9"),
    ]
    request = request_of([*HEAD, *lines], True, LIMITS)
    assert request.headers == [(b"x", b""), (b"y", b"caf\xe9"), (b"cookie", b"a=1; b=2")]
    assert request.forwarded == [(b"x-forwarded-for", b"6.6.6.6")]
    assert (request.id, request.wants_trailers, request.modern) == (b"abc", True, True)


def test_options_of_the_server() -> None:
    assert request_of([(b":method", b"OPTIONS"), *HEAD[1:3], (b":path", b"*")], True, LIMITS).target == b"*"


def test_the_length_of_a_body() -> None:
    request = request_of([*POST, (b"content-length", b"5")], False, LIMITS)
    assert (request.length, request.chunked, request.ended) == (5, False, False)
    with pytest.raises(MalformedError):
        finish(request)
    request.received = 5
    finish(request)
    assert request.ended


def test_a_body_of_any_length() -> None:
    request = request_of(POST, False, LIMITS)
    assert (request.length, request.chunked) == (None, True)
    finish(request)  # nothing came of it
    assert (request.length, request.chunked, request.ended) == (0, False, True)


@pytest.mark.parametrize("name", [b":path", b"Upper", b"connection", b"a b"])
def test_malformed_trailers(name: bytes) -> None:
    with pytest.raises(MalformedError):
        trailers_of([(name, b"x")], LIMITS)


def test_trailers() -> None:
    lines = [(b"x-sum", b"1"), (b"content-length", b"9"), (b"host", b"b"), (b"authorization", b"c")]
    assert trailers_of(lines, LIMITS) == [(b"x-sum", b"1")]
    with pytest.raises(MalformedError):
        trailers_of([(b"x", b"y")] * 101, LIMITS)
    with pytest.raises(MalformedError):
        trailers_of([(b"x", b"a\nb")], LIMITS)


@pytest.mark.parametrize(
    "method", [*sorted(fields2._METHODS), b"CONNECT", b"TRACE", b"PRI", b"SOURCE", b"XYZ"]
)
def test_the_methods_are_those_of_http1(method: bytes) -> None:
    reader = RequestReader(LIMITS)
    reader.feed(method + b" / HTTP/1.1\r\nHost: a.example\r\n\r\n")
    if method in fields2._METHODS:
        assert reader.arrived[0].method == method
    else:
        assert reader.refusal is not None
        assert reader.refusal.status == 501 or method == b"PRI"


BLOCKS = st.lists(
    st.one_of(
        st.sampled_from(
            [b"\x82", b"\x84", b"\xbe", b"\xbf", b"\xc0", b"\x80", b"\xff\x80\x01", b"\x20", b"\x3f\xe1\x1f"]
        ),
        st.sampled_from(
            [
                b"\x40\x01a\x01b",
                b"\x00\x01a\x82\x9d\x29",
                b"\x44\x01/",
                b"\x04\x85",
                b"\x50\x00",
                b"\x7f\x00\x01c",
            ]
        ),
        st.binary(max_size=6),
    ),
    max_size=12,
).map(b"".join)


@given(st.lists(BLOCKS, max_size=5), st.integers(30, 300))
def test_a_block_is_read_as_hpack_reads_it(blocks: list[bytes], most: int) -> None:
    ours, theirs = FieldDecoder(most), Decoder(most)
    for block in blocks:
        try:
            expected = [tuple(each) for each in theirs.decode(block, raw=True)]
        except HPACKError as error:
            with pytest.raises(type(error)):
                ours.decode(block)
            return
        try:
            read = ours.decode(block)
        except HPACKDecodingError as error:
            assert str(error) == "Too many table size updates"
            return
        assert read == expected
        assert ours.header_table.dynamic_entries == theirs.header_table.dynamic_entries


def test_a_table_is_resized_twice_in_a_block_at_most() -> None:
    """RFC 7541 section 4.2. A block of 64 KB of nothing else is work that no other limit sees."""
    assert FieldDecoder(300).decode(b"\x20\x3f\xe1\x1f\x82") == [(b":method", b"GET")]
    with pytest.raises(HPACKDecodingError):
        FieldDecoder(300).decode(b"\x20\x20\x3f\xe1\x1f\x82")


def test_what_is_encoded_is_what_a_decoder_reads() -> None:
    encoder, decoder = StaticEncoder(), Decoder()
    fields = [
        (b":status", b"200"),
        (b":status", b"418"),
        (b"Content-Type", b"text/html"),
        (b"X-Long", b"y" * 3000),
        (b"x" * 200, b" trimmed\t"),
        (b"set-cookie", b"a=b"),
        (b"accept-encoding", b"gzip, deflate"),
        (b"empty", b""),
        (b"www-authenticate", b"Basic"),
    ]
    read = [(name.lower(), value.strip()) for name, value in fields]
    for size in (4096, 0, 2**31):
        encoder.header_table_size = size
        decoder.max_allowed_table_size = size
        for _ in range(2):
            assert list(decoder.decode(encoder.encode(fields), raw=True)) == read
