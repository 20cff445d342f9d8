"""What arrives on a TLS port that is no clean handshake. Each proxy's log is looked at for tracebacks at its end."""

from __future__ import annotations

import socket
import ssl
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.proxy.running import Proxy, wait_until
from tests.proxy.secure import HTTPS, SecureWire, certify, trusting
from tests.proxy.wire import Wire

HOST = "a.example"


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    limits = ("--limit", "handshake_time=1", "--limit", "connections_per_address=200")
    running = Proxy(tmp_path_factory.mktemp("state"), *HTTPS, *limits)
    certify(running, HOST)
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def served_afterwards(proxy: Proxy) -> Iterator[None]:
    """Whatever was sent, the next client is served, nobody is left over, and nothing went to the log."""
    wait_until(lambda: connections(proxy) == 0)
    before = len(proxy.lines)
    yield
    wait_until(lambda: connections(proxy) == 0)
    with SecureWire(proxy.tls_port, HOST) as wire:
        assert wire.get("unknown.example").status == 404
    assert not [
        line for line in proxy.lines[before:] if "rror" in line or "raceback" in line or "xception" in line
    ]


def connections(proxy: Proxy) -> int:
    return sum(each["connections"] for each in proxy.api("GET", "/v1/workers")[1]["workers"])


def hello(name: str = HOST) -> bytes:
    """A client's first message."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    sent = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname=name).do_handshake()
    return sent.read()


def ask(proxy: Proxy, data: bytes) -> bytes:
    """All that is answered until the connection ends; b"<reset>" for a reset."""
    with socket.create_connection(("127.0.0.1", proxy.tls_port), timeout=20) as connection:
        connection.sendall(data)
        heard = b""
        try:
            while part := connection.recv(65536):
                heard += part
        except ConnectionResetError:
            heard += b"<reset>"
        return heard


def test_plain_http_is_told_so(proxy: Proxy) -> None:
    with Wire(proxy.tls_port) as wire:
        response = wire.get(HOST)
        assert response.status == 400
        assert b"https://" in response.body
        assert wire.rest() == b""


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.2p1\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        bytes(1000),
        b"\xff" * 100000,
        b"\x16\x03\x01\xff\xff" + bytes(70000),
        b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00",
        b"\x15\x03\x01\x00\x02\x02\x28",
        b"\x80\x2e\x01\x00\x02" + bytes(44),
    ],
    ids=["SSH", "HTTP/2", "zeros", "ones", "a huge record", "a short hello", "an alert", "SSL 2"],
)
def test_garbage(proxy: Proxy, data: bytes) -> None:
    assert not ask(proxy, data).startswith(b"\x16")


def test_a_name_that_is_not_ascii(proxy: Proxy) -> None:
    """ssl prints a traceback for each unless it is told not to."""
    assert ask(proxy, hello("b.example").replace(b"b.example", b"\xe9.example"))[:1] == b"\x15"


def test_a_name_with_a_zero_in_it(proxy: Proxy) -> None:
    assert ask(proxy, hello("b.example").replace(b"b.example", b"a\0example"))[:1] == b"\x15"


@pytest.mark.parametrize("size", [0, 1, 5, 50, 100000])
@pytest.mark.parametrize("rudely", [False, True])
def test_clients_that_leave_in_the_middle(proxy: Proxy, size: int, rudely: bool) -> None:
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", proxy.tls_port), timeout=20) as connection:
            connection.sendall(hello()[:size])
            if size > 1000:
                assert connection.recv(1) == b"\x16"  # the server's part came
            if rudely:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_clients_that_never_finish(proxy: Proxy) -> None:
    """They are closed after their time, and meanwhile others are served."""
    started = time.monotonic()
    silent = [socket.create_connection(("127.0.0.1", proxy.tls_port), timeout=20) for _ in range(150)]
    for number, each in enumerate(silent):
        each.sendall(hello()[: number * 7 % 600])
    with SecureWire(proxy.tls_port, HOST) as wire:
        assert wire.get("unknown.example").status == 404
    for each in silent:
        with each:
            try:
                while each.recv(65536):
                    pass
            except ConnectionResetError:
                pass
    assert time.monotonic() - started >= 1


def test_one_byte_at_a_time_prolongs_nothing(proxy: Proxy) -> None:
    with (
        socket.create_connection(("127.0.0.1", proxy.tls_port), timeout=20) as connection,
        pytest.raises(ConnectionError),
    ):
        for byte in hello() + bytes(10000):
            connection.sendall(bytes([byte]))
            time.sleep(0.05)


def test_one_address_has_no_more_than_its_share(proxy: Proxy) -> None:
    """The cap counts from the accept on, not from a handshake's end. Each worker has its own."""
    opened = [socket.create_connection(("127.0.0.1", proxy.tls_port), timeout=20) for _ in range(600)]
    try:
        wait_until(lambda: 200 <= connections(proxy) <= 400)
    finally:
        for each in opened:
            each.close()


def test_handshakes_that_fail_are_many(proxy: Proxy) -> None:
    refused = hello("other.example")
    for _ in range(200):
        answer = ask(proxy, refused)
        assert answer == b"\x15\x03\x03\x00\x02\x02\x70"  # fatal, unrecognized_name


def test_key_updates_without_end(proxy: Proxy) -> None:
    """Each costs us a key and an answer (RFC 8446 section 4.6.3). Who asks for thousands is cut off."""
    argv = ["openssl", "s_client", "-connect", f"127.0.0.1:{proxy.tls_port}", "-servername", HOST, "-tls1_3"]
    client = subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert client.stdin is not None
    assert client.stderr is not None
    sent = 0
    with client, suppress(BrokenPipeError):
        while sent < 100_000:  # where there is little time, openssl makes one of several
            client.stdin.write("K\n")
            client.stdin.flush()
            while (said := client.stderr.readline()) not in ("", "KEYUPDATE\n"):
                pass
            if not said:
                break
            sent += 1
    assert 500 < sent < 100_000


def test_a_client_that_rejects_the_certificate(proxy: Proxy) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        SecureWire(proxy.tls_port, HOST, ssl.create_default_context())


def test_renegotiation_is_refused(proxy: Proxy) -> None:
    """TLS 1.2 lets a client ask for another handshake at any time; each would cost us a signature."""
    argv = ["openssl", "s_client", "-connect", f"127.0.0.1:{proxy.tls_port}", "-servername", HOST, "-tls1_2"]
    ran = subprocess.run(argv, input="R\n", capture_output=True, text=True, timeout=60, check=False)
    assert "no renegotiation" in ran.stdout + ran.stderr


def test_a_goodbye_in_the_middle_of_a_request(proxy: Proxy) -> None:
    with SecureWire(proxy.tls_port, HOST, trusting(ssl.TLSVersion.TLSv1_3)) as wire:
        wire.send(b"GET / HT")
        plain = wire.socket.unwrap()  # it is answered with the proxy's own
        plain.close()
