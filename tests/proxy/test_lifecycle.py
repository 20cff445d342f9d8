"""Start, stop, and what outlives both."""

from __future__ import annotations

import json
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.proxy.running import ROOT, Proxy, wait_until
from tests.proxy.upstreams import Conversation, answer, constant
from tests.proxy.wire import Truncated, Wire

Start = Callable[..., Proxy]


def test_sigterm_lets_requests_finish(start_proxy: Start, upstream: Any) -> None:
    asked, may_end = threading.Event(), threading.Event()

    def slow(conversation: Conversation) -> None:
        conversation.request()
        asked.set()
        may_end.wait(20)
        conversation.send(answer(b"finished"))

    proxy = start_proxy()
    host = proxy.route(upstream(slow).target)
    with Wire(proxy.port) as busy, Wire(proxy.port) as idle:
        busy.send(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert asked.wait(10)
        proxy.terminate()
        assert idle.closed()
        with pytest.raises(ConnectionRefusedError):
            Wire(proxy.port)
        may_end.set()
        response = busy.response()
        assert (response.body, response.get("connection")) == (b"finished", "close")
        assert busy.closed()
    proxy.wait()


def test_the_drain_timeout_ends_what_does_not_end(start_proxy: Start, upstream: Any) -> None:
    asked = threading.Event()

    def never(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
        asked.set()
        conversation.head()

    proxy = start_proxy("--drain-timeout", "0.5")
    host = proxy.route(upstream(never).target)
    with Wire(proxy.port) as wire:
        wire.send(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert asked.wait(10)
        proxy.terminate()
        with pytest.raises((Truncated, ConnectionResetError)):
            wire.response()
    proxy.wait()
    assert "1 connections didn't end in time" in proxy.log


def test_an_idle_client_may_still_ask_while_the_grace_lasts(start_proxy: Start, upstream: Any) -> None:
    """Its request may be on its way already when the end begins."""
    proxy = start_proxy("--workers", "1", "--limit", "drain_grace_time=5")
    host = proxy.route(upstream(constant(answer())).target)
    with Wire(proxy.port) as wire, Wire(proxy.port) as silent:
        assert wire.get(host).get("connection") is None
        assert silent.get(host).status == 200
        proxy.terminate()
        wait_until(lambda: "draining 2 connections" in proxy.log)
        last = wire.get(host)
        assert (last.status, last.get("connection")) == (200, "close")
        assert wire.closed()
        assert silent.closed()
    proxy.wait()


def test_no_keep_alive_client_fails_on_sigterm(start_proxy: Start, upstream: Any) -> None:
    """Busy clients are told with their last answer; who connected gets one; nobody is reset."""
    proxy = start_proxy()
    host = proxy.route(upstream(constant(answer())).target)
    running = threading.Barrier(9)

    def load() -> int:
        count = 0
        with Wire(proxy.port) as wire:
            while True:
                response = wire.get(host)
                assert response.status == 200
                count += 1
                if count == 20:
                    running.wait(10)
                if response.get("connection") == "close":
                    assert wire.closed()
                    return count

    with ThreadPoolExecutor(8) as pool:
        loads = [pool.submit(load) for _ in range(8)]
        running.wait(10)
        proxy.terminate()
        assert all(each.result(20) >= 20 for each in loads)
    proxy.wait()


def test_waiting_connections_are_accepted_before_the_listener_closes(
    start_proxy: Start, upstream: Any
) -> None:
    """Connections and SIGTERM arrive while the program is stopped, so it finds all of them at once."""
    proxy = start_proxy()
    host = proxy.route(upstream(constant(answer())).target)
    proxy.process.send_signal(signal.SIGSTOP)
    try:
        wires = [Wire(proxy.port) for _ in range(300)]
        for each in wires:
            each.send(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        proxy.terminate()
    finally:
        proxy.process.send_signal(signal.SIGCONT)
    for each in wires:
        assert each.response().status == 200
        each.socket.close()
    proxy.wait()


def test_routes_outlive_a_restart(start_proxy: Start, upstream: Any) -> None:
    first = start_proxy()
    server = upstream(constant(answer()))
    host = first.route(server.target, response_timeout=7, forward_headers=True)
    before = first.api("GET", "/v1/routes")
    first.process.kill()  # nothing is left to be saved at the end
    first.wait()
    second = start_proxy()
    assert second.api("GET", "/v1/routes") == before
    with Wire(second.port) as wire:
        assert wire.get(host).status == 200


def test_files_are_private(start_proxy: Start) -> None:
    proxy = start_proxy()
    proxy.route("127.0.0.1:1")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in proxy.state.iterdir()}
    assert modes == {"admin.token": 0o600, "certs": 0o700, "state.json": 0o600}
    assert stat.S_IMODE(proxy.state.stat().st_mode) == 0o700


def test_the_token_stays(start_proxy: Start) -> None:
    first = start_proxy()
    token = (first.state / "admin.token").read_text()
    first.process.kill()
    first.wait()
    assert (start_proxy().state / "admin.token").read_text() == token


def test_a_damaged_token_is_replaced(start_proxy: Start, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "admin.token").write_bytes(b"\xff\xfe\n")
    proxy = start_proxy()
    assert proxy.api("GET", "/v1/routes") == (200, {"routes": []})
    (aside,) = proxy.state.glob("admin.token.damaged-*")
    assert str(aside) in proxy.log


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"version": 2, "routes": []}',
        b'{"version": 1, "routes": [{}]}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_state_is_set_aside(start_proxy: Start, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "state.json").write_bytes(content)
    proxy = start_proxy()
    (aside,) = proxy.state.glob("state.json.damaged-*")
    assert aside.read_bytes() == content
    assert str(aside) in proxy.log
    assert proxy.api("GET", "/v1/routes") == (200, {"routes": []})
    proxy.route("127.0.0.1:1")
    assert json.loads((proxy.state / "state.json").read_text())["version"] == 1


def test_a_state_that_can_not_be_read_ends_the_start(tmp_path: Path) -> None:
    (tmp_path / "state.json").mkdir()
    argv = [sys.executable, "-m", "twisted", "iopproxy", "--http", "tcp:0", "--admin", "tcp:0"]
    argv += ["--state", str(tmp_path)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert f"iopproxy can't start: Is a directory ({tmp_path}/state.json)." in done.stderr
    assert (tmp_path / "state.json").is_dir()


def test_what_can_not_be_saved_is_not_in_force(start_proxy: Start, upstream: Any) -> None:
    proxy = start_proxy()
    server = upstream(constant(answer()))
    host = proxy.route(server.target, app="kept")
    (proxy.state / "state.json.new").mkdir()  # where the next version of the file would be written
    body = {"hosts": ["other.example"], "targets": [server.target], "color": "green", "release": "r2"}
    status, answered = proxy.api("PUT", "/v1/routes/test/kept", body)
    assert status == 500
    assert "nothing changed" in answered["error"]
    with Wire(proxy.port) as wire:
        assert wire.get("other.example").status == 404
        assert wire.get(host).status == 200


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--http", "80"], "--http: '80' is not tcp:PORT or tcp:PORT:interface=ADDRESS."),
        (["--admin", "tcp:70000"], "--admin: 'tcp:70000' is not tcp:PORT or tcp:PORT:interface=ADDRESS."),
        (["--drain-timeout", "soon"], "--drain-timeout: 'soon' is not a number of seconds."),
        (["--limit", "checks_at_once=0"], "--limit checks_at_once: with 0 nothing would work."),
        (["--state", "/dev/null/x"], "iopproxy can't start: Not a directory"),
        (["--admin", "tcp:BUSY"], "iopproxy can't start: Address already in use"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(tmp_path: Path, options: list[str], said: str) -> None:
    with socket.create_server(("0.0.0.0", 0)) as busy:
        port = str(busy.getsockname()[1])
        argv = [sys.executable, "-m", "twisted", "iopproxy", "--http", "tcp:0", "--admin", "tcp:0"]
        argv += ["--state", str(tmp_path), *(each.replace("BUSY", port) for each in options)]
        done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr
