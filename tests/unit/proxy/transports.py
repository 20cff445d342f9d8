"""A transport in memory."""

from __future__ import annotations

from twisted.internet.testing import StringTransport


class Transport(StringTransport):
    """StringTransport with what TCP has besides."""

    half_closed = False
    disconnected = False

    def setTcpNoDelay(self, enabled: bool) -> None:
        pass

    def setTcpKeepAlive(self, enabled: bool) -> None:
        pass

    def loseWriteConnection(self) -> None:
        self.half_closed = True

    def abortConnection(self) -> None:
        self.disconnected = True

    @property
    def over(self) -> bool:
        return self.half_closed or self.disconnecting or self.disconnected
