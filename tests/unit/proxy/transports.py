"""A transport in memory."""

from __future__ import annotations

import socket

from twisted.internet.testing import StringTransport


class Transport(StringTransport):
    """StringTransport with what TCP has besides."""

    half_closed = False
    disconnected = False
    handle: socket.socket | None = None

    def getHandle(self) -> socket.socket:
        assert self.handle is not None, "a test that lingers brings a socket"
        return self.handle

    def loseWriteConnection(self) -> None:
        self.half_closed = True

    def abortConnection(self) -> None:
        self.disconnected = True

    @property
    def over(self) -> bool:
        return self.half_closed or self.disconnecting or self.disconnected
