"""Where the targets' names lead: the last address that was good is kept.

A container that is moved between aliases loses its name for a moment while it serves; its address stays.
"""

from __future__ import annotations

from collections.abc import Iterable

from twisted.internet.abstract import isIPAddress
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.defer import TimeoutError as Expired
from twisted.internet.error import DNSLookupError

from iopproxy.http.limits import Limits
from iopproxy.reactor import Reactor

__all__ = ["Addresses", "split_target"]


def split_target(target: str) -> tuple[str, int]:
    """``name:port`` as (name, port)."""
    name, _, port = target.rpartition(":")
    return name, int(port)


class Addresses:
    """Names to IPv4 addresses, remembered."""

    def __init__(self, reactor: Reactor, limits: Limits) -> None:
        self._reactor = reactor
        self._time = limits.connect_time
        self._known: dict[str, str] = {}
        self._sweeps = 0
        self._swept: frozenset[str] = frozenset()
        """The names that were left when something was forgotten last."""

    def known(self, name: str) -> str | None:
        """The last good address of a name, or the name itself when it is an address."""
        return name if isIPAddress(name) else self._known.get(name)

    async def ask(self, name: str) -> str | None:
        """The address that a name has now, None when it has none. Neither looks into the memory nor adds to it."""
        if isIPAddress(name):
            return name
        # The time limit is ours: a resolver may ignore the one it is given.
        asking: Deferred[str] = self._reactor.resolve(name, (int(self._time),))
        try:
            return await asking.addTimeout(self._time, self._reactor)
        except (DNSLookupError, Expired):
            return None

    async def resolve(self, name: str) -> str | None:
        """Ask again; the last good address when the name isn't known now."""
        sweeps = self._sweeps
        address = await self.ask(name)
        if address is None:
            return self.known(name)
        if (
            sweeps == self._sweeps or name in self._swept
        ):  # or it was forgotten while the answer was on its way
            self._known[name] = address
        return address

    def learn(self, targets: Iterable[str]) -> Deferred[list[tuple[bool, str | None]]]:
        """Ask for all of them at once; fires when all have answered, whatever it was."""
        names = {split_target(target)[0] for target in targets}
        return DeferredList(
            [Deferred.fromCoroutine(self.resolve(name)) for name in names], consumeErrors=True
        )

    def keep_only(self, targets: Iterable[str]) -> None:
        """Forget the names that no target has any more."""
        names = frozenset(split_target(target)[0] for target in targets)
        self._sweeps += 1
        self._swept = names
        self._known = {name: address for name, address in self._known.items() if name in names}
