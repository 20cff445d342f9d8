"""HTTP/2 on real sockets, frame by frame: h2spec's cases, and what mustn't become another request in HTTP/1.1."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.proxy.h2spec.case import request
from tests.proxy.h2spec.cases import CASES
from tests.proxy.h2spec.frames import DATA, END_HEADERS, END_STREAM, frame
from tests.proxy.h2spec.speaker import Speaker
from tests.proxy.recording import App
from tests.proxy.running import Proxy
from tests.proxy.secure import HTTPS, certify
from tests.proxy.smuggling.http2 import ATTACKS
from tests.proxy.smuggling.readings import chunked_first, length_first, strict
from tests.proxy.upstreams import Upstream

HOST = "victim.example"
SPEC = {each.name: each for each in CASES}
H2_ATTACKS = {each.name: each for each in ATTACKS}


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    running = Proxy(tmp_path_factory.mktemp("state"), *HTTPS)
    certify(running, HOST)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def app(proxy: Proxy) -> Iterator[App]:
    made = App()
    server = Upstream(made)
    proxy.route(server.target, host=HOST, app="victim")
    yield made
    server.stop()


@pytest.mark.parametrize("name", SPEC)
def test_h2spec(proxy: Proxy, app: App, name: str) -> None:
    case = SPEC[name]
    with Speaker(proxy.tls_port, HOST) as speaker:
        speaker.send(case.frames)
        kind, code = speaker.outcome(case.wanted == "response")
    if case.wanted in ("response", "ping"):
        assert (kind, code) == (case.wanted, 200 if case.wanted == "response" else 0)
    elif kind == "response":
        assert (case.wanted, code) == ("stream", 400)
    elif kind != "end":
        assert kind == case.wanted or (kind, case.wanted) == ("connection", "stream")
        assert code in case.codes
    with Speaker(proxy.tls_port, HOST) as speaker:
        speaker.send(request())
        assert speaker.outcome(True) == ("response", 200)


def test_a_preface_that_is_none(proxy: Proxy) -> None:
    with Speaker(proxy.tls_port, HOST, b"INVALID CONNECTION PREFACE\r\n\r\n") as speaker:
        assert speaker.outcome(False)[0] in ("connection", "end")


@pytest.mark.parametrize("name", H2_ATTACKS)
def test_nothing_is_smuggled_out_of_http2(proxy: Proxy, app: App, name: str) -> None:
    attack = H2_ATTACKS[name]
    app.settle()
    app.clear()
    data = request(attack.fields, flags=END_HEADERS)
    data += frame(DATA, 0 if attack.trailers else END_STREAM, 1, attack.body)
    if attack.trailers:
        data += request(list(attack.trailers))
    with Speaker(proxy.tls_port, HOST) as speaker:
        speaker.send(data)
        kind, code = speaker.outcome(attack.whole)
    if attack.whole:
        assert (kind, code) == ("response", 200)
    else:
        assert kind in ("stream", "connection", "end") or code in (400, 501), (kind, code)
    app.settle()
    for raw in app.whole():
        requests = strict(raw).requests
        assert [each.body for each in requests] == ([attack.body] if attack.whole else [])
        assert not any(each.target.endswith(b"/smuggled") for each in requests)
        assert length_first(raw) == chunked_first(raw) == strict(raw)
    assert len(app.whole()) == attack.whole or not attack.whole
