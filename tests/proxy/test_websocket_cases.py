"""Autobahn's cases through the proxy: an echo server and a client of the websockets library, which checks all of it.

Autobahn's own suite runs on Python 2 alone. The names are its case numbers
(https://github.com/crossbario/autobahn-testsuite/tree/master/autobahntestsuite/autobahntestsuite/case).
"""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import ServerConnection, serve

from tests.proxy.running import Proxy

HOST = "websocket.example"
TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9

MESSAGES: dict[str, str | bytes] = {
    **{f"1.1 text of {size}": "*" * size for size in (0, 125, 126, 127, 128, 65535, 65536)},
    **{f"1.2 binary of {size}": b"\xfe" * size for size in (0, 125, 126, 127, 128, 65535, 65536)},
    "6.2 text that isn't ASCII": "Hello-\u00b5@\u00df\u00f6\u00e4\u00fc\u00e0\u00e1-UTF-8!!",
    "6.6 text beyond 16 bits": "\u03ba\u1f79\u03c3\u03bc\u03b5\U0001f600",
    **{f"9.1 text of {size}": "*" * size for size in (262144, 1048576, 4194304)},
    **{f"9.2 binary of {size}": os.urandom(size) for size in (262144, 1048576, 4194304)},
}


def frame(opcode: int, payload: bytes = b"", final: bool = True, reserved: int = 0) -> bytes:
    """A frame of a client, masked with zeros, right or wrong (RFC 6455 section 5.2)."""
    first = final << 7 | reserved << 4 | opcode
    size = len(payload)
    if size < 126:
        return struct.pack(">BBI", first, 0x80 | size, 0) + payload
    return struct.pack(">BBHI", first, 0x80 | 126, size, 0) + payload


BROKEN: dict[str, tuple[int, bytes]] = {
    "2.5 a ping of 126": (1002, frame(PING, b"x" * 126)),
    **{f"3.{bits} reserved bits": (1002, frame(TEXT, b"x", reserved=bits)) for bits in (1, 2, 3, 4, 5, 6, 7)},
    **{f"4.1 opcode {code}": (1002, frame(code, b"x")) for code in (3, 4, 5, 6, 7)},
    **{f"4.2 opcode {code}": (1002, frame(code, b"x")) for code in (11, 12, 13, 14, 15)},
    "5.1 a fragmented ping": (1002, frame(PING, b"x", final=False) + frame(0, b"y")),
    "5.9 a continuation of nothing": (1002, frame(0, b"x", final=False) + frame(TEXT, b"y")),
    "5.18 a text in a text": (1002, frame(TEXT, b"x", final=False) + frame(TEXT, b"y")),
    "6.3 text that isn't UTF-8": (1007, frame(TEXT, b"\xce\xba\xe1\xbd\xb9\xed\xa0\x80")),
    "6.4 text that isn't, in pieces": (
        1007,
        frame(TEXT, b"\xce\xba", final=False) + frame(0, b"\xf4\x90\x80\x80"),
    ),
    "7.3.2 a close of 1 byte": (1002, frame(CLOSE, b"a")),
    "7.5.1 a reason that isn't UTF-8": (1007, frame(CLOSE, b"\x03\xe8\xed\xa0\x80")),
    **{
        f"7.9 code {code}": (1002, frame(CLOSE, struct.pack(">H", code)))
        for code in (0, 999, 1004, 1005, 1006, 1016)
    },
    **{
        f"7.7 code {code}": (code, frame(CLOSE, struct.pack(">H", code)))
        for code in (1000, 1001, 1003, 1011, 3000, 4999)
    },
}


@pytest.fixture(scope="module")
def port(proxy: Proxy) -> Iterator[int]:
    def echo(connection: ServerConnection) -> None:
        for message in connection:
            connection.send(message)

    with serve(echo, "127.0.0.1", 0, max_size=None) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        proxy.route(f"127.0.0.1:{server.socket.getsockname()[1]}", host=HOST, app="websocket")
        yield proxy.port


@pytest.fixture
def opened(port: int) -> Iterator[ClientConnection]:
    plain = socket.create_connection(("127.0.0.1", port), timeout=20)
    with connect(f"ws://{HOST}/", sock=plain, max_size=None, compression=None, proxy=None) as connection:
        yield connection


@pytest.mark.parametrize("name", MESSAGES)
def test_messages_come_back(opened: ClientConnection, name: str) -> None:
    opened.send(MESSAGES[name])
    assert opened.recv(timeout=20) == MESSAGES[name]


@pytest.mark.parametrize("size", [0, 1, 125])
def test_pings_come_back(opened: ClientConnection, size: int) -> None:
    assert opened.ping(b"x" * size).wait(20)


def test_ten_pings_at_once_come_back(opened: ClientConnection) -> None:
    assert all(each.wait(20) for each in [opened.ping(b"%d" % number) for number in range(10)])


@pytest.mark.parametrize("pieces", [2, 16, 256])
def test_fragments_are_one_message(opened: ClientConnection, pieces: int) -> None:
    opened.send("fragment" for _ in range(pieces))
    assert opened.recv(timeout=20) == "fragment" * pieces


def test_a_ping_between_fragments(opened: ClientConnection) -> None:
    opened.socket.sendall(frame(TEXT, b"frag", final=False) + frame(PING, b"now") + frame(0, b"ment"))
    assert opened.recv(timeout=20) == "fragment"


def test_one_byte_at_a_time(opened: ClientConnection) -> None:
    for byte in frame(TEXT, b"octet by octet"):
        opened.socket.sendall(bytes([byte]))
    assert opened.recv(timeout=20) == "octet by octet"


@pytest.mark.parametrize("compressed", [True, False])
def test_a_thousand_messages(port: int, compressed: bool) -> None:
    plain = socket.create_connection(("127.0.0.1", port), timeout=20)
    compression = "deflate" if compressed else None
    with connect(f"ws://{HOST}/", sock=plain, compression=compression, proxy=None) as connection:
        for number in range(1000):
            connection.send(f"message {number} " * (number % 50))
            assert connection.recv(timeout=20) == f"message {number} " * (number % 50)


@pytest.mark.parametrize("name", BROKEN)
def test_what_the_server_closes_for_reaches_the_client(opened: ClientConnection, name: str) -> None:
    code, data = BROKEN[name]
    opened.socket.sendall(data)
    with pytest.raises(ConnectionClosed) as closed:
        opened.recv(timeout=20)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == code


def test_an_end_without_a_close_is_one(opened: ClientConnection) -> None:
    opened.socket.shutdown(socket.SHUT_RDWR)
    with pytest.raises(ConnectionClosed):
        opened.recv(timeout=20)
