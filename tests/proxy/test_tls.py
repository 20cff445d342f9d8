"""HTTPS: who gets which certificate, what is negotiated, and that a change cuts nobody."""

from __future__ import annotations

import json
import os
import re
import signal
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from tests.proxy.running import Proxy, wait_until
from tests.proxy.secure import HTTPS, SecureWire, certify, trusting
from tests.proxy.upstreams import Conversation, Handler, Upstream, answer, constant, dead_target, echo
from tests.proxy.wire import Truncated, Wire

VERSIONS = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
Start = Callable[[Handler], Upstream]


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    running = Proxy(tmp_path_factory.mktemp("state"), *HTTPS)
    yield running
    running.stop()


def serial(wire: SecureWire) -> int:
    shown = wire.socket.getpeercert(binary_form=True)
    assert shown is not None
    return x509.load_der_x509_certificate(shown).serial_number


@VERSIONS
def test_an_app_over_https(proxy: Proxy, upstream: Start, version: ssl.TLSVersion) -> None:
    host = proxy.route(upstream(echo).target)
    certify(proxy, host)
    with SecureWire(proxy.tls_port, host, trusting(version)) as wire:
        for _ in range(2):
            wire.send(
                f"POST /x HTTP/1.1\r\nHost: {host}\r\nContent-Length: 100000\r\n\r\n".encode() + b"b" * 100000
            )
            response = wire.response()
            assert response.status == 200
            seen = json.loads(response.body)
            assert seen["body"] == "b" * 100000
            told = {name.lower(): value for name, value in seen["headers"]}
            assert told["x-forwarded-proto"] == "https"
            assert told["x-forwarded-port"] == str(proxy.tls_port)
        assert wire.socket.version() == version.name.replace("_", ".")


@pytest.mark.parametrize(
    ("offered", "chosen"), [(("h2", "http/1.1"), "h2"), (("http/1.1",), "http/1.1"), (("spdy/3",), None)]
)
def test_the_protocol_is_negotiated(proxy: Proxy, offered: tuple[str, ...], chosen: str | None) -> None:
    certify(proxy, "alpn.example")
    with SecureWire(proxy.tls_port, "alpn.example", trusting(alpn=offered)) as wire:
        assert wire.socket.selected_alpn_protocol() == chosen


def s_client(proxy: Proxy, *options: str, said: str = "") -> str:
    """What Debian's openssl has to say of a connection; it exits with 1 when the handshake fails."""
    argv = ["openssl", "s_client", "-connect", f"127.0.0.1:{proxy.tls_port}", *options]
    ran = subprocess.run(argv, input=said, capture_output=True, text=True, timeout=60, check=False)
    return ran.stdout + ran.stderr


def test_which_name_gets_which(proxy: Proxy) -> None:
    certify(proxy, "*.names.example")
    certify(proxy, "a.names.example")
    for asked in ("a.names.example", "b.names.example"):
        with SecureWire(proxy.tls_port, asked):
            pass  # it checked the name
    for name in ("names.example", "x.b.names.example", "other.example"):
        with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
            SecureWire(proxy.tls_port, name)
    assert "unrecognized name" in s_client(proxy, "-servername", "other.example")
    assert "unrecognized name" in s_client(proxy, "-noservername")


@pytest.mark.parametrize("old", ["-tls1", "-tls1_1"])
def test_old_versions_are_refused(proxy: Proxy, old: str) -> None:
    certify(proxy, "old.example")
    said = s_client(proxy, old, "-servername", "old.example", "-cipher", "ALL:@SECLEVEL=0")
    assert "alert protocol version" in said
    assert "Verification" not in said or "no peer certificate" in said


@VERSIONS
def test_sessions_are_resumed_with_every_worker(proxy: Proxy, version: ssl.TLSVersion) -> None:
    """Which worker takes a connection depends on its port: thirty are never all with the one that gave the ticket."""
    certify(proxy, "resumed.example")
    context = trusting(version)
    with SecureWire(proxy.tls_port, "resumed.example", context) as wire:
        wire.get("unknown.example")  # in TLS 1.3 the ticket comes with the first answer
        session = wire.socket.session
    for _ in range(30):
        with SecureWire(proxy.tls_port, "resumed.example", context, session) as wire:
            assert wire.socket.session_reused
            assert wire.get("unknown.example").status == 404


def test_certificates_change_under_load(proxy: Proxy, upstream: Start) -> None:
    """Open connections stay, new ones get the new certificate once the PUT is answered, and nobody fails."""
    host = proxy.route(upstream(constant(answer(b"x" * 3000))).target)
    certify(proxy, host)
    over = threading.Event()
    failures: list[BaseException] = []
    done = [0, 0]

    def keep() -> None:
        with SecureWire(proxy.tls_port, host) as wire:
            while not over.is_set():
                assert wire.get(host).status == 200
                done[0] += 1

    def renew() -> None:
        context = trusting()
        while not over.is_set():
            with SecureWire(proxy.tls_port, host, context) as wire:
                assert wire.get(host).status == 200
                done[1] += 1

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    clients = [threading.Thread(target=run, args=(work,)) for work in (keep, keep, renew, renew)]
    for each in clients:
        each.start()
    for _ in range(25):
        expected = certify(proxy, host)
        for _ in range(4):
            with SecureWire(proxy.tls_port, host) as wire:
                shown = x509.load_pem_x509_certificate(
                    re.sub(r"(?s)^.*?(?=-----BEGIN CERT)", "", Path(expected["file"]).read_text()).encode()
                )
                assert serial(wire) == shown.serial_number
    over.set()
    for each in clients:
        each.join(30)
    assert not failures
    assert min(done) > 0


