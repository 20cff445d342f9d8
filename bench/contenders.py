"""The proxies that are compared, each with one worker, keep-alive on both sides, X-Forwarded-* set, and no log."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from http.client import HTTPConnection
from pathlib import Path

from debian import found

HOST = "bench.example"
ROOT = Path(__file__).resolve().parents[1]
TICKS = os.sysconf("SC_CLK_TCK")

_NGINX = """
daemon off; worker_processes 1; pid {folder}/{name}.pid; error_log {folder}/{name}.error;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 100000000;
  {more}
}}
"""
_NGINX_UPSTREAM = (
    'server {{ listen 127.0.0.1:{port}; location / {{ return 200 "hello from upstream\\n"; }} }}'
)
_NGINX_PROXY = """
  upstream app {{ server 127.0.0.1:{upstream}; keepalive 256; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $http_host;
    }}
  }}
"""
_HAPROXY = """
global
  nbthread 1
  maxconn 1024
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option forwardfor
  http-reuse always
listen bench
  bind 127.0.0.1:{port}
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  server app 127.0.0.1:{upstream}
"""
_CADDY = """
{{
  admin off
  auto_https off
}}
http://{host}:{port} {{
  reverse_proxy 127.0.0.1:{upstream} {more}
}}
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


class Contender:
    """One running server on a port of its own."""

    def __init__(self, name: str, port: int, argv: list[str], folder: Path, **environment: str) -> None:
        self.name = name
        self.port = port
        self._output = (folder / f"{name}.output").open("wb")
        self._process = subprocess.Popen(
            argv,
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(30)
        self._output.close()

    def await_port(self) -> None:
        """Until it listens."""
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise SystemExit(f"{self.name} did not start: {Path(self._output.name).read_text()[-500:]}")

    def cpu(self) -> float:
        """Seconds of user and system time of all its processes so far."""
        return sum(_cpu(pid) for pid in _family(self._process.pid))


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in _family(int(child)))]


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def upstream(folder: Path) -> Contender:
    """The same cheap server behind all of them."""
    port = free_port()
    return _nginx("upstream", port, _NGINX_UPSTREAM.format(port=port), folder)


def nginx(behind: int, folder: Path) -> Contender:
    port = free_port()
    return _nginx("nginx", port, _NGINX_PROXY.format(port=port, upstream=behind), folder)


def _nginx(name: str, port: int, more: str, folder: Path) -> Contender:
    config = folder / f"{name}.conf"
    config.write_text(_NGINX.format(folder=folder, name=name, more=more))
    return Contender(name, port, [found("nginx") or "nginx", "-c", str(config)], folder)


def haproxy(behind: int, folder: Path) -> Contender:
    port, config = free_port(), folder / "haproxy.cfg"
    config.write_text(_HAPROXY.format(port=port, upstream=behind))
    return Contender("haproxy", port, [found("haproxy") or "haproxy", "-db", "-f", str(config)], folder)


def caddy(behind: int, folder: Path) -> Contender:
    """As its documentation sets it up: one line, and a pool of 32 idle connections for the 64 that come."""
    return _caddy("caddy", behind, "", folder)


def caddy_pooled(behind: int, folder: Path) -> Contender:
    """With as large a pool as the others have here."""
    pool = "{ transport http { keepalive_idle_conns_per_host 256 } }"
    return _caddy("caddy-pooled", behind, pool.replace("{ ", "{\n").replace(" }", "\n}"), folder)


def _caddy(name: str, behind: int, more: str, folder: Path) -> Contender:
    port, config = free_port(), folder / f"{name}.Caddyfile"
    config.write_text(_CADDY.format(host=HOST, port=port, upstream=behind, more=more))
    argv = [found("caddy") or "caddy", "run", "--adapter", "caddyfile", "--config", str(config)]
    return Contender(name, port, argv, folder, GOMAXPROCS="1", HOME=str(folder))


def iopproxy(behind: int, folder: Path) -> Contender:
    port, admin, state = free_port(), free_port(), folder / "state"
    argv = [sys.executable, "-m", "twisted", "iopproxy", "--state", str(state)]
    argv += ["--http", f"tcp:{port}:interface=127.0.0.1", "--admin", f"tcp:{admin}:interface=127.0.0.1"]
    ours = Contender("iopproxy", port, argv, folder)
    ours.await_port()
    token = (state / "admin.token").read_text().strip()
    _put(admin, token, {"hosts": [HOST], "targets": [f"127.0.0.1:{behind}"], "color": "blue", "release": "1"})
    return ours


def _put(admin: int, token: str, body: Mapping[str, object]) -> None:
    connection = HTTPConnection("127.0.0.1", admin, timeout=10)
    headers = {"Authorization": f"Bearer {token}"}
    connection.request("PUT", "/v1/routes/bench/web", json.dumps(body), headers)
    status = connection.getresponse().status
    connection.close()
    if status != 200:
        raise SystemExit(f"the route could not be put: {status}")
