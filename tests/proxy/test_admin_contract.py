"""The admin API answers as tests/contract.py says, which iop's own tests read too."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests import contract
from tests.proxy.running import ROOT, Proxy
from tests.proxy.upstreams import Conversation, answer, constant, dead_target
from tests.proxy.wire import Wire

WEB = "/v1/routes/demo/web"


@pytest.fixture
def fresh(start_proxy: Callable[..., Proxy]) -> Proxy:
    return start_proxy()


def test_the_life_of_a_route(fresh: Proxy) -> None:
    assert fresh.api("GET", "/healthz", token="") == (200, contract.HEALTHZ)
    assert fresh.api("GET", "/v1/routes") == (200, {"routes": []})
    assert fresh.api("PUT", WEB, contract.PUT_BODY) == (200, contract.ROUTE)
    assert fresh.api("GET", "/v1/routes") == (200, contract.ROUTES)
    assert fresh.api("GET", "/v1/targets") == (200, contract.TARGETS)
    assert fresh.api("PUT", WEB, contract.PUT_BODY) == (200, contract.ROUTE)  # the same again changes nothing
    assert fresh.api("PUT", WEB, contract.PUT_BODY_GREEN) == (200, contract.ROUTE_GREEN)
    assert fresh.api("PUT", WEB, contract.PUT_BODY_GREEN) == (200, contract.ROUTE_GREEN)
    assert fresh.api("POST", "/v1/drain", contract.DRAIN_BODY) == (200, contract.DRAINED)
    assert fresh.api("POST", f"{WEB}/switch-back") == (200, contract.ROUTE_SWITCHED_BACK)
    assert fresh.api("PUT", "/v1/routes/demo/api", contract.PUT_BODY) == (409, contract.ERROR)
    status, left = fresh.api("DELETE", "/v1/hosts/a.example")
    assert (status, left["routes"][0]["hosts"]) == (200, ["www.a.example"])
    assert fresh.api("DELETE", "/v1/hosts/www.a.example") == (200, {"routes": []})


def test_maintenance_outlives_a_deploy(fresh: Proxy) -> None:
    assert fresh.api("PUT", WEB, contract.PUT_BODY) == (200, contract.ROUTE)
    page = f"{WEB}/maintenance"
    assert fresh.api("PUT", page, contract.MAINTENANCE_BODY) == (200, contract.ROUTE_UNDER_MAINTENANCE)
    assert fresh.api("PUT", WEB, contract.PUT_BODY) == (200, contract.ROUTE_UNDER_MAINTENANCE)
    assert fresh.api("DELETE", page) == (200, contract.ROUTE)
    assert fresh.api("DELETE", page) == (200, contract.ROUTE)
    error(404, fresh.api("PUT", "/v1/routes/demo/nobody/maintenance", contract.MAINTENANCE_BODY))
    for body in (
        *({"page": wrong} for wrong in ("", 1, "x" * 262_145, "\ud800")),
        {},
        {"page": "x", "more": 1},
    ):
        error(400, fresh.api("PUT", page, body))


def error(status: int, answered: tuple[int, Any]) -> str:
    """The sentence of an error of that status."""
    assert answered[0] == status, answered
    assert set(answered[1]) == set(contract.ERROR)
    sentence: str = answered[1]["error"]
    assert sentence.endswith("."), sentence
    return sentence


REFUSED_BODIES: dict[str, tuple[Any, str]] = {
    "not JSON": (b"{", "isn't JSON"),
    "no body": (None, "must be a JSON object"),
    "a list": ([], "must be a JSON object"),
    **{
        f"no {key}": ({k: v for k, v in contract.PUT_BODY.items() if k != key}, f"The key {key} is missing")
        for key in ("hosts", "targets", "color", "release")
    },
    "unknown key": ({**contract.PUT_BODY, "color_": "x"}, "The key color_ is unknown"),
    **{
        f"{key} = {value!r:.60}": ({**contract.PUT_BODY, key: value}, key)
        for key, values in {
            "hosts": (
                [],
                "a.example",
                [1],
                ["a.example", "a.example"],
                ["A.example"],
                ["a.example:80"],
                [""],
            ),
            "targets": (
                [],
                "a:1",
                [1],
                ["a"],
                ["a:0"],
                ["a:65536"],
                ["a:1", "a:1"],
                ["a b:1"],
                ["a:1\n"],
                ["a" * 64 + ":1"],
                ["a..b:1"],
                ["a.:1"],
            ),
            "color": ("", 1, None, "a\nb", "x" * 200),
            "release": ("", 1, None),
            "response_timeout": (0, -1, "30", True, None, 1e9, 10**400, float("nan"), float("inf")),
            "forward_headers": (1, "true", None),
            "ssl_redirect": (1, None),
            "hsts": (-1, 1.5, True, "1", 10**400),
            "max_body": (-1, False),
            "balance": ("", "random", None, 1),
            "health_check": (
                {},
                "/up",
                {"path": "up"},
                {"path": "/up", "interval": 0},
                {"path": "/up", "healthy": 0},
                {"path": "/up", "unhealthy": 1.5},
                {"path": "/up", "retries": 3},
            ),
            "log_query": (1, None),
            "log_headers": (None, "cookie", [1], ["Cookie"], ["a b"], ["a", "a"]),
        }.items()
        for value in values
    },
}


@pytest.mark.parametrize("name", REFUSED_BODIES)
def test_bodies_are_strict(proxy: Proxy, name: str) -> None:
    body, said = REFUSED_BODIES[name]
    assert said in error(400, proxy.api("PUT", "/v1/routes/demo/strict", body))
    listed = proxy.api("GET", "/v1/routes")[1]["routes"]
    assert not [each for each in listed if each["app"] == "strict"]


@pytest.mark.parametrize(
    ("project", "app"), [("Demo", "web"), ("demo", "web_1"), ("-demo", "web"), ("demo", "%2e")]
)
def test_names_are_strict(proxy: Proxy, project: str, app: str) -> None:
    error(400, proxy.api("PUT", f"/v1/routes/{project}/{app}", contract.PUT_BODY))


def test_a_large_body_is_refused(proxy: Proxy) -> None:
    error(413, proxy.api("PUT", "/v1/routes/demo/large", b" " * 1_100_000))


@pytest.mark.parametrize("token", ["", "wrong", "é"])
@pytest.mark.parametrize(
    "call", [("GET", "/v1/routes"), ("PUT", WEB), ("POST", "/v1/drain"), ("GET", "/nowhere")]
)
def test_no_call_without_the_token(proxy: Proxy, call: tuple[str, str], token: str) -> None:
    error(401, proxy.api(*call, contract.PUT_BODY, token=token))


def test_paths_and_methods(proxy: Proxy) -> None:
    error(404, proxy.api("GET", "/v1/nothing"))
    error(405, proxy.api("DELETE", "/v1/routes"))
    error(404, proxy.api("POST", "/v1/routes/demo/nobody/switch-back"))
    error(404, proxy.api("DELETE", "/v1/hosts/nobody.example"))
    proxy.route("127.0.0.1:1", app="first")
    error(409, proxy.api("POST", "/v1/routes/test/first/switch-back"))


def check(proxy: Proxy, target: str, **more: Any) -> dict[str, Any]:
    body = {**contract.CHECK_BODY, "target": target, "interval": 0.05, "timeout": 1, "attempts": 2, **more}
    status, answered = proxy.api("POST", "/v1/check", body)
    assert status == 200, answered
    assert set(answered) == set(contract.HEALTHY)
    return dict(answered)


def test_a_healthy_target(proxy: Proxy, upstream: Any) -> None:
    server = upstream(constant(answer()))
    assert check(proxy, server.target) == contract.HEALTHY
    (seen,) = server.seen
    assert (seen.method, seen.target, seen.get("host")) == ("GET", "/up", "a.example")


def test_a_target_that_becomes_healthy(proxy: Proxy, upstream: Any) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(answer(status="200 OK" if conversation.number == 3 else "503 Service Unavailable"))

    assert check(proxy, upstream(serve).target, attempts=5) == {
        "healthy": True,
        "attempts": 3,
        "reason": "200 OK",
    }


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (answer(status="500 Internal Server Error"), "answered 500"),
        (answer(status="302 Found", extra="Location: /up\r\n"), "answered 302"),
        (b"hello\r\n\r\n", "no valid answer"),
        (b"", "no valid answer: it closed the connection"),
    ],
)
def test_an_unhealthy_target(proxy: Proxy, upstream: Any, response: bytes, reason: str) -> None:
    server = upstream(constant(response) if response else lambda conversation: conversation.head())
    verdict = check(proxy, server.target)
    assert (verdict["healthy"], verdict["attempts"]) == (False, 2)
    assert reason in verdict["reason"]
    assert server.connections == 2


def test_a_target_that_is_not_there(proxy: Proxy) -> None:
    target = dead_target()
    assert check(proxy, target)["reason"] == f"connection refused on port {target.split(':')[1]}"
    assert check(proxy, "nobody.invalid:80", timeout=5)["reason"] == "name not known on the network"


def test_a_target_that_is_silent(proxy: Proxy, upstream: Any) -> None:
    gone = threading.Event()

    def silent(conversation: Conversation) -> None:
        conversation.request()
        try:
            conversation.head()
        except (EOFError, ConnectionResetError):
            gone.set()

    server = upstream(silent)
    assert check(proxy, server.target, timeout=0.2, attempts=1)["reason"] == "no answer within 0.2 s"
    assert gone.wait(10)


@pytest.mark.parametrize(
    "change",
    [
        {"path": "up"},
        {"path": "/a b"},
        {"path": "/\r\nX: y"},
        {"host": "a b"},
        {"host": 1},
        {"attempts": 0},
        {"attempts": 1.5},
        {"attempts": True},
        {"timeout": 0},
        {"interval": -1},
        {"target": "x"},
        {"more": 1},
    ],
)
def test_checks_are_strict(proxy: Proxy, change: dict[str, Any]) -> None:
    error(400, proxy.api("POST", "/v1/check", {**contract.CHECK_BODY, **change}))


def test_a_routed_target_can_not_be_drained(proxy: Proxy) -> None:
    proxy.route("127.0.0.1:2")
    error(409, proxy.api("POST", "/v1/drain", {"targets": ["127.0.0.1:2"], "timeout": 1}))


def test_who_leaves_a_drain_is_not_waited_for(proxy: Proxy, upstream: Any) -> None:
    asked = threading.Event()

    def slow(conversation: Conversation) -> None:
        conversation.request()
        asked.set()
        conversation.head()

    server = upstream(slow)
    host = proxy.route(server.target, app="leaver")
    with Wire(proxy.port) as wire, Wire(proxy.admin_port) as admin:
        wire.send(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert asked.wait(10)
        proxy.route("127.0.0.1:3", host=host, app="leaver")
        token = (proxy.state / "admin.token").read_text().strip()
        body = b'{"targets": ["%b"], "timeout": 60}' % server.target.encode()
        head = f"POST /v1/drain HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        admin.send(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    assert proxy.api("GET", "/healthz", token="")[0] == 200


def client(
    proxy: Proxy, *argv: str, stdin: bytes = b"", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "iopproxy.control.client", *argv],
        input=stdin,
        capture_output=True,
        cwd=ROOT,
        env={
            "IOP_PROXY_STATE": str(proxy.state),
            "IOP_PROXY_ADMIN": f"127.0.0.1:{proxy.admin_port}",
            **environment,
        },
        timeout=20,
        check=False,
    )


def test_the_client(proxy: Proxy) -> None:
    done = client(proxy, "POST", "/v1/drain", stdin=b'{"targets": ["x:1"], "timeout": 1}')
    assert (done.returncode, done.stdout) == (
        0,
        b'{"drained": true, "in_flight": {"x:1": 0}, "tunnels": {"x:1": 0}}\n',
    )
    done = client(proxy, "GET", "/v1/nothing")
    assert (done.returncode, done.stdout) == (1, b'{"error": "There is no such path."}\n')


@pytest.mark.parametrize(
    "environment", [{"IOP_PROXY_ADMIN": "DEAD"}, {"IOP_PROXY_STATE": "/nowhere"}, {"IOP_PROXY_ADMIN": "x"}]
)
def test_the_client_without_a_proxy(proxy: Proxy, environment: dict[str, str]) -> None:
    environment = {key: value.replace("DEAD", dead_target()) for key, value in environment.items()}
    done = client(proxy, "GET", "/healthz", **environment)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.count(b"\n") == 1
    assert b"Traceback" not in done.stderr


def test_the_client_starts_fast() -> None:
    """It is started for every call: nothing of Twisted may come with it."""
    code = "import sys, iopproxy.control.client; print(any('twisted' in each for each in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, check=True, timeout=20)
    assert done.stdout == b"False\n"
