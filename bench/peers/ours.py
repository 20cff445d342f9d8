"""iopproxy with all it does switched on: access log to a file, metrics, limits; one worker.

It runs on Debian's Python if that is of the version that runs this: so does the proxy's image, and what it is
compared with is built by Debian too. A Python built without profile-guided optimisation takes 10 to 15 % more.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Sequence
from typing import Any

from iopproxy.routing.state import Table
from iopproxy.routing.wire import read_route, write_table
from peers.process import free_port
from peers.proxy import ECHO_HOST, HOST, Job, Proxy, two_ports

DEBIAN = "/usr/bin/python3"


def iopproxy(job: Job) -> Proxy:
    return with_routes([])(job)


def with_routes(hosts: Sequence[str]) -> Callable[[Job], Proxy]:
    """One that also serves these, each as an app of its own."""

    def start(job: Job) -> Proxy:
        (http, https), admin, state = two_ports(), free_port(), job.folder / "state"
        state.mkdir(mode=0o700)
        routes = [("web", HOST, job.app), ("echo", ECHO_HOST, job.echo)]
        routes += [(f"app{number}", host, job.app) for number, host in enumerate(hosts)]
        table = Table(tuple(read_route("bench", app, body(host, port)) for app, host, port in routes))
        (state / "state.json").write_text(json.dumps(write_table(table)))
        certificates = state / "certs"
        certificates.mkdir(mode=0o700)
        pem = certificates / f"{HOST}.pem"
        pem.touch(mode=0o600)
        pem.write_bytes(job.certificate.both.read_bytes())
        argv = [python(), "-m", "twisted", "iopproxy", "--state", str(state)]
        for option, port in (("http", http), ("https", https), ("admin", admin)):
            argv += [f"--{option}", f"tcp:{port}:interface=127.0.0.1"]
        argv += ["--workers", str(job.workers)]
        return Proxy("iopproxy", http, https, argv, job.folder, PYTHONPATH=sysconfig.get_path("purelib"))

    return start


def python() -> str:
    """Which one runs it."""
    asked = [DEBIAN, "-c", "import sys; print(sys.version_info[:2])"]
    if os.access(DEBIAN, os.X_OK):
        done = subprocess.run(asked, capture_output=True, text=True, check=True)
        if done.stdout.strip() == str(sys.version_info[:2]):
            return DEBIAN
    return sys.executable


def body(host: str, port: int) -> dict[str, Any]:
    return {"hosts": [host], "targets": [f"127.0.0.1:{port}"], "color": "blue", "release": "1"}
