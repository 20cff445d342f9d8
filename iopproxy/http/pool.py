"""Connections to targets, kept for the next request."""

from __future__ import annotations

from collections.abc import Callable, Container

from twisted.internet.error import ConnectError, ConnectionRefusedError, TimeoutError

from iopproxy.http.addresses import Addresses, split_target
from iopproxy.http.deadlines import NEVER, Deadlines
from iopproxy.http.dialing import Dialer
from iopproxy.http.limits import Limits
from iopproxy.http.upstream import UpstreamConnection

__all__ = ["Pool", "UnreachableError"]


class UnreachableError(Exception):
    """No connection to a target could be made. The text says why, without naming the target."""


class Pool:
    """Idle connections by target, the last used first. ``wanted()`` says which targets may have any."""

    def __init__(
        self,
        dialer: Dialer,
        addresses: Addresses,
        deadlines: Deadlines,
        wanted: Callable[[], Container[str]],
        limits: Limits,
    ) -> None:
        self._dialer = dialer
        self._addresses = addresses
        self._deadlines = deadlines
        self._wanted = wanted
        self._limits = limits
        self._idle: dict[str, list[UpstreamConnection]] = {}

    def take(self, target: str, young: bool) -> UpstreamConnection | None:
        """An idle connection, if there is one; with ``young`` only one that surely isn't being closed just now."""
        idle = self._idle.get(target)
        if not idle or (young and self._deadlines.now - idle[-1].rested_at > self._limits.pool_young_time):
            return None
        connection = idle.pop()
        connection.deadline = NEVER
        return connection

    async def connect(self, target: str) -> UpstreamConnection:
        """A new connection, to the last good address first. Raises UnreachableError."""
        name, port = split_target(target)
        address = self._addresses.known(name)
        why = "its name isn't known on the network"
        for _ in range(2):
            if address is not None:
                connection = UpstreamConnection(target, self._rest, self._forget, self._limits)
                try:
                    await self._dialer.dial(address, port, connection)
                except (ConnectError, OSError) as error:
                    why = reason(error, port)
                else:
                    self._deadlines.add(connection)
                    return connection
            tried, address = address, await self._addresses.resolve(name)
            if address == tried:
                break
        raise UnreachableError(why)

    def keep_only_wanted(self) -> None:
        """Close the idle connections to targets that no route leads to."""
        wanted = self._wanted()
        for target in [each for each in self._idle if each not in wanted]:
            self._close(target)

    def _close(self, target: str) -> None:
        for connection in self._idle.pop(target, []):
            connection.drop()

    def _rest(self, connection: UpstreamConnection) -> None:
        idle = self._idle.setdefault(connection.target, [])
        if len(idle) >= self._limits.pool_size or connection.target not in self._wanted():
            connection.drop()
            return
        connection.rested_at = self._deadlines.now
        connection.deadline = self._deadlines.after(self._limits.pool_idle_time)
        idle.append(connection)

    def _forget(self, connection: UpstreamConnection) -> None:
        self._deadlines.discard(connection)
        idle = self._idle.get(connection.target, [])
        if connection in idle:
            idle.remove(connection)


def reason(error: Exception, port: int) -> str:
    """Why a connection failed, as a person would say it."""
    if isinstance(error, ConnectionRefusedError):
        return f"connection refused on port {port}"
    if isinstance(error, TimeoutError):
        return f"no connection on port {port} in time"
    return f"no way to port {port} ({error})"
