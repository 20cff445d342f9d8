"""The proxy's admin API, called on the server. The other side is iopproxy/control; tests/contract.py holds both."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from iop.commands import proxy
from iop.commands.shell import script
from iop.config.project import App, HealthCheck
from iop.connection import Server
from iop.errors import ProxyError
from iop.facts.server import Route
from iop.plan import route

__all__ = ["Answer", "ProxyApi"]


@frozen
class Answer:
    """A health check's outcome. ``reason`` is a sentence for a person."""

    healthy: bool
    attempts: int
    reason: str


class ProxyApi:
    """One server's proxy. Every call is one round trip and raises ProxyError when the proxy refuses."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def put_route(
        self,
        project: str,
        app: App,
        *,
        hosts: Sequence[str],
        targets: Sequence[str],
        color: str,
        release: str,
    ) -> None:
        """Replace an app's route; returns when it is on disk and no new request goes anywhere else."""
        body = {
            "hosts": list(hosts),
            "targets": list(targets),
            "color": color,
            "release": release,
            **route.settings(app),
        }
        self._call("PUT", f"/v1/routes/{project}/{app.name}", body)

    def switch_back(self, project: str, app: str) -> None:
        """The route's previous targets again."""
        self._call("POST", f"/v1/routes/{project}/{app}/switch-back", {})

    def maintain(self, project: str, app: str, page: str) -> None:
        """Every request gets ``page`` (HTML) with 503 until ``end_maintenance``; deploys don't end it."""
        self._call("PUT", f"/v1/routes/{project}/{app}/maintenance", {"page": page})

    def end_maintenance(self, project: str, app: str) -> None:
        """The app again. Does nothing when it wasn't under maintenance."""
        self._call("DELETE", f"/v1/routes/{project}/{app}/maintenance")

    def routes(self) -> tuple[Route, ...]:
        """Every project's routes, as they are in force."""
        return tuple(Route.parse(each) for each in self._call("GET", "/v1/routes")["routes"])

    def delete_host(self, host: str) -> None:
        """Route a host no more; with its last host a route is gone."""
        self._call("DELETE", f"/v1/hosts/{host}")

    def in_flight(self) -> dict[str, int]:
        """Requests in flight by target, for targets that no route names any more."""
        targets = self._call("GET", "/v1/targets")["targets"]
        return {each["target"]: each["in_flight"] for each in targets if not each["routed"]}

    def drain(self, targets: Sequence[str], timeout: float) -> int:
        """Wait up to ``timeout`` seconds for these to be idle; what was still in flight then."""
        answer = self._call("POST", "/v1/drain", {"targets": list(targets), "timeout": timeout})
        return sum(answer["in_flight"].values())

    def check(self, target: str, host: str, check: HealthCheck, attempts: int) -> Answer:
        """Up to ``attempts`` health checks from inside the proxy's network."""
        body = {
            "target": target,
            "host": host,
            "path": check.path,
            "interval": check.interval,
            "timeout": check.timeout,
            "attempts": attempts,
        }
        answer = self._call("POST", "/v1/check", body)
        return Answer(answer["healthy"], answer["attempts"], answer["reason"])

    def prove(self, project: str, app: str, check: HealthCheck, attempts: int) -> Answer:
        """Up to ``attempts`` requests for the health path through the proxy, as the public makes them."""
        body = {
            "path": check.path,
            "interval": check.interval,
            "timeout": check.timeout,
            "attempts": attempts,
        }
        answer = self._call("POST", f"/v1/routes/{project}/{app}/prove", body)
        return Answer(answer["healthy"], answer["attempts"], answer["reason"])

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        what = f"asking the proxy ({method} {path})"
        result = self._server.script(script(proxy.admin(method, path, body)), what, check=False)
        try:
            answer: dict[str, Any] = json.loads(result.stdout)
        except ValueError:
            answer = {}
        if result.exited or not answer:
            said = answer.get("error") or result.stderr.strip() or f"exit status {result.exited}"
            raise ProxyError(
                f"{self._server.original_host}: {what} failed: {said}",
                "see what it says: docker logs iop-proxy",
            )
        return answer
