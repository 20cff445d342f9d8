"""An app asked for as the public does: past redirects and pages of ours, through the front door."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests import contract
from tests.proxy.running import Proxy
from tests.proxy.secure import HTTPS, certify
from tests.proxy.upstreams import Handler, Upstream, answer, constant

Start = Callable[[Handler], Upstream]


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    running = Proxy(tmp_path_factory.mktemp("state"), *HTTPS)
    yield running
    running.stop()


def prove(proxy: Proxy, app: str, **more: Any) -> Any:
    body = {**contract.PROVE_BODY, "interval": 0.01, **more}
    status, verdict = proxy.api("POST", f"/v1/routes/test/{app}/prove", body)
    assert status == 200, verdict
    return verdict


def test_over_plain_http(proxy: Proxy, upstream: Start) -> None:
    server = upstream(constant(answer()))
    proxy.route(server.target, app="plain")
    assert prove(proxy, "plain") == contract.HEALTHY
    assert server.seen[-1].target == contract.PROVE_BODY["path"]
    assert server.seen[-1].get("x-forwarded-proto") == "http"


def test_an_app_that_fails(proxy: Proxy, upstream: Start) -> None:
    proxy.route(upstream(constant(answer(status="500 No"))).target, app="sick")
    assert prove(proxy, "sick", attempts=2) == {"healthy": False, "attempts": 2, "reason": "answered 500"}


def test_over_tls_where_plain_http_is_redirected(proxy: Proxy, upstream: Start) -> None:
    server = upstream(constant(answer()))
    host = proxy.route(server.target, app="redirected", ssl_redirect=True)
    certify(proxy, host)
    assert prove(proxy, "redirected") == contract.HEALTHY
    assert server.seen[-1].get("x-forwarded-proto") == "https"


def test_under_maintenance_nobody_is_asked(proxy: Proxy, upstream: Start) -> None:
    server = upstream(constant(answer()))
    proxy.route(server.target, app="closed")
    assert proxy.api("PUT", "/v1/routes/test/closed/maintenance", contract.MAINTENANCE_BODY)[0] == 200
    verdict = prove(proxy, "closed")
    assert (verdict["healthy"], verdict["attempts"]) == (True, 0)
    assert not server.seen


def test_what_cannot_be_asked(proxy: Proxy) -> None:
    assert proxy.api("POST", "/v1/routes/test/nobody/prove", contract.PROVE_BODY)[0] == 404
    for key, wrong in {"path": "up", "interval": 0, "timeout": "1", "attempts": 0}.items():
        status, said = proxy.api("POST", "/v1/routes/test/nobody/prove", {**contract.PROVE_BODY, key: wrong})
        assert (status, key in said["error"]) == (400, True)
