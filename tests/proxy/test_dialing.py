"""uvloop's connections to targets, as the protocols above them see them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest
import uvloop

from iopproxy.http.dialing import Outgoing, TcpDialer
from iopproxy.http.limits import Limits
from iopproxy.http.transport import Transport


class Hearer(Outgoing):
    """Hears what comes, at once or when it wants to."""

    transport: Transport  # type: ignore[assignment]

    def __init__(self, held: bool) -> None:
        super().__init__()
        self.heard = asyncio.Event()
        self._held = held

    def connectionMade(self) -> None:
        if self._held:
            self.transport.pauseProducing()
        super().connectionMade()

    def dataReceived(self, data: bytes) -> None:
        self.heard.set()


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = uvloop.new_event_loop()
    yield made
    made.close()


def test_a_connection_that_is_held_from_its_beginning_reads_nothing(loop: asyncio.AbstractEventLoop) -> None:
    """A client takes no more while a target is being connected to: nothing of the response is to pile up."""

    async def converse(listener: socket.socket) -> None:
        dialer, port = TcpDialer(loop, Limits()), listener.getsockname()[1]
        held, free = Hearer(held=True), Hearer(held=False)
        await dialer.dial("127.0.0.1", port, held).asFuture(loop)
        with listener.accept()[0] as first:
            first.sendall(b"x")
            await dialer.dial("127.0.0.1", port, free).asFuture(loop)
            with listener.accept()[0] as second:
                second.sendall(b"x")
                await asyncio.wait_for(free.heard.wait(), 10)
                assert not held.heard.is_set()
                held.transport.resumeProducing()
                await asyncio.wait_for(held.heard.wait(), 10)
        held.transport.abortConnection()
        free.transport.abortConnection()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        loop.run_until_complete(converse(listener))
