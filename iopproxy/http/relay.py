"""What all exchanges share, and what an exchange asks of its client."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from attrs import define, field

from iopproxy.http.challenges import Challenges
from iopproxy.http.deadlines import Deadlines
from iopproxy.http.headers import Header
from iopproxy.http.ids import RequestIds
from iopproxy.http.journal import Journal
from iopproxy.http.known import Known
from iopproxy.http.limits import Limits
from iopproxy.http.pool import Pool
from iopproxy.http.request import Request
from iopproxy.http.response import Response
from iopproxy.http.tunnels import Tunnels
from iopproxy.routing.balancer import Balancer
from iopproxy.routing.inflight import InFlight
from iopproxy.routing.router import Router

if TYPE_CHECKING:
    from iopproxy.http.tunnel import Tunnel

__all__ = ["Client", "Relay"]


@define(eq=False)
class Relay:
    """One process's data path. ``draining``: the program is about to end, connections shall too."""

    router: Router
    balancer: Balancer
    in_flight: InFlight
    pool: Pool
    deadlines: Deadlines
    limits: Limits
    journal: Journal
    secured: Callable[[str], bool]
    """Whether a certificate covers a host, so that plain HTTP may be redirected."""
    challenges: Challenges = field(factory=Challenges)
    tunnels: Tunnels = field(factory=Tunnels)
    ids: RequestIds = field(factory=RequestIds)
    known: Known[Request] = field(factory=Known)
    soon: Callable[[Callable[[], None]], object] = lambda work: work()
    """Calls something once all that came meanwhile is read; here, at once."""
    draining: bool = False


class Client(Protocol):
    """One request's client, in whatever protocol it speaks. Nothing is called any more after an end or ``abort``."""

    address: bytes
    scheme: bytes
    """b"http" or b"https"."""
    protocol: bytes
    """Its version, like b"HTTP/1.1"."""
    port: int
    """Of ours, that it is connected to."""

    def interim(self, response: Response) -> None:
        """A 1xx response."""

    def respond(
        self, head: Response | None, body: bytes, complete: bool, trailers: Sequence[Header] = ()
    ) -> None:
        """The head (once), a piece of the body (or b""), the end and with it the trailers."""

    def own(self, status: int, headers: Sequence[Header], body: bytes) -> None:
        """A whole response of the proxy's own, instead of any other. ``headers`` have no Content-Length."""

    def switch(self, head: Response, tunnel: Tunnel) -> None:
        """A 101: what follows it goes through the tunnel. Only after a request with an ``upgrade``."""

    def abort(self) -> None:
        """End visibly before the response is complete."""

    def hold_body(self, held: bool) -> None:
        """Read no more of the request's body for now, or read on."""
