"""Servers that read the same bytes differently: what each takes for requests must be the same.

``strict`` wants what the proxy should send and nothing else. The others stand for servers that were fooled: one ends
lines at LF alone and prefers Content-Length; one takes anything that looks like chunked for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

Framing = Callable[[list[bytes]], "int | None"]
"""Content-Length by header lines, or None for chunked."""

_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e\x80-\xff]*")
_FIRST = re.compile(rb"[A-Z-]+ [\x21-\x7e\x80-\xff]+ HTTP/1\.1")


class Reading(NamedTuple):
    """One request as some server reads it."""

    method: bytes
    target: bytes
    body: bytes


class Read(NamedTuple):
    """All whole requests in some bytes, and what is left."""

    requests: list[Reading]
    rest: bytes


class Ambiguous(Exception):
    """Bytes that no server should be sent."""


def strict(raw: bytes) -> Read:
    """By a server that knows no mercy. Raises Ambiguous."""
    return _read(raw, rb"\r\n", _strict_framing)


def length_first(raw: bytes) -> Read:
    """By a server that ends lines at LF, prefers Content-Length, and reads as many digits as there are."""
    return _read(raw, rb"\r?\n", _length_first)


def chunked_first(raw: bytes) -> Read:
    """By a server that takes every line with "transfer" and "chunk" in it for chunked, ending lines at CR or LF."""
    return _read(raw, rb"\r\n|\r(?!\n)|(?<!\r)\n", _chunked_first)


def _strict_framing(lines: list[bytes]) -> int | None:
    for line in lines:
        if not _LINE.fullmatch(line):
            raise Ambiguous(line)
    named = [(line.partition(b": ")[0].lower(), line.partition(b": ")[2]) for line in lines]
    names = [name.replace(b"_", b"-") for name, _ in named]
    if names.count(b"host") != 1 or names.count(b"content-length") + names.count(b"transfer-encoding") > 1:
        raise Ambiguous(names)
    values = dict(named)
    if b"transfer-encoding" in values:
        if values[b"transfer-encoding"] != b"chunked":
            raise Ambiguous(values)
        return None
    size = values.get(b"content-length", b"0")
    if not re.fullmatch(rb"0|[1-9][0-9]{0,18}", size):
        raise Ambiguous(size)
    return int(size)


def _length_first(lines: list[bytes]) -> int | None:
    for line in lines:
        if found := re.match(rb"\W*content\W?length\W*(\d+)", line, re.IGNORECASE):
            return int(found[1])
    return _chunked_first(lines)


def _chunked_first(lines: list[bytes]) -> int | None:
    for line in lines:
        if re.match(rb"\W*transf\w*[\W_]*encoding.*chunk", line, re.IGNORECASE | re.DOTALL):
            return None
    sizes = [re.match(rb"\W*content[\W_]?length\W*(\d+)", line, re.IGNORECASE) for line in lines]
    return next((int(each[1]) for each in reversed(sizes) if each), 0)


def _read(raw: bytes, end: bytes, framing: Framing) -> Read:
    found: list[Reading] = []
    blank = re.compile(rb"(?:%b){2}" % end)
    while split := blank.search(raw):
        first, *lines = re.split(end, raw[: split.start()])
        if end == rb"\r\n" and not _FIRST.fullmatch(first):
            raise Ambiguous(first)
        size = framing(lines)
        rest = raw[split.end() :]
        body, rest_ = _chunks(rest, end) if size is None else (rest[:size], rest[size:])
        if body is None or (size is not None and len(rest) < size):
            break
        method, target = (*first.split(), b"", b"")[:2]
        found.append(Reading(method, target, body))
        raw = rest_
    return Read(found, raw)


def _chunks(raw: bytes, end: bytes) -> tuple[bytes | None, bytes]:
    """(body, what follows it), or (None, ...) when it isn't complete."""
    body = b""
    while split := re.search(end, raw):
        digits = re.match(rb"\W*([0-9A-Fa-f]+)", raw[: split.start()])
        size = int(digits[1], 16) if digits else 0
        raw = raw[split.end() :]
        if size == 0:
            trailers = re.match(rb"(?:[^\r\n]+%b)*%b" % (end, end), raw)
            return (body, raw[trailers.end() :]) if trailers else (None, raw)
        ended = re.match(end, raw[size:])
        if ended is None:
            break
        body += raw[:size]
        raw = raw[size + ended.end() :]
    return None, raw
