"""The real program as a subprocess, and an admin client that shares no code with it."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).resolve().parents[2]
_LISTENS = re.compile(r"(https?|AdminSite) (?:comes in on port|starting on) (\d+)")
_SERVES = " serves, pid "
WORKERS = 2
_names = itertools.count(1)


def wait_until(condition: Callable[[], bool]) -> None:
    """For what can only be asked for: a counter in another process."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.01)


def kill_worker(proxy: Proxy) -> None:
    """One of them; over once another one serves in its place."""
    before = proxy.workers
    os.kill(before[0], signal.SIGKILL)

    def replaced() -> bool:
        listed = proxy.api("GET", "/v1/workers")[1]["workers"]
        serving = [each["pid"] for each in listed if each["state"] == "serving"]
        return len(serving) == len(before) and before[0] not in serving

    wait_until(replaced)


class Proxy:
    """``python -m twisted iopproxy`` on ports of its own."""

    def __init__(self, state: Path, *options: str, environment: dict[str, str] | None = None) -> None:
        self.state = state
        self._may_read = threading.Lock()
        argv = [sys.executable, "-m", "twisted", "--log-format", "text", "iopproxy"]
        argv += ["--http", "tcp:0:interface=127.0.0.1", "--admin", "tcp:0:interface=127.0.0.1"]
        if "--workers" not in options:
            argv += ["--workers", str(WORKERS)]
        self._count = int(options[options.index("--workers") + 1]) if "--workers" in options else WORKERS
        self.process = subprocess.Popen(
            [*argv, "--state", str(state), *options],
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._ports: dict[str, int] = {}
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self._ready.wait(30), "the proxy said nothing for 30 s"
        assert "http" in self._ports, self.log

    def _read(self) -> None:
        assert self.process.stdout is not None
        serving = 0
        for line in self.process.stdout:
            with self._may_read:
                self.lines.append(line)
            if match := _LISTENS.search(line):
                self._ports[match[1]] = int(match[2])
            serving += _SERVES in line
            if serving == self._count:
                self._ready.set()
        self._ready.set()

    @property
    def port(self) -> int:
        return self._ports["http"]

    @property
    def tls_port(self) -> int:
        return self._ports["https"]

    @property
    def admin_port(self) -> int:
        return self._ports["AdminSite"]

    @property
    def workers(self) -> list[int]:
        """The processes that carry the traffic."""
        return [each["pid"] for each in self.api("GET", "/v1/workers")[1]["workers"]]

    @property
    def family(self) -> list[int]:
        """All its processes."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                fields = stat.read_text().rpartition(")")[2].split()
                if int(fields[3]) == self.process.pid and fields[0] != "Z":
                    found.append(int(stat.parent.name))
        return found

    @property
    def log(self) -> str:
        return "".join(self.lines)

    @property
    def rss(self) -> int:
        """Resident bytes of all that carry the traffic."""
        fields = [Path(f"/proc/{pid}/statm").read_text().split() for pid in self.workers]
        return sum(int(each[1]) for each in fields) * os.sysconf("SC_PAGE_SIZE")

    def api(self, method: str, path: str, body: Any = None, token: str | None = None) -> tuple[int, Any]:
        """(status, decoded body) of one admin call."""
        token = (self.state / "admin.token").read_text().strip() if token is None else token
        raw = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        connection = HTTPConnection("127.0.0.1", self.admin_port, timeout=30)
        try:
            connection.request(method, path, raw, {"Authorization": f"Bearer {token}"} if token else {})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def route(self, *targets: str, host: str | None = None, app: str | None = None, **more: Any) -> str:
        """Put a route, by default under a host of its own, and return the host."""
        number = next(_names)
        host = host or f"h{number}.example"
        body = {"hosts": [host], "targets": list(targets), "color": "blue", "release": "r1", **more}
        status, answer = self.api("PUT", f"/v1/routes/test/{app or f'app{number}'}", body)
        assert status == 200, answer
        return host

    def in_flight(self, target: str) -> int:
        """What the proxy says about a target."""
        listed = self.api("GET", "/v1/targets")[1]["targets"]
        return sum(each["in_flight"] for each in listed if each["target"] == target)

    def metric(self, name: str, **labels: str) -> float:
        """One value of the page for Prometheus; 0 when it isn't there."""
        token = (self.state / "admin.token").read_text().strip()
        connection = HTTPConnection("127.0.0.1", self.admin_port, timeout=30)
        try:
            connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {token}"})
            page = connection.getresponse().read().decode()
        finally:
            connection.close()
        families = text_string_to_metric_families(page)
        samples = (sample for family in families for sample in family.samples)
        return next((each.value for each in samples if (each.name, each.labels) == (name, labels)), 0.0)

    @contextmanager
    def unread(self) -> Iterator[None]:
        """Nobody reads its stdout for so long."""
        with self._may_read:
            yield

    def terminate(self) -> None:
        """What Docker does first."""
        self.process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float = 20) -> None:
        """Until it has ended and all it said is read."""
        self.process.wait(seconds)
        self._reader.join(seconds)

    def stop(self) -> None:
        """End it; its log must be free of tracebacks."""
        if self.process.poll() is None:
            self.process.kill()
        self.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        assert "Traceback" not in self.log, self.log
