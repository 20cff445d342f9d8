"""HTTP/2 with clients that others wrote."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.proxy.running import Proxy
from tests.proxy.secure import AUTHORITY, HTTPS, certify
from tests.proxy.upstreams import Handler, Upstream, answer, constant, echo

Start = Callable[[Handler], Upstream]


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    running = Proxy(tmp_path_factory.mktemp("state"), *HTTPS)
    yield running
    running.stop()


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    path = tmp_path / "root.pem"
    path.write_text(AUTHORITY.root)
    return path


def installed(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} isn't installed")


@installed("curl")
def test_curl(proxy: Proxy, upstream: Start, authority: Path) -> None:
    host = proxy.route(upstream(echo).target)
    certify(proxy, host)
    argv = ["curl", "-sS", "--http2", "--cacert", str(authority), "-w", "%{http_version} %{http_code}"]
    argv += ["--resolve", f"{host}:{proxy.tls_port}:127.0.0.1", "--data-binary", "@-"]
    done = subprocess.run(
        [*argv, f"https://{host}:{proxy.tls_port}/x"], input=b"y" * 300000, capture_output=True, check=True
    )
    body, _, status = done.stdout.rpartition(b"}")
    assert status == b"2 200"
    assert json.loads(body + b"}")["body"] == "y" * 300000


@installed("h2load")
def test_h2load(proxy: Proxy, upstream: Start) -> None:
    host = proxy.route(upstream(constant(answer(b"x" * 3000))).target)
    certify(proxy, host)
    argv = ["h2load", "-n", "3000", "-c", "10", "-m", "20", f"--connect-to=127.0.0.1:{proxy.tls_port}"]
    done = subprocess.run([*argv, f"https://{host}/"], capture_output=True, text=True, check=True)
    assert "3000 succeeded, 0 failed, 0 errored, 0 timeout" in done.stdout, done.stdout
    assert "3000 2xx" in done.stdout
