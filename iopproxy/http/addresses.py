"""Where the targets' names lead: the last address that was good is kept, and asked for again before it is old.

A container that is moved between aliases loses its name for a moment while it serves; its address stays. One that
is restarted may come back with another address; then its name leads there.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from twisted.internet.abstract import isIPAddress
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.defer import TimeoutError as Expired
from twisted.internet.error import DNSLookupError
from twisted.python.failure import Failure

from iopproxy.http.limits import Limits
from iopproxy.reactor import Reactor

__all__ = ["Addresses", "split_target"]


def split_target(target: str) -> tuple[str, int]:
    """``name:port`` as (name, port)."""
    name, _, port = target.rpartition(":")
    return name, int(port)


class _Known:
    """The last good address of a target, None if there was none yet, and when its name was asked for last."""

    __slots__ = ("address", "at")

    def __init__(self) -> None:
        self.address: str | None = None
        self.at = float("-inf")


class Addresses:
    """Targets to IPv4 addresses: those that are ``routed`` or were learned are kept until they are to be forgotten."""

    def __init__(self, reactor: Reactor, limits: Limits, routed: Container[str] = ()) -> None:
        self._reactor = reactor
        self._routed = routed
        self._limits = limits
        self._known: dict[str, _Known] = {}
        self._waiting: dict[str, list[Deferred[str]]] = {}
        """Who waits for the same answer. A question blocks a thread, for longer than anybody waits; so there is one."""

    async def ask(self, name: str, seconds: float | None = None) -> str | None:
        """The address that a name has now, None when it has none. Neither looks into the memory nor adds to it."""
        if isIPAddress(name):
            return name
        seconds = self._limits.connect_time if seconds is None else seconds
        answer: Deferred[str] = Deferred()
        if name in self._waiting:
            self._waiting[name].append(answer)
        else:
            self._waiting[name] = [answer]
            asking: Deferred[str] = self._reactor.resolve(name)
            asking.addBoth(self._answered, name)
        try:
            return await answer.addTimeout(seconds, self._reactor)
        except (DNSLookupError, Expired):
            return None

    def _answered(self, result: str | Failure, name: str) -> None:
        for each in self._waiting.pop(name):
            if not each.called:
                each.callback(result)  # a Failure makes it fail

    async def find(self, target: str) -> str | None:
        """Where to connect to: a name that was asked for less than ``refresh_time`` ago isn't asked for again."""
        known = self._known.get(target)
        if known is None or self._reactor.seconds() - known.at >= self._limits.refresh_time:
            return await self.again(target)
        return known.address or await self.again(target)

    async def again(self, target: str) -> str | None:
        """Ask now; the last good address when its name isn't known now."""
        known = self._known.get(target) or _Known()
        if target in self._routed:
            self._known[target] = known
        known.at = self._reactor.seconds()  # who comes while the answer is on its way takes the last good one
        seconds = self._limits.connect_time if known.address is None else self._limits.resolve_time
        address = await self.ask(split_target(target)[0], seconds)
        if address is not None:
            known.address = address
        return known.address

    def learn(self, targets: Iterable[str]) -> Deferred[list[tuple[bool, str | None]]]:
        """Ask for all of them at once, and remember them; fires when all have answered, whatever it was."""
        asking = []
        for target in targets:
            self._known.setdefault(target, _Known())
            asking.append(Deferred.fromCoroutine(self.again(target)))
        return DeferredList(asking, consumeErrors=True)

    def forget(self, target: str) -> None:
        """No route leads there any more."""
        self._known.pop(target, None)
