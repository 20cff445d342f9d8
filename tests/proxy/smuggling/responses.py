"""Responses that are read in two ways: an app, or who speaks through it, against the next client."""

from __future__ import annotations

from dataclasses import dataclass

from tests.proxy.smuggling.attack import GARDEN, LLHTTP, REBORN, TRAILERS, cve

DESYNC = "https://portswigger.net/research/http-desync-attacks-what-happened-next"
SPLITTING = "https://cwe.mitre.org/data/definitions/113.html"
RFC_LENGTH = "https://www.rfc-editor.org/rfc/rfc9112#section-6.3"
RFC_ASSOCIATE = "https://www.rfc-editor.org/rfc/rfc9112#section-9.2"

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
POISON = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
"""What no client must ever get as a response."""

BAD = 502
CUT = 0
"""The client can tell that it isn't complete."""


@dataclass(frozen=True)
class Answer:
    """What an app sends at once in answer to one request of ``method``, and what its client may get for it.

    ``status`` is 502, CUT, or the status of a response with exactly ``body``. Whatever else was sent is for nobody.
    """

    name: str
    source: str
    data: bytes
    status: int = BAD
    body: bytes = b""
    method: str = "GET"


def length(size: int) -> bytes:
    """A Content-Length line."""
    return b"Content-Length: %d\r\n" % size


