from __future__ import annotations

import os
import ssl
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from twisted.logger import LogEvent, globalLogPublisher

from iopproxy.tls.contexts import Contexts, server_context
from tests.certificates import Authority, rsa_key
from tests.unit.proxy.handshakes import Refused, client_context, handshake

ISSUED_BY = Authority()
UNRECOGNIZED_NAME = 112
PROTOCOL_VERSION = 70
VERSIONS = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])


@pytest.fixture
def contexts() -> Iterator[Contexts]:
    said: list[LogEvent] = []
    globalLogPublisher.addObserver(said.append)
    yield Contexts(server_context())
    globalLogPublisher.removeObserver(said.append)
    assert not said


def serial(pem: str) -> int:
    return x509.load_pem_x509_certificate(pem[pem.index("-----BEGIN CERT") :].encode()).serial_number


def put(contexts: Contexts, *names: str, key: str = "", **more: Any) -> int:
    """The serial number of a certificate for these names."""
    pem = ISSUED_BY.pem(*names, **more)
    contexts.put(key or names[0], pem)
    return serial(pem)


@VERSIONS
@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("a.example", "exact"),
        ("A.EXAMPLE", "exact"),
        ("a.example.", "exact"),
        ("www.a.example", "exact wins"),
        ("other.a.example", "wildcard"),
        ("x.y.a.example", None),
        ("example", None),
        ("b.example", None),
        ("a.example.b.example", None),
        (None, None),
    ],
)
def test_the_name_decides(
    contexts: Contexts, version: ssl.TLSVersion, asked: str | None, given: str | None
) -> None:
    serials = {
        "wildcard": put(contexts, "*.a.example"),
        "exact": put(contexts, "a.example"),
        "exact wins": put(contexts, "www.a.example"),
    }
    client = client_context(minimum_version=version, maximum_version=version)
    if given is None:
        with pytest.raises(Refused) as refused:
            handshake(contexts.server, asked, client)
        assert refused.value.alert == UNRECOGNIZED_NAME
    else:
        assert handshake(contexts.server, asked, client).serial == serials[given]
    if asked == (asked or "").lower().rstrip("."):
        assert contexts.covers(asked) == (given is not None)


def test_which_of_several(contexts: Contexts) -> None:
    """Valid now, then exact, then the latest end, then ECDSA. Who goes uncovers the next."""
    ends = datetime.now(UTC) + timedelta(days=60)
    best_first = {
        "ecdsa": put(contexts, "a.b.example", key="ecdsa", ends=ends),
        "rsa": put(contexts, "a.b.example", key="rsa", private_key=rsa_key(), ends=ends),
        "shorter": put(contexts, "a.b.example", key="shorter", ends=ends - timedelta(days=1)),
        "wildcard": put(contexts, "*.b.example", key="wildcard", ends=ends + timedelta(days=1)),
        "expired": put(contexts, "a.b.example", key="expired", ends=datetime.now(UTC) - timedelta(hours=1)),
        "expired wildcard": put(contexts, "*.b.example", key="expired wildcard", ends=datetime.now(UTC)),
    }
    for key, serial_number in best_first.items():
        assert handshake(contexts.server, "a.b.example").serial == serial_number, key
        contexts.put(key, None)


def test_a_bad_certificate_changes_nothing(contexts: Contexts) -> None:
    before = put(contexts, "a.example")
    with pytest.raises(Exception, match="private key"):
        contexts.put("a.example", "no certificate")
    assert handshake(contexts.server, "a.example").serial == before


def test_replaced_and_removed(contexts: Contexts) -> None:
    put(contexts, "a.example", "www.a.example")
    old = handshake(contexts.server, "a.example")
    new = put(contexts, "a.example")
    assert handshake(contexts.server, "a.example").serial == new
    assert not contexts.covers("www.a.example")
    contexts.put("a.example", None)
    contexts.put("a.example", None)
    assert not contexts.covers("a.example")
    with pytest.raises(Refused):
        handshake(contexts.server, "a.example")
    # who is connected stays connected
    old.client.write(b"still there")
    assert old.server.read() == b"still there"


