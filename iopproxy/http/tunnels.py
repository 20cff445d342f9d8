"""Which tunnels are open, by target."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

__all__ = ["Closable", "Tunnels"]


class Closable(Protocol):
    """A tunnel, as its registry sees it."""

    target: str

    def close(self) -> None:
        """End both sides once what they were sent is with the kernel."""


class Tunnels:
    """The open tunnels of a process."""

    def __init__(self) -> None:
        self._open: dict[str, set[Closable]] = {}

    def add(self, tunnel: Closable) -> None:
        """One more."""
        self._open.setdefault(tunnel.target, set()).add(tunnel)

    def discard(self, tunnel: Closable) -> None:
        """It ended."""
        same = self._open[tunnel.target]
        same.discard(tunnel)
        if not same:
            del self._open[tunnel.target]

    def counts(self) -> dict[str, int]:
        """Open tunnels by target; only targets that have any."""
        return {target: len(tunnels) for target, tunnels in self._open.items()}

    def close(self, targets: Iterable[str] | None = None) -> None:
        """End those to ``targets``, or all of them."""
        for target in tuple(self._open if targets is None else targets):
            for tunnel in tuple(self._open.get(target, ())):
                tunnel.close()