ANSWERS: tuple[Answer, ...] = (
    # Two lengths
    Answer("a length and chunked", REBORN, OK + length(4) + CHUNKED + b"\r\n0\r\n\r\n" + POISON),
    Answer("chunked and a length", REBORN, OK + CHUNKED + length(4) + b"\r\n0\r\n\r\n" + POISON),
    Answer("two lengths", RFC_LENGTH, OK + length(0) + length(2) + b"\r\nok" + POISON),
    Answer("a list of lengths", RFC_LENGTH, OK + b"Content-Length: 0, 2\r\n\r\nok"),
    Answer("a length with a plus", GARDEN, OK + b"Content-Length: +2\r\n\r\nok"),
    Answer("a length in hexadecimal", GARDEN, OK + b"Content-Length: 0x2\r\n\r\nok"),
    Answer("a negative length", GARDEN, OK + b"Content-Length: -1\r\n\r\nok"),
    Answer("an empty length", cve("2023-40225"), OK + b"Content-Length:\r\n\r\nok"),
    Answer("a length that overflows", GARDEN, OK + b"Content-Length: 18446744073709551618\r\n\r\nok"),
    Answer("a length with a space before the colon", GARDEN, OK + b"Content-Length : 2\r\n\r\nok"),
    Answer("a folded length", GARDEN, OK + b"Content-Length:\r\n 2\r\n\r\nok"),
    Answer("chunked twice", GARDEN, OK + CHUNKED * 2 + b"\r\n0\r\n\r\n"),
    Answer("another encoding", RFC_LENGTH, OK + b"Transfer-Encoding: gzip\r\n\r\nok"),
    Answer("chunked not last", RFC_LENGTH, OK + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
    Answer(
        "an obscured encoding",
        cve("2019-15605"),
        OK + b"Transfer-Encoding:\x0bchunked\r\n" + length(5) + b"\r\n0\r\n\r\n",
    ),
    Answer("chunked in HTTP/1.0", RFC_LENGTH, b"HTTP/1.0 200 OK\r\n" + CHUNKED + b"\r\n0\r\n\r\n"),
    # Lines
    Answer("a bare LF in a header", SPLITTING, OK + b"X: a\nSet-Cookie: a=b\r\n" + length(2) + b"\r\nok"),
    Answer("a bare CR in a header", SPLITTING, OK + b"X: a\rSet-Cookie: a=b\r\n" + length(2) + b"\r\nok"),
    Answer("a NUL in a header", GARDEN, OK + b"X: \x00\r\n" + length(2) + b"\r\nok"),
    Answer("a folded header", GARDEN, OK + b"X: a\r\n b\r\n" + length(2) + b"\r\nok"),
    Answer("no name", GARDEN, OK + b": a\r\n" + length(2) + b"\r\nok"),
    Answer("no colon", cve("2019-20444"), OK + b"X\r\n" + length(2) + b"\r\nok"),
    Answer("a space in a name", LLHTTP, OK + b"X Y: a\r\n" + length(2) + b"\r\nok"),
    Answer("lines ended by LF", cve("2019-16785"), b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok"),
    Answer("a CR in the reason", SPLITTING, b"HTTP/1.1 200 O\rK\r\n" + length(2) + b"\r\nok"),
    Answer(
        "a control character in the reason", SPLITTING, b"HTTP/1.1 200 O\x01K\r\n" + length(2) + b"\r\nok"
    ),
    Answer("HTTP/0.9", GARDEN, b"ok"),
    Answer("HTTP/2.0", GARDEN, b"HTTP/2.0 200 OK\r\n" + length(2) + b"\r\nok"),
    Answer("a status of two digits", LLHTTP, b"HTTP/1.1 20 OK\r\n" + length(2) + b"\r\nok"),
    Answer("a status of four digits", LLHTTP, b"HTTP/1.1 2000 OK\r\n" + length(2) + b"\r\nok"),
    Answer("a status that doesn't exist", LLHTTP, b"HTTP/1.1 999 OK\r\n" + length(2) + b"\r\nok"),
    Answer("a head without end", GARDEN, OK + b"X: " + b"a" * 200_000),
    # Interim and upgrading responses
    Answer(
        "an upgrade nobody asked for",
        RFC_LENGTH,
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n" + POISON,
    ),
    Answer("a flood of 1xx", RFC_LENGTH, b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000),
    Answer("a 1xx and nothing more", RFC_LENGTH, b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    Answer(
        "100 with a length",
        RFC_LENGTH,
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK + length(2) + b"\r\nok",
        200,
        b"ok",
    ),
    # More than was asked for
    Answer("a second response", RFC_ASSOCIATE, OK + length(2) + b"\r\nok" + POISON, 200, b"ok"),
    Answer(
        "a second response after chunks",
        RFC_ASSOCIATE,
        OK + CHUNKED + b"\r\n2\r\nok\r\n0\r\n\r\n" + POISON,
        200,
        b"ok",
    ),
    Answer("HEAD with a body", DESYNC, OK + length(len(POISON)) + b"\r\n" + POISON, 200, b"", "HEAD"),
    Answer("HEAD with chunks", DESYNC, OK + CHUNKED + b"\r\n0\r\n\r\n" + POISON, 200, b"", "HEAD"),
    Answer("204 with a body", RFC_LENGTH, b"HTTP/1.1 204 No Content\r\n\r\n" + POISON, 204, b""),
    Answer(
        "304 with a body",
        RFC_LENGTH,
        b"HTTP/1.1 304 Not Modified\r\n" + length(len(POISON)) + b"\r\n" + POISON,
        304,
        b"",
    ),
    Answer(
        "a response before the request's end", DESYNC, OK + length(2) + b"\r\nok" + POISON, 200, b"ok", "POST"
    ),
    # Chunks
    Answer("a size that isn't one", LLHTTP, OK + CHUNKED + b"\r\nzz\r\n"),
    Answer("a size with 0x", GARDEN, OK + CHUNKED + b"\r\n0x2\r\nok\r\n0\r\n\r\n"),
    Answer("a size that overflows", cve("2021-32714"), OK + CHUNKED + b"\r\nfffffffffffffffff\r\nok\r\n"),
    Answer("a chunk longer than its size", LLHTTP, OK + CHUNKED + b"\r\n1\r\nok\r\n0\r\n\r\n"),
    Answer("a size ended by LF", cve("2025-22871"), OK + CHUNKED + b"\r\n2\nok\r\n0\r\n\r\n"),
    Answer("an LF in an extension", cve("2024-52304"), OK + CHUNKED + b"\r\n2;\nok\r\n0\r\n\r\n"),
    Answer("a broken trailer", GARDEN, OK + CHUNKED + b"\r\n2\r\nok\r\n0\r\nno colon\r\n\r\n"),
    Answer(
        "a length in the trailers",
        TRAILERS,
        OK + CHUNKED + b"\r\n2\r\nok\r\n0\r\nContent-Length: 9\r\n\r\n",
    ),
    # Ends
    Answer("shorter than its length", RFC_LENGTH, OK + length(9) + b"\r\nok", CUT),
    Answer("no last chunk", RFC_LENGTH, OK + CHUNKED + b"\r\n2\r\nok\r\n", CUT),
    Answer("half a chunk", RFC_LENGTH, OK + CHUNKED + b"\r\n9\r\nok", CUT),
    Answer("trailers without end", RFC_LENGTH, OK + CHUNKED + b"\r\n2\r\nok\r\n0\r\nX: y\r\n", CUT),
    Answer("a head without end that closes", RFC_LENGTH, OK + b"X: y\r\n"),
    Answer("until the end", RFC_LENGTH, OK + b"\r\nok", 200, b"ok"),
)
