"""hey: requests at a given rate, and how long they took."""

from __future__ import annotations

import csv
import io
import subprocess
import sys

from attrs import frozen
from peers.proxy import HOST, Proxy

CLIENTS = 32


@frozen
class Latency:
    """Milliseconds that half, and 99 of 100, of the requests took at most."""

    p50: float
    p99: float
    per_second: float


def hey(proxy: Proxy, seconds: float, rate: float, tls: bool) -> Latency:
    """``rate`` requests per second in all, from 32 clients at random moments, each on a connection of its own."""
    url = f"https://127.0.0.1:{proxy.https}/" if tls else f"http://127.0.0.1:{proxy.http}/"
    argv = ["hey", "-o", "csv", "-c", str(CLIENTS), "-q", str(rate / CLIENTS), "-z", f"{seconds:.0f}s"]
    done = subprocess.run([*argv, "-host", HOST, url], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"hey failed against {proxy.name}:\n{done.stdout[-500:]}{done.stderr}")
    return parse(done.stdout, proxy.name)


def parse(output: str, name: str) -> Latency:
    """What hey printed: a line for each request."""
    rows = list(csv.DictReader(io.StringIO(output)))
    if not rows or any(row["status-code"] != "200" for row in rows):
        sys.exit(f"requests through {name} failed")
    times = sorted(float(row["response-time"]) * 1000 for row in rows)
    offsets = [float(row["offset"]) for row in rows]
    return Latency(times[len(times) // 2], times[len(times) * 99 // 100], len(rows) / max(*offsets, 0.001))
