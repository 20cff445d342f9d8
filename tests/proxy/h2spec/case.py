"""What one case is: frames of a client, and what RFC 9113 wants a server to do."""

from __future__ import annotations

from dataclasses import dataclass

from hpack import Encoder

from tests.proxy.h2spec.frames import END_HEADERS, END_STREAM, HEADERS, frame

PROTOCOL, FLOW_CONTROL, STREAM_CLOSED, FRAME_SIZE, REFUSED, COMPRESSION = 1, 3, 5, 6, 7, 9

Fields = list[tuple[str, str]]

GET: Fields = [
    (":method", "GET"),
    (":scheme", "https"),
    (":authority", "victim.example"),
    (":path", "/first"),
]
POST: Fields = [(":method", "POST"), *GET[1:]]


@dataclass(frozen=True)
class Case:
    """``frames`` come after the preface and both sides' settings.

    ``wanted``: "connection" (GOAWAY with one of ``codes``, or the end), "stream" (also RST_STREAM on a stream, or a
    response of status 400), "response" (200), "ping" (an acknowledged PING: nothing was wrong).
    """

    name: str
    frames: bytes
    wanted: str
    codes: tuple[int, ...] = ()


def connection(name: str, frames: bytes, *codes: int) -> Case:
    """An error of the connection."""
    return Case(name, frames, "connection", codes or (PROTOCOL,))


def stream(name: str, frames: bytes, *codes: int) -> Case:
    """An error of a stream, for which a server may also end the connection (RFC 9113 section 5.4.1)."""
    return Case(name, frames, "stream", codes or (PROTOCOL,))


def response(name: str, frames: bytes) -> Case:
    """A request that is right."""
    return Case(name, frames, "response")


def ping(name: str, frames: bytes) -> Case:
    """Something to ignore."""
    return Case(name, frames, "ping")


def block(fields: Fields) -> bytes:
    """A header block that needs no state."""
    return Encoder().encode([(name, value, True) for name, value in fields], huffman=False)


def request(fields: Fields = GET, stream_id: int = 1, flags: int = END_STREAM | END_HEADERS) -> bytes:
    """A HEADERS frame."""
    return frame(HEADERS, flags, stream_id, block(fields))
