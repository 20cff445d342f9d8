"""How many clients may be connected at once."""

from __future__ import annotations

import resource
from typing import Final

from twisted.internet.defer import Deferred

from iopproxy.http.limits import Limits
from iopproxy.http.meter import TURNED_AWAY, Meter

__all__ = ["Caps"]

_OTHER_FILES: Final = 64
"""Descriptors that the process needs for itself."""


class Caps:
    """Counts one worker's connections, in all and by client address."""

    def __init__(self, limits: Limits, meter: Meter) -> None:
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        # Each may need another one to a target.
        self._most = min(limits.connections, max(1, (files - _OTHER_FILES) // 2))
        self._most_each = limits.connections_per_address
        self._meter = meter
        self._by_address: dict[str, int] = {}
        self._waiting: list[Deferred[None]] = []
        self.count = 0

    def admit(self, address: str) -> bool:
        """One more, unless that is too many; ``leave`` follows only what was admitted."""
        same = self._by_address.get(address, 0)
        if self.count >= self._most or same >= self._most_each:
            self._meter.count(TURNED_AWAY, "connections" if self.count >= self._most else "address")
            return False
        self.count += 1
        self._by_address[address] = same + 1
        return True

    def leave(self, address: str) -> None:
        """One fewer."""
        self.count -= 1
        same = self._by_address[address] - 1
        if same:
            self._by_address[address] = same
        else:
            del self._by_address[address]
        if not self.count:
            waiting, self._waiting = self._waiting, []
            for each in waiting:
                each.callback(None)

    def when_empty(self) -> Deferred[None]:
        """Fires once nobody is connected. Cancelling it stops the waiting."""
        empty: Deferred[None] = Deferred(self._waiting.remove)
        if self.count:
            self._waiting.append(empty)
        else:
            empty.callback(None)
        return empty