def test_a_certificate_that_is_removed(proxy: Proxy) -> None:
    certify(proxy, "removed.example")
    SecureWire(proxy.tls_port, "removed.example").socket.close()
    status, left = proxy.api("DELETE", "/v1/certificates/removed.example")
    assert status == 200
    assert "removed.example" not in [each["name"] for each in left["certificates"]]
    with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
        SecureWire(proxy.tls_port, "removed.example")


def test_a_worker_that_dies_leaves_the_certificates(start_proxy: Callable[..., Proxy]) -> None:
    proxy = start_proxy(*HTTPS)
    certify(proxy, "a.example")
    context = trusting()
    with SecureWire(proxy.tls_port, "a.example", context) as wire:
        wire.get("unknown.example")
        session = wire.socket.session
    before = proxy.workers
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(set(proxy.workers) - set(before)) == len(before))
    for _ in range(10):
        with SecureWire(proxy.tls_port, "a.example", context, session) as wire:
            assert wire.socket.session_reused


def test_certificates_outlive_a_restart(start_proxy: Callable[..., Proxy]) -> None:
    """A damaged one is set aside and takes none of the others with it."""
    proxy = start_proxy(*HTTPS)
    damaged, good = certify(proxy, "damaged.example"), certify(proxy, "good.example")
    file = Path(damaged["file"])
    assert file.stat().st_mode & 0o777 == 0o600
    key = file.read_text().splitlines()[1]
    file.write_text(file.read_text()[:300])
    proxy.terminate()
    proxy.wait()
    assert key not in proxy.log
    again = start_proxy(*HTTPS)
    assert again.api("GET", "/v1/certificates") == (200, {"certificates": [good]})
    SecureWire(again.tls_port, "good.example").socket.close()
    with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
        SecureWire(again.tls_port, "damaged.example")
    assert "damaged.example.pem can't be used" in again.log
    assert key not in again.log
    assert len(list(file.parent.glob("damaged.example.pem.damaged-*"))) == 1


def test_a_connection_that_says_nothing_does_not_hold_up_the_end(start_proxy: Callable[..., Proxy]) -> None:
    proxy = start_proxy(*HTTPS, "--limit", "handshake_time=600", "--drain-timeout", "600")
    certify(proxy, "a.example")
    with Wire(proxy.tls_port) as silent, SecureWire(proxy.tls_port, "a.example") as idle:
        proxy.terminate()
        assert silent.rest() == b""
        assert idle.rest() == b""
        proxy.wait()


def redirected(proxy: Proxy, host: str, method: str, body: str = "") -> tuple[int, str | None]:
    with Wire(proxy.port) as wire:
        head = f"{method} /path?query=1 HTTP/1.1\r\nHost: {host}:8080\r\nContent-Length: {len(body)}\r\n\r\n"
        wire.send(f"{head}{body}".encode())
        response = wire.response(method)
        return response.status, response.get("location")


def test_plain_http_is_redirected_once_there_is_a_certificate(proxy: Proxy, upstream: Start) -> None:
    host = proxy.route(upstream(constant(answer())).target, ssl_redirect=True, hsts=5184000)
    with Wire(proxy.port) as wire:
        response = wire.get(host)
        assert response.status == 200
        assert response.get("strict-transport-security") is None
    certify(proxy, host)
    location = f"https://{host}/path?query=1"
    for method, body, status in (
        ("GET", "", 301),
        ("HEAD", "", 301),
        ("POST", "body", 308),
        ("PUT", "", 308),
        ("DELETE", "", 308),
    ):
        assert redirected(proxy, host, method, body) == (status, location), method
    with Wire(proxy.port) as wire:
        assert wire.get(host).get("strict-transport-security") is None  # RFC 6797 section 7.2
    with SecureWire(proxy.tls_port, host) as wire:
        response = wire.get(host)
        assert response.status == 200
        assert response.all("strict-transport-security") == ["max-age=5184000"]
    proxy.api("DELETE", f"/v1/certificates/{host}")
    assert redirected(proxy, host, "GET") == (200, None)


def test_a_wildcard_is_enough_to_be_redirected(proxy: Proxy, upstream: Start) -> None:
    host = proxy.route(upstream(constant(answer())).target, host="app.wild.example", ssl_redirect=True)
    certify(proxy, "*.wild.example")
    assert redirected(proxy, host, "GET")[0] == 301


