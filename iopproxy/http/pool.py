"""Connections to targets, kept for the next request."""

from __future__ import annotations

import errno
from collections.abc import Callable, Container
from typing import Final

from twisted.internet.error import ConnectError, ConnectionRefusedError, TimeoutError

from iopproxy.http.addresses import Addresses, split_target
from iopproxy.http.deadlines import NEVER, Deadlines
from iopproxy.http.dialing import Dialer
from iopproxy.http.known import Known
from iopproxy.http.limits import Limits
from iopproxy.http.response import Response
from iopproxy.http.upstream import UpstreamConnection

__all__ = ["NoRoomError", "Pool", "UnreachableError"]

_NO_ROOM: Final = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL))
"""No descriptors, no memory, no port of ours left."""


class UnreachableError(Exception):
    """No connection to a target could be made. The text says why, without naming the target."""


class NoRoomError(UnreachableError):
    """It wasn't even tried, as this process or its system has no room for another one: no fault of the target's."""


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
        self._known: Known[Response] = Known()
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
        """A new connection; where its address fails, to the one that its name has by now. Raises UnreachableError."""
        port = split_target(target)[1]
        why = "its name isn't known on the network"
        tried = None
        address = await self._addresses.find(target)
        for _ in range(2):
            if address is None or address == tried:
                break
            connection = UpstreamConnection(target, self._rest, self._leave, self._limits, self._known)
            try:
                await self._dialer.dial(address, port, connection)
            except (ConnectError, OSError) as error:
                if (getattr(error, "osError", None) or getattr(error, "errno", None)) in _NO_ROOM:
                    raise NoRoomError(str(error)) from error
                why = reason(error, port)
                tried, address = address, await self._addresses.again(target)
            else:
                self._deadlines.add(connection)
                return connection
        raise UnreachableError(why)

    def forget(self, target: str) -> None:
        """Close the idle connections to a target that no route leads to any more."""
        for connection in self._idle.pop(target, []):
            connection.drop()

    def _rest(self, connection: UpstreamConnection) -> None:
        if connection.target not in self._wanted():
            connection.drop()
            return
        idle = self._idle.setdefault(connection.target, [])
        if len(idle) >= self._limits.pool_size:
            connection.drop()
            return
        connection.rested_at = self._deadlines.now
        connection.deadline = self._deadlines.after(self._limits.pool_idle_time)
        idle.append(connection)

    def _leave(self, connection: UpstreamConnection) -> None:
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