@VERSIONS
def test_sessions_are_resumed_across_processes(contexts: Contexts, version: ssl.TLSVersion) -> None:
    """Workers are forked from the process that made the context: a ticket of one is good for all."""
    put(contexts, "a.example")
    client = client_context(minimum_version=version, maximum_version=version)
    session = handshake(contexts.server, "a.example", client).client.session
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # threads of other tests don't matter to the child
        child = os.fork()
    if child == 0:
        try:
            again = handshake(contexts.server, "a.example", client, session)
            os.write(write, b"resumed" if again.resumed else b"not")
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read, "rb") as said:
        assert said.read() == b"resumed"


@VERSIONS
def test_a_new_certificate_ends_no_session(contexts: Contexts, version: ssl.TLSVersion) -> None:
    put(contexts, "a.example")
    client = client_context(minimum_version=version, maximum_version=version)
    session = handshake(contexts.server, "a.example", client).client.session
    put(contexts, "a.example")
    assert handshake(contexts.server, "a.example", client, session).resumed


@VERSIONS
def test_a_session_ends_with_its_certificate(contexts: Contexts, version: ssl.TLSVersion) -> None:
    put(contexts, "a.example")
    client = client_context(minimum_version=version, maximum_version=version)
    session = handshake(contexts.server, "a.example", client).client.session
    contexts.put("a.example", None)
    with pytest.raises(Refused) as refused:
        handshake(contexts.server, "a.example", client, session)
    assert refused.value.alert == UNRECOGNIZED_NAME


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["h2", "http/1.1"], "h2"),
        (["http/1.1", "h2"], "h2"),
        (["http/1.1"], "http/1.1"),
        (["spdy/3"], None),
        ([], None),
    ],
)
def test_protocols(contexts: Contexts, offered: list[str], chosen: str | None) -> None:
    put(contexts, "a.example")
    client = client_context()
    if offered:
        client.set_alpn_protocols(offered)
    assert handshake(contexts.server, "a.example", client).server.selected_alpn_protocol() == chosen


def test_no_old_versions(contexts: Contexts) -> None:
    put(contexts, "a.example")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        client = client_context(minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)
    client.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(Refused) as refused:
        handshake(contexts.server, "a.example", client)
    assert refused.value.alert == PROTOCOL_VERSION


@pytest.mark.parametrize(
    "suites", ["AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA256", "DHE-RSA-AES128-GCM-SHA256"]
)
def test_no_weak_suites(contexts: Contexts, suites: str) -> None:
    """No key exchange without forward secrecy, no CBC."""
    put(contexts, "a.example", private_key=rsa_key())
    client = client_context(maximum_version=ssl.TLSVersion.TLSv1_2)
    client.set_ciphers(suites)
    with pytest.raises(Refused):
        handshake(contexts.server, "a.example", client)


def test_no_renegotiation_and_no_compression(contexts: Contexts) -> None:
    put(contexts, "a.example")
    spoken = handshake(contexts.server, "a.example", client_context(maximum_version=ssl.TLSVersion.TLSv1_2))
    assert spoken.server.compression() is None
    assert contexts.server.options & ssl.OP_NO_RENEGOTIATION


def test_the_key_is_in_no_file_with_a_name(contexts: Contexts, monkeypatch: pytest.MonkeyPatch) -> None:
    """ssl reads keys from files alone; what it is given is memory."""
    links: list[str] = []
    load = ssl.SSLContext.load_cert_chain

    def spy(self: ssl.SSLContext, path: str, **more: Any) -> None:
        links.append(str(Path(path).readlink()))
        load(self, path, **more)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", spy)
    before = len(list(Path("/proc/self/fd").iterdir()))
    put(contexts, "a.example")
    handshake(contexts.server, "a.example")
    assert links == ["/memfd:certificate (deleted)"]
    assert len(list(Path("/proc/self/fd").iterdir())) == before
