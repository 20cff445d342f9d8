"""iop's side of the admin API, held to the same data as the proxy's (tests/proxy/test_admin_contract.py)."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from iop.channel import Result
from iop.config.project import App, AppProxy, Build, HealthCheck
from iop.errors import ProxyError
from iop.facts.server import Route
from iop.proxyapi import Answer, ProxyApi
from tests import contract

APP = App("web", "server", Build(Path(), Path("Dockerfile")), "demo/web", proxy=AppProxy(app_port=3000))


class Server:
    """The connection: what was asked, and the answer it was told to give."""

    original_host = "server"

    def __init__(self, answer, exited=0, stderr=""):
        self._result = Result(json.dumps(answer) if answer is not None else "", stderr, exited)
        self.asked = None

    def script(self, text, what, *, check):
        (call,) = (each for each in text.splitlines() if "iopproxy.control.client" in each)
        words = shlex.split(call)
        method, path = words[words.index("iopproxy.control.client") + 1 :][:2]
        body = json.loads(words[2]) if words[:2] == ["printf", "%s"] else None
        self.asked = (method, path, body)
        return self._result


def test_put_a_route():
    server = Server(contract.ROUTE)
    ProxyApi(server).put_route(
        "demo",
        APP,
        hosts=("a.example", "www.a.example"),
        targets=("demo-web-blue:3000",),
        color="blue",
        release="a1b2c3d",
    )
    assert server.asked == ("PUT", "/v1/routes/demo/web", contract.PUT_BODY)


def test_switch_back():
    server = Server(contract.ROUTE_SWITCHED_BACK)
    ProxyApi(server).switch_back("demo", "web")
    assert server.asked[:2] == ("POST", "/v1/routes/demo/web/switch-back")


def test_maintenance():
    server = Server(contract.ROUTE_UNDER_MAINTENANCE)
    ProxyApi(server).maintain("demo", "web", contract.MAINTENANCE_BODY["page"])
    assert server.asked == ("PUT", "/v1/routes/demo/web/maintenance", contract.MAINTENANCE_BODY)
    ProxyApi(server).end_maintenance("demo", "web")
    assert server.asked == ("DELETE", "/v1/routes/demo/web/maintenance", None)


def test_check():
    server = Server(contract.HEALTHY)
    check = HealthCheck(
        path=contract.CHECK_BODY["path"],
        interval=contract.CHECK_BODY["interval"],
        timeout=contract.CHECK_BODY["timeout"],
    )
    target, host, attempts = (contract.CHECK_BODY[key] for key in ("target", "host", "attempts"))
    answer = ProxyApi(server).check(target, host, check, attempts)
    assert server.asked == ("POST", "/v1/check", contract.CHECK_BODY)
    assert answer == Answer(**contract.HEALTHY)


def test_prove():
    server = Server(contract.HEALTHY)
    path, attempts = contract.PROVE_BODY["path"], contract.PROVE_BODY["attempts"]
    answer = ProxyApi(server).prove("demo", "web", HealthCheck(path=path), attempts)
    assert server.asked == ("POST", "/v1/routes/demo/web/prove", contract.PROVE_BODY)
    assert answer == Answer(**contract.HEALTHY)


@pytest.mark.parametrize(("answer", "left"), [(contract.DRAINED, 0), (contract.NOT_DRAINED, 2)])
def test_drain(answer, left):
    server = Server(answer)
    assert ProxyApi(server).drain(contract.DRAIN_BODY["targets"], contract.DRAIN_BODY["timeout"]) == left
    assert server.asked == ("POST", "/v1/drain", contract.DRAIN_BODY)


def test_targets_that_are_routed_are_not_waited_for():
    server = Server(contract.TARGETS)
    assert ProxyApi(server).in_flight() == {}
    assert server.asked == ("GET", "/v1/targets", None)


def test_routes_are_read():
    route = Route.parse(contract.ROUTE_GREEN)
    assert route.previous == ("demo-web-blue:3000",)
    assert list(route.targets) == contract.ROUTE_GREEN["targets"]


@pytest.mark.parametrize(
    ("server", "said"),
    [
        (Server({"error": "a.example belongs to demo/api."}, exited=1), "a.example belongs to demo/api."),
        (Server(None, exited=2, stderr="the admin API can't be reached"), "the admin API can't be reached"),
        (Server(None, exited=1, stderr="No such container: iop-proxy"), "No such container: iop-proxy"),
    ],
)
def test_a_refusal_says_why(server, said):
    with pytest.raises(
        ProxyError, match=r"asking the proxy \(POST /v1/routes/demo/web/switch-back\) failed"
    ) as e:
        ProxyApi(server).switch_back("demo", "web")
    assert said in str(e.value)
