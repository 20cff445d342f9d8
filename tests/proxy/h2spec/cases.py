"""The cases, named by h2spec's own numbers: sections of RFC 7540, and of RFC 7541 for "hpack"."""

from __future__ import annotations

import struct

from tests.proxy.h2spec.case import (
    COMPRESSION,
    FLOW_CONTROL,
    FRAME_SIZE,
    GET,
    POST,
    PROTOCOL,
    REFUSED,
    STREAM_CLOSED,
    Case,
    block,
    connection,
    ping,
    request,
    response,
    stream,
)
from tests.proxy.h2spec.frames import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PADDED,
    PING,
    PRIORITY,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    WITH_PRIORITY,
    frame,
    reset,
    settings,
    window,
)

OPEN = request(POST, 1, END_HEADERS)
"""A request whose body hasn't come."""
PART = frame(HEADERS, END_STREAM, 1, block(GET)[:5])
"""The beginning of a header block."""
REST = block(GET)[5:]
SELF = struct.pack(">IB", 1, 255)
"""A dependency on stream 1."""


def wrong(name: str, *more: tuple[str, str], without: str = "") -> Case:
    """A request with fields that mustn't be there, or without one that must."""
    return stream(name, request([each for each in GET if each[0] != without] + list(more)))


CASES: tuple[Case, ...] = (
    response("3.5/1 the preface", request()),
    ping("4.1/1 an unknown type", frame(0xFF, 0, 0, b"x" * 8)),
    ping("4.1/2 undefined flags", frame(PING, 0xFE & ~ACK, 0, b"h2spec\0\0")),
    ping("4.1/3 the reserved bit", frame(PING, 0, 1 << 31, b"h2spec\0\0")),
    response("4.2/1 DATA of 16 KB", OPEN + frame(DATA, END_STREAM, 1, b"x" * 16384)),
    connection("4.2/2 DATA of more", OPEN + frame(DATA, END_STREAM, 1, b"x" * 16385), FRAME_SIZE),
    connection("4.2/3 HEADERS of more", request([*GET, ("x", "y" * 20000)]), FRAME_SIZE),
    connection(
        "4.3/1 an invalid block", frame(HEADERS, 5, 1, b"\x82\x86\xff\xff\xff\xff\xff\xff"), COMPRESSION
    ),
    connection("4.3/2 PRIORITY in a block", PART + frame(PRIORITY, 0, 1, SELF)),
    connection("4.3/3 another stream's HEADERS in a block", PART + request(stream_id=3)),
    connection("5.1/1 DATA on an idle stream", frame(DATA, END_STREAM, 1, b"x"), PROTOCOL, STREAM_CLOSED),
    connection("5.1/2 RST_STREAM on an idle stream", reset(1)),
    connection("5.1/3 WINDOW_UPDATE on an idle stream", window(1, 100)),
    connection("5.1/4 CONTINUATION on an idle stream", frame(CONTINUATION, END_HEADERS, 1, REST)),
    stream("5.1/5 DATA after the end", request() + frame(DATA, END_STREAM, 1, b"x"), STREAM_CLOSED),
    stream("5.1/6 HEADERS after the end", request() + request(), STREAM_CLOSED),
    stream(
        "5.1/7 CONTINUATION after the end",
        request() + frame(CONTINUATION, 4, 1, REST),
        STREAM_CLOSED,
        PROTOCOL,
    ),
    stream("5.1/8 DATA after RST_STREAM", OPEN + reset(1) + frame(DATA, END_STREAM, 1, b"x"), STREAM_CLOSED),
    stream("5.1/9 HEADERS after RST_STREAM", OPEN + reset(1) + request(), STREAM_CLOSED),
    stream(
        "5.1/10 CONTINUATION after RST_STREAM",
        OPEN + reset(1) + frame(CONTINUATION, 4, 1, REST),
        STREAM_CLOSED,
        1,
    ),
    connection("5.1.1/1 an even stream", request(stream_id=2)),
    connection(
        "5.1.1/2 a smaller stream", request(stream_id=5) + request(stream_id=3), PROTOCOL, STREAM_CLOSED
    ),
    stream(
        "5.1.2/1 too many streams",
        b"".join(request(POST, number, END_HEADERS) for number in range(1, 223, 2)),
        PROTOCOL,
        REFUSED,
    ),
    stream(
        "5.3.1/1 HEADERS that depend on themselves", frame(HEADERS, 5 | WITH_PRIORITY, 1, SELF + block(GET))
    ),
    stream("5.3.1/2 PRIORITY that depends on itself", frame(PRIORITY, 0, 1, SELF)),
    connection("5.4.1/1 an error of the connection", frame(PING, 0, 3, b"h2spec\0\0")),
    ping("5.5/1 an unknown extension", frame(0x16, 0, 0, b"x" * 8)),
    connection("5.5/2 an unknown extension in a block", PART + frame(0x16, 0, 1, b"x" * 8)),
    connection("6.1/1 DATA on stream 0", frame(DATA, END_STREAM, 0, b"x")),
    connection("6.1/3 DATA with too much padding", OPEN + frame(DATA, END_STREAM | PADDED, 1, b"\x06test")),
    connection("6.2/2 another stream's HEADERS", PART + request(POST, 3)),
    connection("6.2/3 HEADERS on stream 0", request(stream_id=0)),
    connection("6.2/4 HEADERS with too much padding", frame(HEADERS, 5 | PADDED, 1, b"\xff" + block(GET))),
    connection("6.3/1 PRIORITY on stream 0", frame(PRIORITY, 0, 0, struct.pack(">IB", 3, 255))),
    stream("6.3/2 PRIORITY of 4 bytes", OPEN + frame(PRIORITY, 0, 1, b"\x80\0\0\1"), FRAME_SIZE),
    connection("6.4/1 RST_STREAM on stream 0", reset(0)),
    connection("6.4/3 RST_STREAM of 3 bytes", OPEN + frame(RST_STREAM, 0, 1, b"\0\0\0"), FRAME_SIZE),
    connection("6.5/1 an acknowledgement with a setting", frame(SETTINGS, ACK, 0, b"\0" * 6), FRAME_SIZE),
    connection("6.5/2 SETTINGS on a stream", frame(SETTINGS, 0, 1, b"\0\3\0\0\0\x64")),
    connection("6.5/3 SETTINGS of 3 bytes", frame(SETTINGS, 0, 0, b"\0\3\0"), FRAME_SIZE),
    connection("6.5.2/1 ENABLE_PUSH is 2", settings(2, 2)),
    connection("6.5.2/2 INITIAL_WINDOW_SIZE is 2^31", settings(4, 1 << 31), FLOW_CONTROL),
    connection("6.5.2/3 MAX_FRAME_SIZE is too small", settings(5, 16383)),
    connection("6.5.2/4 MAX_FRAME_SIZE is too large", settings(5, 1 << 24)),
    ping("6.5.2/5 an unknown setting", settings(0xFF, 1)),
    ping("6.7/2 an acknowledged PING", frame(PING, ACK, 0, b"invalid\0")),
    connection("6.7/3 PING on a stream", frame(PING, 0, 1, b"h2spec\0\0")),
    connection("6.7/4 PING of 6 bytes", frame(PING, 0, 0, b"h2spec"), FRAME_SIZE),
    connection("6.8/1 GOAWAY on a stream", frame(GOAWAY, 0, 1, b"\0" * 8)),
    connection("6.9/1 a window wider by 0", window(0, 0)),
    stream("6.9/2 a stream's window wider by 0", OPEN + window(1, 0)),
    connection("6.9/3 WINDOW_UPDATE of 3 bytes", frame(WINDOW_UPDATE, 0, 0, b"\0\0\1"), FRAME_SIZE),
    connection("6.9.1/2 a window over 2^31", window(0, (1 << 31) - 1) * 2, FLOW_CONTROL),
    stream("6.9.1/3 a stream's window over 2^31", OPEN + window(1, (1 << 31) - 1) * 2, FLOW_CONTROL),
    connection(
        "6.9.2/3 a setting that widens one so far", OPEN + window(1, 1 << 16) + settings(4, (1 << 31) - 1), 3
    ),
    response(
        "6.10/1 CONTINUATION frames",
        PART + frame(CONTINUATION, 0, 1, REST[:9]) + frame(CONTINUATION, END_HEADERS, 1, REST[9:]),
    ),
    connection("6.10/2 DATA in a block", PART + frame(DATA, END_STREAM, 1, b"x")),
    connection("6.10/3 CONTINUATION on stream 0", PART + frame(CONTINUATION, END_HEADERS, 0, REST)),
    connection("6.10/4 CONTINUATION after END_HEADERS", OPEN + frame(CONTINUATION, END_HEADERS, 1, REST)),
    connection(
        "6.10/6 CONTINUATION after DATA", OPEN + frame(DATA, 0, 1, b"x") + frame(CONTINUATION, 4, 1, REST)
    ),
    ping("7/2 RST_STREAM with an unknown code", OPEN + reset(1, 0xFF)),
    stream("8.1/1 trailers without an end", OPEN + request([("x", "y")], 1, END_HEADERS)),
    wrong("8.1.2/1 a capital letter", ("X-Test", "ok")),
    wrong("8.1.2.1/1 an unknown pseudo-header", (":test", "ok")),
    wrong("8.1.2.1/2 a response's pseudo-header", (":status", "200")),
    stream("8.1.2.1/3 a pseudo-header in the trailers", OPEN + request([(":method", "POST")])),
    stream("8.1.2.1/4 a pseudo-header after others", request([("x", "y"), *GET])),
    wrong("8.1.2.2/1 Connection", ("connection", "keep-alive")),
    wrong("8.1.2.2/2 TE of another value", ("te", "trailers, deflate")),
    wrong("8.1.2.3/1 an empty path", (":path", ""), without=":path"),
    wrong("8.1.2.3/2 no method", without=":method"),
    wrong("8.1.2.3/3 no scheme", without=":scheme"),
    wrong("8.1.2.3/4 no path", without=":path"),
    stream("8.1.2.3/5 two methods", request([(":method", "GET"), *GET])),
    stream("8.1.2.3/6 two schemes", request([(":scheme", "https"), *GET])),
    stream("8.1.2.3/7 two paths", request([(":path", "/"), *GET])),
    stream(
        "8.1.2.6/1 a body shorter than said",
        request([*POST, ("content-length", "9")], 1, 4) + frame(0, 1, 1, b"x"),
    ),
    stream(
        "8.1.2.6/2 two pieces shorter than said",
        request([*POST, ("content-length", "9")], 1, END_HEADERS)
        + frame(DATA, 0, 1, b"x")
        + frame(DATA, 1, 1, b"y"),
    ),
    connection("8.2/1 PUSH_PROMISE", OPEN + frame(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\2" + block(GET))),
    connection(
        "hpack 2.3.3/1 an index that isn't there", frame(HEADERS, 5, 1, block(GET) + b"\xc6"), COMPRESSION
    ),
    connection(
        "hpack 4.2/1 a table's size after a field", frame(HEADERS, 5, 1, block(GET) + b"\x21"), COMPRESSION
    ),
    connection(
        "hpack 5.2/1 padding of 8 bits",
        frame(HEADERS, 5, 1, block(GET) + b"\x00\x85\xf2\xb2\x4a\x84\xff\x84\x49\x50\x9f\xff"),
        COMPRESSION,
    ),
    connection(
        "hpack 5.2/2 padding of zeros",
        frame(HEADERS, 5, 1, block(GET) + b"\x00\x85\xf2\xb2\x4a\x84\xff\x83\x49\x50\x90"),
        COMPRESSION,
    ),
    connection("hpack 6.1/1 index 0", frame(HEADERS, 5, 1, block(GET) + b"\x80"), COMPRESSION),
    connection(
        "hpack 6.3/1 a table larger than allowed",
        frame(HEADERS, 5, 1, b"\x3f\xe1\xff\x03" + block(GET)),
        COMPRESSION,
    ),
)
