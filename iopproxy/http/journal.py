"""Who hears of every request's end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from iopproxy.http.exchange import Exchange

__all__ = ["Journal", "Silence"]


class Journal(Protocol):
    """Hears of requests once they are over."""

    def finished(self, exchange: Exchange) -> None:
        """An exchange ended, whatever its end: all its public attributes are final."""

    def refused(self, address: bytes, scheme: bytes, status: int) -> None:
        """Something that never became an exchange was answered with ``status``."""


class Silence:
    """Keeps nothing."""

    def finished(self, exchange: Exchange) -> None:
        """Nobody wants to know."""

    def refused(self, address: bytes, scheme: bytes, status: int) -> None:
        """Nobody wants to know."""
