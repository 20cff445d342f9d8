"""A slow side slows the other one down; the proxy holds a few buffers, never the message."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.proxy.running import Proxy, wait_until
from tests.proxy.upstreams import Conversation, answer
from tests.proxy.wire import Wire

SIZE = 200_000_000
ROOM = 12_000_000
"""What the proxy may grow by. A part comes from the allocator, not from one exchange."""
BLOCK = bytes(1_000_000)


class Progress:
    """Bytes that went somewhere, seen from the test."""

    def __init__(self) -> None:
        self.done = 0

    def stands_still(self) -> bool:
        """Whether nothing moved for a while: every buffer on the way is full."""
        before = self.done
        threading.Event().wait(0.3)
        return 0 < before == self.done


@pytest.mark.parametrize("chunked", [False, True])
def test_a_slow_reader_stops_the_upstream(proxy: Proxy, upstream: Any, chunked: bool) -> None:
    sent = Progress()

    def serve(conversation: Conversation) -> None:
        conversation.request()
        framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {SIZE}"
        conversation.send(f"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n".encode())
        for _ in range(SIZE // len(BLOCK)):
            conversation.send(b"%x\r\n%b\r\n" % (len(BLOCK), BLOCK) if chunked else BLOCK)
            sent.done += len(BLOCK)
        if chunked:
            conversation.send(b"0\r\n\r\n")

    host = proxy.route(upstream(serve).target)
    before = proxy.rss
    with Wire(proxy.port) as wire:
        wire.send(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert wire.head().status == 200
        wait_until(sent.stands_still)
        assert sent.done < SIZE / 2
        assert proxy.rss - before < ROOM
        got = 0
        while got < SIZE:
            got += len(wire.chunk() if chunked else wire.exactly(min(1_000_000, SIZE - got)))
        assert not chunked or wire.chunk() == b""
        assert proxy.rss - before < ROOM
        assert wire.get("nobody.example").status == 404  # the connection is as good as new


@pytest.mark.parametrize("chunked", [False, True])
def test_a_slow_upstream_stops_the_client(proxy: Proxy, upstream: Any, chunked: bool) -> None:
    sent = Progress()
    may_read = threading.Event()

    def serve(conversation: Conversation) -> None:
        seen = conversation.head()
        may_read.wait(30)
        got = 0
        if chunked:
            while size := int(conversation._until(b"\r\n"), 16):
                got += len(conversation.exactly(size))
                conversation.exactly(2)
            conversation.exactly(2)
        else:
            while got < int(seen.get("content-length") or 0):
                got += len(conversation.exactly(min(1_000_000, SIZE - got)))
        conversation.send(answer(str(got).encode()))

    host = proxy.route(upstream(serve).target)
    before = proxy.rss
    with Wire(proxy.port) as wire:

        def send() -> None:
            framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {SIZE}"
            wire.send(f"POST / HTTP/1.1\r\nHost: {host}\r\n{framing}\r\n\r\n".encode())
            for _ in range(SIZE // len(BLOCK)):
                wire.send(b"%x\r\n%b\r\n" % (len(BLOCK), BLOCK) if chunked else BLOCK)
                sent.done += len(BLOCK)
            if chunked:
                wire.send(b"0\r\n\r\n")

        sending = threading.Thread(target=send)
        sending.start()
        wait_until(sent.stands_still)
        assert sent.done < SIZE / 2
        assert proxy.rss - before < ROOM
        may_read.set()
        assert wire.response().body == str(SIZE).encode()
        sending.join()
    assert proxy.rss - before < ROOM


def test_pipelined_requests_wait_on_the_network(proxy: Proxy, upstream: Any) -> None:
    """While one is under way, at most one read's worth of the next ones is taken in."""
    sent = Progress()

    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.head()

    host = proxy.route(upstream(serve).target)
    before = proxy.rss
    with Wire(proxy.port) as wire:
        requests = f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode() * 10_000

        def send() -> None:
            try:
                for _ in range(300):
                    wire.send(requests)
                    sent.done += len(requests)
            except OSError:
                pass  # the test is over

        threading.Thread(target=send).start()
        wait_until(sent.stands_still)
        assert proxy.rss - before < ROOM
