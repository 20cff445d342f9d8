"""A transport in memory."""

from __future__ import annotations

import socket

from twisted.internet.testing import StringTransport


class Transport(StringTransport):
    """StringTransport with what TCP has besides."""

    half_closed = False
    disconnected = False
    handle: socket.socket | None = None
    full_after: float = float("inf")
    """Bytes that may be written before the producer is paused, once."""

    def getHandle(self) -> socket.socket:
        assert self.handle is not None, "a test that lingers or is held back brings a socket"
        return self.handle

    def write(self, data: bytes) -> None:
        super().write(data)
        self.full_after -= len(data)
        if self.full_after < 0:
            self.full_after = float("inf")
            self.producer.pauseProducing()

    def loseWriteConnection(self) -> None:
        self.half_closed = True

    def abortConnection(self) -> None:
        self.disconnected = True

    @property
    def over(self) -> bool:
        return self.half_closed or self.disconnecting or self.disconnected
