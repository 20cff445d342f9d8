"""Asking for an app as the public does: through the proxy's own front door."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import frozen

from iopproxy.control.health import Check, Checker, Verdict
from iopproxy.routing.state import Route
from iopproxy.routing.values import read_path, read_seconds, read_threshold, require_keys

__all__ = ["Proof", "Prover", "read_proof"]


@frozen
class Proof:
    """What to ask for and how often. Times are seconds."""

    path: str
    interval: float
    timeout: float
    attempts: int


def read_proof(body: Any) -> Proof:
    """The body of the admin call. Raises InvalidError."""
    require_keys(body, frozenset({"path", "interval", "timeout", "attempts"}))
    return Proof(
        path=read_path(body["path"]),
        interval=read_seconds(body["interval"], "interval"),
        timeout=read_seconds(body["timeout"], "timeout"),
        attempts=read_threshold(body["attempts"], "attempts"),
    )


@frozen
class Prover:
    """Knows where the workers listen: ``http`` and ``https`` are ``address:port``.

    ``secured``: whether there is a certificate for a host.
    """

    checker: Checker
    http: str
    https: str | None
    secured: Callable[[str], bool]

    async def run(self, route: Route, proof: Proof) -> Verdict:
        """Ask for the route's first host, over TLS where plain HTTP is redirected there."""
        if route.maintenance is not None:
            return Verdict(True, 0, "under maintenance, so it was not asked")
        host = route.hosts[0]
        door, tls = self.http, False
        if self.https is not None and route.settings.ssl_redirect and self.secured(host):
            door, tls = self.https, True
        return await self.checker.run(
            Check(door, proof.path, host, proof.interval, proof.timeout, proof.attempts, tls)
        )
