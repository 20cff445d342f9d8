"""The admin API's calls: JSON in, JSON out. docs/proxy.md describes them, tests/contract.py holds both sides to it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from attrs import asdict, frozen

from iopproxy import __version__
from iopproxy.control.certificates import Certificates, NoCertificateError, read_certificate
from iopproxy.control.challenges import Challenges, read_key_authorization
from iopproxy.control.health import Check, Checker
from iopproxy.control.proving import Prover, read_proof
from iopproxy.control.routes import Routes
from iopproxy.control.status import Status
from iopproxy.control.workers import Workers
from iopproxy.link import UnusableError
from iopproxy.routing.hosts import normalise
from iopproxy.routing.state import NoRouteError, RouteError
from iopproxy.routing.values import (
    InvalidError,
    read_page,
    read_path,
    read_seconds,
    read_target,
    read_targets,
    read_threshold,
    require_keys,
)
from iopproxy.routing.wire import read_route, write_route

__all__ = ["Answer", "Api", "Call"]


class NotServingError(Exception):
    """The proxy runs and serves nobody."""


Json = dict[str, Any]
Handler = Callable[..., Awaitable[Json | bytes]]


@frozen
class Call:
    """One request to the API. ``body`` is the decoded JSON, None when there was none."""

    method: str
    path: str
    body: Any = None


@frozen
class Answer:
    """Its response: JSON, or the page for Prometheus."""

    status: int
    body: Json | bytes


class Api:
    """Every call but the check for the token."""

    def __init__(
        self,
        routes: Routes,
        workers: Workers,
        checker: Checker,
        status: Status,
        *,
        prover: Prover,
        certificates: Certificates,
        challenges: Challenges,
    ) -> None:
        self._routes = routes
        self._workers = workers
        self._checker = checker
        self._status = status
        self._prover = prover
        self._certificates = certificates
        self._challenges = challenges
        self._calls: tuple[tuple[str, re.Pattern[str], Handler], ...] = (
            ("GET", re.compile("/healthz"), self._healthz),
            ("GET", re.compile("/v1/routes"), self._list_routes),
            ("PUT", re.compile("/v1/routes/([^/]+)/([^/]+)"), self._put_route),
            ("POST", re.compile("/v1/routes/([^/]+)/([^/]+)/switch-back"), self._switch_back),
            ("POST", re.compile("/v1/routes/([^/]+)/([^/]+)/prove"), self._prove),
            ("PUT", re.compile("/v1/routes/([^/]+)/([^/]+)/maintenance"), self._start_maintenance),
            ("DELETE", re.compile("/v1/routes/([^/]+)/([^/]+)/maintenance"), self._end_maintenance),
            ("DELETE", re.compile("/v1/hosts/([^/]+)"), self._delete_host),
            ("GET", re.compile("/v1/targets"), self._list_targets),
            ("POST", re.compile("/v1/drain"), self._drain),
            ("POST", re.compile("/v1/check"), self._check),
            ("GET", re.compile("/v1/workers"), self._list_workers),
            ("GET", re.compile("/v1/certificates"), self._list_certificates),
            ("PUT", re.compile("/v1/certificates/([^/]+)"), self._put_certificate),
            ("DELETE", re.compile("/v1/certificates/([^/]+)"), self._delete_certificate),
            ("PUT", re.compile("/v1/challenges/([^/]+)"), self._put_challenge),
            ("DELETE", re.compile("/v1/challenges/([^/]+)"), self._delete_challenge),
            ("GET", re.compile("/metrics"), self._metrics),
        )

    async def answer(self, call: Call) -> Answer:
        """Perform one call. What it can't do is in the answer's ``error``, a sentence."""
        found = [(each, match) for each in self._calls if (match := each[1].fullmatch(call.path))]
        if not found:
            return Answer(404, {"error": "There is no such path."})
        for (method, _, handler), match in found:
            if method == call.method:
                try:
                    return Answer(200, await handler(call.body, *match.groups()))
                except InvalidError as error:
                    return Answer(400, {"error": str(error)})
                except (NoRouteError, NoCertificateError) as error:
                    return Answer(404, {"error": str(error)})
                except RouteError as error:
                    return Answer(409, {"error": str(error)})
                except NotServingError as error:
                    return Answer(503, {"error": str(error)})
                except UnusableError:
                    return Answer(
                        500, {"error": "It is saved, but a worker can't apply it; the log says why."}
                    )
                except OSError as error:
                    return Answer(500, {"error": f"It could not be saved, so nothing changed: {error}"})
        return Answer(405, {"error": f"{call.path} takes {found[0][0][0]} only."})

    async def _healthz(self, _body: Any) -> Json:
        if not self._workers.serving:
            raise NotServingError("No worker serves just now.")
        return {"status": "ok", "version": __version__}

    async def _list_routes(self, _body: Any = None) -> Json:
        return {"routes": [write_route(route) for route in self._routes.table.routes]}

    async def _put_route(self, body: Any, project: str, app: str) -> Json:
        return write_route(await self._routes.put(read_route(project, app, body)))

    async def _switch_back(self, _body: Any, project: str, app: str) -> Json:
        return write_route(await self._routes.switch_back(project, app))

    async def _prove(self, body: Any, project: str, app: str) -> Json:
        proof = read_proof(body)
        return asdict(await self._prover.run(self._routes.table.get(project, app), proof))

    async def _start_maintenance(self, body: Any, project: str, app: str) -> Json:
        require_keys(body, frozenset({"page"}))
        return write_route(await self._routes.maintain(project, app, read_page(body["page"])))

    async def _end_maintenance(self, _body: Any, project: str, app: str) -> Json:
        return write_route(await self._routes.maintain(project, app, None))

    async def _delete_host(self, _body: Any, host: str) -> Json:
        name = normalise(host.encode("ascii", "replace"))
        if name is None:
            raise InvalidError("That isn't a host name.")
        await self._routes.delete_host(name)
        return await self._list_routes()

    async def _list_targets(self, _body: Any) -> Json:
        return {"targets": await self._status.targets()}

    async def _metrics(self, _body: Any) -> bytes:
        return await self._status.metrics()

    async def _list_workers(self, _body: Any) -> Json:
        await self._workers.report()
        return {"workers": self._workers.states()}

    async def _drain(self, body: Any) -> Json:
        require_keys(body, frozenset({"targets", "timeout"}))
        targets = sorted(read_targets(body["targets"]))
        timeout = read_seconds(body["timeout"], "timeout")
        if routed := self._routes.table.targets.intersection(targets):
            raise RouteError(f"{min(routed)} is still routed; it would never be idle.")
        left = await self._workers.drain(targets, timeout)
        shown = {what: {target: counts[target] for target in targets} for what, counts in left.items()}
        return {"drained": not left["in_flight"].total(), **shown}

    async def _check(self, body: Any) -> Json:
        return asdict(await self._checker.run(_read_check(body)))

    async def _list_certificates(self, _body: Any) -> Json:
        return self._certificates.listed()

    async def _put_certificate(self, body: Any, name: str) -> Json:
        return await self._certificates.put(name, read_certificate(name, body))

    async def _delete_certificate(self, _body: Any, name: str) -> Json:
        return await self._certificates.delete(name)

    async def _put_challenge(self, body: Any, token: str) -> Json:
        await self._challenges.put(token, read_key_authorization(token, body))
        return {}

    async def _delete_challenge(self, _body: Any, token: str) -> Json:
        await self._challenges.delete(token)
        return {}


def _read_check(body: Any) -> Check:
    require_keys(body, frozenset({"target", "path", "host", "interval", "timeout", "attempts"}))
    host = body["host"]
    if not isinstance(host, str) or normalise(host.encode("ascii", "replace")) is None:
        raise InvalidError("host must be a host name.")
    return Check(
        target=read_target(body["target"]),
        path=read_path(body["path"]),
        host=host,
        interval=read_seconds(body["interval"], "interval"),
        timeout=read_seconds(body["timeout"], "timeout"),
        attempts=read_threshold(body["attempts"], "attempts"),
    )
