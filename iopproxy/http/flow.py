"""Backpressure: reading from a transport stops while anybody holds it back; what the kernel knows meanwhile."""

from __future__ import annotations

import fcntl
import select
import struct
import termios
from typing import Final

from iopproxy.http.transport import Transport

__all__ = ["PIPELINE", "UPLOAD", "Valve", "left", "unsent"]

PIPELINE: Final = 1
"""A request waits for its turn; no more are read."""
UPLOAD: Final = 2
"""A request's body can't go on to its target yet."""


class Valve:
    """Reading from one transport, open while no reason holds it shut."""

    __slots__ = ("_transport", "held")

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.held = 0
        """The reasons there are, added up."""

    def hold(self, reason: int) -> None:
        """Stop reading for a reason."""
        if not self.held:
            self._transport.pauseProducing()
        self.held |= reason

    def release(self, reason: int) -> None:
        """The reason is gone; read on unless there is another."""
        if self.held & reason:
            self.held &= ~reason
            if not self.held:
                self._transport.resumeProducing()


def left(transport: Transport) -> bool:
    """Whether the other side closed its direction or is gone. While nothing is read, nobody tells."""
    poll = select.poll()
    poll.register(transport.getHandle().fileno(), select.POLLRDHUP)
    return bool(poll.poll(0))


def unsent(transport: Transport) -> int:
    """Bytes in the kernel that the other side has no room for yet. What the transport holds waits behind them."""
    (size,) = struct.unpack("i", fcntl.ioctl(transport.getHandle().fileno(), termios.TIOCOUTQ, bytes(4)))
    return int(size)
