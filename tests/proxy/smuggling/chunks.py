"""Chunk sizes, extensions, ends of line and trailers that are read in two ways."""

from tests.proxy.smuggling.attack import (
    CHUNKED,
    CHUNKS,
    GARDEN,
    HIDDEN,
    LAST_CHUNK,
    LLHTTP,
    POST,
    TRAILERS,
    Attack,
    cve,
    refused,
    served,
)

HEAD = POST + CHUNKED + b"\r\n"


def broken(name: str, source: str, body: bytes) -> Attack:
    """A body whose framing is wrong."""
    return refused(name, source, HEAD + body)


def sound(name: str, source: str, body: bytes, meaning: bytes) -> Attack:
    """A body that has one meaning after all."""
    return served(name, source, HEAD + body, meaning)


ATTACKS: tuple[Attack, ...] = (
    broken("a size with 0x", cve("2023-47627"), b"0x1\r\na\r\n" + LAST_CHUNK),
    broken("a size with an underscore", GARDEN, b"0_1\r\na\r\n" + LAST_CHUNK),
    broken("a size with a plus", GARDEN, b"+1\r\na\r\n" + LAST_CHUNK),
    broken("a size with a minus", GARDEN, b"-1\r\na\r\n" + LAST_CHUNK),
    broken("a size with a space before", GARDEN, b" 1\r\na\r\n" + LAST_CHUNK),
    broken("a size with a tab after", GARDEN, b"1\t\r\na\r\n" + LAST_CHUNK),
    broken("a size with a space after", LLHTTP, b"1 \r\na\r\n" + LAST_CHUNK),
    broken("a size with a vertical tab after", GARDEN, b"1\x0b\r\na\r\n" + LAST_CHUNK),
    broken("a size with a NUL after", GARDEN, b"1\x00\r\na\r\n" + LAST_CHUNK),
    broken("no size", GARDEN, b"\r\n\r\n" + HIDDEN),
    broken("a size that isn't hexadecimal", LLHTTP, b"xyz\r\na\r\n" + LAST_CHUNK),
    broken("digits that aren't ASCII", GARDEN, "\uff11\r\na\r\n0\r\n\r\n".encode()),
    broken("a size that overflows 64 bits", cve("2021-32714"), b"f0000000000000003\r\nabc\r\n" + LAST_CHUNK),
    broken(
        "a size that overflows 32 bits", cve("2021-32714"), b"1000000000000000000001\r\na\r\n" + LAST_CHUNK
    ),
    broken("chunk longer than its size", CHUNKS, b"1\r\nab\r\n" + LAST_CHUNK),
    broken("chunk with any two bytes behind", cve("2025-43859"), b"1\r\naXX0\r\n\r\n" + HIDDEN),
    broken("chunk without an end of line", LLHTTP, b"1\r\na0\r\n\r\n" + HIDDEN),
    broken("chunk ended by LF", CHUNKS, b"1\r\na\n" + LAST_CHUNK),
    broken("chunk ended by CR", CHUNKS, b"1\r\na\r" + LAST_CHUNK),
    broken("chunk ended by two CR", CHUNKS, b"1\r\na\r\r" + LAST_CHUNK),
    broken("size ended by LF", cve("2025-22871"), b"1\na\r\n" + LAST_CHUNK),
    broken("size ended by CR", CHUNKS, b"1\ra\r\n" + LAST_CHUNK),
    broken("size ended by CR and a space", CHUNKS, b"1\r a\r\n" + LAST_CHUNK),
    broken("TERM.EXT: LF inside an extension", cve("2024-52304"), b"1;\na\r\n0\r\n\r\n" + HIDDEN),
    broken("EXT.TERM: LF after an extension's value", cve("2025-55315"), b"1;a=b\nX\r\n0\r\n\r\n" + HIDDEN),
    broken("EXT.TERM: CR in an extension", cve("2025-55315"), b"1;a\rb\r\nX\r\n" + LAST_CHUNK),
    broken("TERM.SPILL: two CRLF after a chunk", CHUNKS, b"1\r\na\r\n\r\n" + LAST_CHUNK),
    broken("a NUL in an extension", CHUNKS, b"1;a\x00b\r\nX\r\n" + LAST_CHUNK),
    broken("a control character in an extension", cve("2021-22960"), b"1;a\x01b\r\nX\r\n" + LAST_CHUNK),
    broken("last chunk ended by LF", CHUNKS, b"1\r\na\r\n0\n\r\n" + HIDDEN),
    broken("end of trailers by LF", CHUNKS, b"1\r\na\r\n0\r\n\n" + HIDDEN),
    broken("trailer without a colon", cve("2025-53643"), b"1\r\na\r\n0\r\nGET /smuggled HTTP/1.1\r\n\r\n"),
    broken("trailer folded", LLHTTP, b"1\r\na\r\n0\r\nX: a\r\n b\r\n\r\n"),
    broken("trailer with a bare LF", cve("2022-32214"), b"1\r\na\r\n0\r\nX: a\nY: b\r\n\r\n"),
    broken("trailer with a bare CR", cve("2023-30589"), b"1\r\na\r\n0\r\nX: a\rY: b\r\n\r\n"),
    broken("trailer with a NUL", GARDEN, b"1\r\na\r\n0\r\nX: \x00\r\n\r\n"),
    broken("trailer without a name", GARDEN, b"1\r\na\r\n0\r\n: x\r\n\r\n"),
    broken("trailer with a space before the colon", cve("2021-22959"), b"1\r\na\r\n0\r\nX : a\r\n\r\n"),
    sound("an extension", LLHTTP, b"1;a=b\r\nx\r\n" + LAST_CHUNK, b"x"),
    sound("a quoted extension", LLHTTP, b'1;a="b;c"\r\nx\r\n' + LAST_CHUNK, b"x"),
    sound("an extension that looks like a request", CHUNKS, b"1;GET=1\r\nx\r\n" + LAST_CHUNK, b"x"),
    sound("leading zeros in a size", LLHTTP, b"0000000001\r\nx\r\n" + LAST_CHUNK, b"x"),
    sound("many zeros at the end", LLHTTP, b"1\r\nx\r\n000\r\n\r\n", b"x"),
    sound(
        "capital and small digits",
        LLHTTP,
        b"A\r\n0123456789\r\na\r\n0123456789\r\n" + LAST_CHUNK,
        b"0123456789" * 2,
    ),
    sound("a chunk that is a request", LLHTTP, b"%x\r\n%b\r\n" % (len(HIDDEN), HIDDEN) + LAST_CHUNK, HIDDEN),
    broken("Content-Length in the trailers", TRAILERS, b"1\r\nx\r\n0\r\nContent-Length: 40\r\n\r\n"),
    broken(
        "Transfer-Encoding in the trailers",
        TRAILERS,
        b"1\r\nx\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
    ),
    sound("Host in the trailers", TRAILERS, b"1\r\nx\r\n0\r\nHost: other.example\r\n\r\n", b"x"),
    refused(
        "Connection in the trailers",
        TRAILERS,
        HEAD + b"1\r\nx\r\n0\r\nConnection: close\r\n\r\n",
        b"x",
    ),
    sound(
        "X-Forwarded-For in the trailers", TRAILERS, b"1\r\nx\r\n0\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n", b"x"
    ),
    sound(
        "a trailer that looks like a request", GARDEN, b"1\r\nx\r\n0\r\nGET: /smuggled HTTP/1.1\r\n\r\n", b"x"
    ),
)
