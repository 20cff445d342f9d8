"""What a request costs: CPU time of the proxy alone, ours against nginx, haproxy and Caddy in the same run.

64 keep-alive connections of wrk ask for a small response that one nginx gives all of them. Every proxy has one
worker (nginx worker_processes 1, haproxy nbthread 1, Caddy GOMAXPROCS=1, ours one process) and runs in turn;
the median of the rounds counts. Caddy is there twice: as its documentation sets it up, and with as large a pool of
upstream connections as the others. The last line on standard output is one JSON object.

    python bench/proxy.py [--rounds 3] [--seconds 4]
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import contenders
from attrs import frozen
from contenders import HOST, Contender
from debian import require

CONNECTIONS = 64
STARTS = (
    contenders.iopproxy,
    contenders.nginx,
    contenders.haproxy,
    contenders.caddy,
    contenders.caddy_pooled,
)


@frozen
class Figures:
    """One round: microseconds of CPU time for each request, and requests per second."""

    cpu_us: float
    per_second: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured; the median counts")
    parser.add_argument("--seconds", type=int, default=4, help="how long each time")
    options = parser.parse_args()
    require("nginx", "haproxy", "caddy", "wrk")
    running: list[Contender] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            running.append(contenders.upstream(folder))
            behind = running[0].port
            for start in STARTS:
                running.append(start(behind, folder))
            for each in running:
                each.await_port()
            middle = compare(running[1:], options.rounds, options.seconds)
        finally:
            for each in running:
                each.stop()
    report(middle)


def compare(proxies: list[Contender], rounds: int, seconds: int) -> dict[str, Figures]:
    """The median round of each, by name."""
    measured: dict[str, list[Figures]] = {each.name: [] for each in proxies}
    for each in proxies:
        load(each, 1)  # warm: connections, caches, Go's and Python's own
    for number in range(rounds):
        for each in proxies:
            print(f"round {number + 1} of {rounds}: {each.name}", file=sys.stderr)
            measured[each.name].append(load(each, seconds))
    return {
        name: Figures(
            statistics.median(each.cpu_us for each in figures),
            statistics.median(each.per_second for each in figures),
        )
        for name, figures in measured.items()
    }


def load(proxy: Contender, seconds: int) -> Figures:
    """One round. Exits when a request failed: a wrong answer may be cheap."""
    before = proxy.cpu()
    argv = ["wrk", "--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{seconds}s"]
    url = f"http://127.0.0.1:{proxy.port}/"
    output = subprocess.run(
        [*argv, "--header", f"Host: {HOST}:{proxy.port}", url], capture_output=True, text=True, check=True
    ).stdout
    spent = proxy.cpu() - before
    if "Non-2xx" in output or "Socket errors" in output:
        sys.exit(f"requests through {proxy.name} failed:\n{output}")
    count = re.search(r"(\d+) requests in", output)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    if count is None or rate is None:
        sys.exit(f"wrk said something unexpected:\n{output}")
    return Figures(spent / int(count[1]) * 1e6, float(rate[1]))


def report(middle: dict[str, Figures]) -> None:
    """The table for people, then the JSON line."""
    ours = middle["iopproxy"].cpu_us
    print(f"{'proxy':12} {'CPU µs/request':>15} {'requests/s':>12} {'ours / it':>10}")
    for name, figures in middle.items():
        ratio = ours / figures.cpu_us
        print(f"{name:12} {figures.cpu_us:15.1f} {figures.per_second:12.0f} {ratio:10.2f}")
    print(
        json.dumps(
            {
                "http_cpu_vs_caddy": round(ours / middle["caddy"].cpu_us, 3),
                "http_cpu_vs_caddy_pooled": round(ours / middle["caddy-pooled"].cpu_us, 3),
                "http_cpu_vs_nginx": round(ours / middle["nginx"].cpu_us, 3),
                "http_cpu_vs_haproxy": round(ours / middle["haproxy"].cpu_us, 3),
                "cpu_us": {name: round(figures.cpu_us, 1) for name, figures in middle.items()},
                "requests_per_second": {name: round(figures.per_second) for name, figures in middle.items()},
            }
        )
    )


if __name__ == "__main__":
    main()
