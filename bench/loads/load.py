"""What every load gives back."""

from __future__ import annotations

from typing import Protocol

from attrs import frozen
from peers.proxy import Proxy

CONNECTIONS = 64


@frozen
class Done:
    """Requests (or handshakes, or messages) that were answered, and in how many seconds."""

    count: int
    seconds: float
    cpu: float | None = None
    """Seconds of the proxy's CPU time, where those of what came before the first request don't count."""

    @property
    def per_second(self) -> float:
        return self.count / self.seconds


class Load(Protocol):
    """Keeps a proxy busy for some seconds. Exits when anything failed: a wrong answer may be cheap."""

    def __call__(self, proxy: Proxy, seconds: float) -> Done: ...