def test_who_does_not_want_to_be_redirected_is_not(proxy: Proxy, upstream: Start) -> None:
    host = proxy.route(upstream(constant(answer())).target)
    certify(proxy, host)
    assert redirected(proxy, host, "GET") == (200, None)
    with SecureWire(proxy.tls_port, host) as wire:
        assert wire.get(host).get("strict-transport-security") is None


def test_who_is_believed_to_have_spoken_https_is_not_redirected(proxy: Proxy, upstream: Start) -> None:
    """A proxy in front would be redirected for ever."""
    target = upstream(constant(answer())).target
    for believed, said, status in ((True, "https", 200), (True, "http", 301), (False, "https", 301)):
        host = proxy.route(target, ssl_redirect=True, forward_headers=believed)
        certify(proxy, host)
        with Wire(proxy.port) as wire:
            assert wire.get(host, extra=f"X-Forwarded-Proto: {said}\r\n").status == status


def test_hsts_is_on_our_own_pages_and_the_apps_own_is_left(proxy: Proxy, upstream: Start) -> None:
    own = constant(answer(extra="Strict-Transport-Security: max-age=1\r\n"))
    for target, status, said in (
        (dead_target(), 502, "max-age=300"),
        (upstream(own).target, 200, "max-age=1"),
    ):
        host = proxy.route(target, hsts=300)
        certify(proxy, host)
        with SecureWire(proxy.tls_port, host) as wire:
            response = wire.get(host)
            assert (response.status, response.all("strict-transport-security")) == (status, [said])


def test_a_response_that_is_cut_looks_cut(proxy: Proxy, upstream: Start) -> None:
    def half(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")

    host = proxy.route(upstream(half).target)
    certify(proxy, host)
    with SecureWire(proxy.tls_port, host) as wire, suppress(Truncated, ssl.SSLError, OSError):
        wire.get(host)
        pytest.fail("it looked complete")


def test_a_large_response_and_a_client_that_is_slow(proxy: Proxy, upstream: Start) -> None:
    size = 20_000_000
    host = proxy.route(upstream(constant(answer(b"x" * size))).target)
    certify(proxy, host)
    with SecureWire(proxy.tls_port, host) as wire:
        wire.send(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        head = wire.head()
        assert head.get("content-length") == str(size)
        before = proxy.rss
        assert wire.exactly(size) == b"x" * size
        assert proxy.rss - before < 10_000_000
        assert wire.get(host).status == 200


def test_the_challenges_of_certificate_authorities(proxy: Proxy, upstream: Start) -> None:
    token, thumbprint = (
        "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0",
        "9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI",
    )
    path, expected = f"/.well-known/acme-challenge/{token}", f"{token}.{thumbprint}".encode()
    app = upstream(constant(answer(b"the app's own")))
    host = proxy.route(app.target, ssl_redirect=True)
    certify(proxy, host)

    def ask(name: str) -> tuple[int, bytes]:
        with Wire(proxy.port) as wire:
            response = wire.get(name, path)
            return response.status, response.body

    assert ask(host)[0] == 301
    assert ask("no.app.example")[0] == 404
    body = {"key_authorization": expected.decode()}
    assert proxy.api("PUT", f"/v1/challenges/{token}", body) == (200, {})
    for _ in range(8):  # every worker
        assert ask(host) == (200, expected)
        assert ask("no.app.example") == (200, expected)
    plain = proxy.route(app.target)
    proxy.api("PUT", f"/v1/routes/test/{_app(proxy, plain)}/maintenance", {"page": "away"})
    assert ask(plain) == (200, expected)
    with SecureWire(
        proxy.tls_port, host
    ) as wire:  # the question comes over plain HTTP (RFC 8555 section 8.3)
        assert wire.get(host, path).body == b"the app's own"
    assert proxy.api("DELETE", f"/v1/challenges/{token}") == (200, {})
    assert ask(host)[0] == 301
    proxy.api("DELETE", f"/v1/routes/test/{_app(proxy, plain)}/maintenance")
    assert ask(plain) == (200, b"the app's own")


def _app(proxy: Proxy, host: str) -> str:
    routes: list[dict[str, Any]] = proxy.api("GET", "/v1/routes")[1]["routes"]
    (app,) = [each["app"] for each in routes if host in each["hosts"]]
    return str(app)


def test_handshakes_are_counted(proxy: Proxy) -> None:
    """By version, and by reason when they fail."""
    certify(proxy, "counted.example")

    def counted(result: str, detail: str) -> float:
        return proxy.metric("iop_proxy_tls_handshakes_total", result=result, detail=detail)

    done, failed = counted("ok", "TLSv1.3"), counted("failed", "unknown name")
    SecureWire(proxy.tls_port, "counted.example").socket.close()
    with pytest.raises(ssl.SSLError):
        SecureWire(proxy.tls_port, "not.counted.example")
    wait_until(lambda: counted("ok", "TLSv1.3") == done + 1)
    wait_until(lambda: counted("failed", "unknown name") == failed + 1)
