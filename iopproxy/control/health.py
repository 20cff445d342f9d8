"""Health checks: of a target before anything is routed to it, and those of the watch. Only a 2xx is healthy."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as Expired
from twisted.internet.error import ConnectError
from twisted.internet.protocol import connectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from iopproxy.control.dialing import Unverified
from iopproxy.http.addresses import Addresses, split_target
from iopproxy.http.dialing import Dialer, Outgoing
from iopproxy.http.limits import Limits
from iopproxy.http.pool import reason
from iopproxy.http.response import MalformedError, ResponseReader
from iopproxy.reactor import Reactor

__all__ = ["Check", "Checker", "Verdict"]


@frozen
class Check:
    """What to ask and how often. Times are seconds."""

    target: str
    path: str
    host: str
    interval: float
    timeout: float
    attempts: int
    tls: bool = False
    """Whoever it is: this is no question of trust."""


@frozen
class Verdict:
    """Whether a target is healthy, after how many attempts, and what the last one got, for a person."""

    healthy: bool
    attempts: int
    reason: str


@frozen
class Checker:
    """Makes checks, with the same strict reading of responses that the traffic gets."""

    dialer: Dialer
    addresses: Addresses
    clock: Reactor
    limits: Limits

    async def run(self, check: Check) -> Verdict:
        """Try until the first 2xx or the last attempt."""
        said = ""
        for attempt in range(1, check.attempts + 1):
            if attempt > 1:
                await deferLater(self.clock, check.interval)
            healthy, said = await self.attempt(check)
            if healthy:
                return Verdict(True, attempt, said)
        return Verdict(False, check.attempts, said)

    async def attempt(self, check: Check) -> tuple[bool, str]:
        """Whether one attempt got a 2xx, and what it got."""
        asking = Deferred.fromCoroutine(self._ask(check))
        try:
            status = await asking.addTimeout(check.timeout, self.clock)
        except Expired:
            return False, f"no answer within {check.timeout:g} s"
        except MalformedError as error:
            return False, f"no valid answer: {error}"
        except (ConnectError, OSError) as error:
            return False, reason(error, split_target(check.target)[1])
        if status is None:
            return False, "name not known on the network"
        if 200 <= status <= 299:
            return True, f"{status} {HTTPStatus(status).phrase}" if status in _PHRASES else str(status)
        return False, f"answered {status}"

    async def _ask(self, check: Check) -> int | None:
        """The status of one answer, None when the target's name isn't known."""
        name, port = split_target(check.target)
        # Not the last good address: a container that is gone left it to whoever came next.
        address = await self.addresses.ask(name)
        if address is None:
            return None
        tls = Unverified(check.host) if check.tls else None
        probe = _Probe(
            self.limits, tls, f"GET {check.path} HTTP/1.1\r\nHost: {check.host}\r\nUser-Agent: iop\r\n"
        )
        await self.dialer.dial(address, port, probe)
        return await probe.status


_PHRASES = frozenset(status.value for status in HTTPStatus)


class _Probe(Outgoing):
    """One request; ``status`` fires with the status of its response. The body isn't waited for."""

    transport: Any  # Twisted's own, with startTLS

    def __init__(self, limits: Limits, tls: Unverified | None, head: str) -> None:
        super().__init__()
        self._tls = tls
        self._head = head.encode("ascii")
        self._reader = ResponseReader(limits)
        self.status: Deferred[int] = Deferred(lambda _: self.transport.abortConnection())

    def connectionMade(self) -> None:
        super().connectionMade()
        if self._tls is not None:
            self.transport.startTLS(self._tls)
        self.transport.write(self._head + b"Connection: close\r\n\r\n")

    def dataReceived(self, data: bytes) -> None:
        if self.status.called:
            return
        try:
            self._reader.feed(data)
        except MalformedError as error:
            self._end(Failure(error))
        else:
            if self._reader.response is not None:
                self._end(self._reader.response.status)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._end(Failure(MalformedError("it closed the connection")))

    def _end(self, result: int | Failure) -> None:
        if not self.status.called:
            self.status.callback(result)  # a Failure makes it fail
            self.transport.abortConnection()
