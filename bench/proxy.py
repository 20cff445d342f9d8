"""What a request costs: CPU time of the proxy alone, ours against nginx, haproxy and Caddy in the same run.

Every proxy has one worker (nginx worker_processes 1, haproxy nbthread 1, Caddy GOMAXPROCS=1, ours --workers 1) and does
the same work: one access-log line for each request to a file, a request id, X-Forwarded-For, -Proto, -Host and -Port,
X-Real-IP, connections kept on both sides, the same ECDSA P-256 certificate, TLS 1.2 and 1.3, the same upstream. Ours
also keeps its metrics and limits. The modules in bench/peers say what each is set to.

They take turns; the median of the rounds counts. The load generator and the upstream share the machine's cores with
the proxy, so that CPU time for each request (user + system, of the proxy's processes) says more than requests per
second. The last line on standard output is one JSON object.

    python bench/proxy.py [--only http,tls] [--proxies iopproxy,nginx] [--rounds 3] [--seconds 4] [--quick]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from debian import require
from loads.sources import open_files
from peers.caddy import caddy, caddy_pooled
from peers.haproxy import haproxy
from peers.nginx import nginx
from peers.ours import iopproxy, python
from peers.site import Site, Start, site
from results import Results
from scenarios.latency import latency
from scenarios.memory import memory
from scenarios.routes import routes
from scenarios.throughput import SCENARIOS, compare
from scenarios.workers import scaling

PROXIES: dict[str, Start] = {
    "iopproxy": iopproxy,
    "nginx": nginx,
    "haproxy": haproxy,
    "caddy": caddy,
    "caddy-pooled": caddy_pooled,
}
OTHERS = ("latency", "tls-latency", "idle", "tls-idle", "routes", "workers")
HELD = 10_000
SPARE_FILES = 500


def main() -> None:
    options = arguments()
    require("nginx", "haproxy", "caddy", "wrk", "hey", h2load="nghttp2-client")
    files = open_files()
    held = min(500 if options.quick else HELD, files - SPARE_FILES)
    starts = [PROXIES[name] for name in options.proxies]
    results = Results()
    with site() as place:
        for name in ("idle", "tls-idle"):
            if name in options.only:
                tls = name == "tls-idle"
                figures = memory(place, starts, held, 1.0 if options.quick else 10.0, tls)
                kind = "tls_connection" if tls else "connection"
                results.memory(kind, f"{held:,} idle connections{' over TLS' if tls else ''}", figures)
        compared(place, starts, options, results)
        if "routes" in options.only and iopproxy in starts:
            many = 1000 if options.quick else 10_000
            found = routes(place, 10, many, options.rounds, options.seconds)
            results.routes(f"10 routes and {many:,}", found)
        if "workers" in options.only:
            sizes = [each for each in starts if each is not caddy_pooled]
            results.scaling(scaling(place, sizes, options.rounds, options.seconds))
    results.keys["python"] = python()
    print()
    print(json.dumps(results.keys))


def compared(place: Site, starts: Sequence[Start], options: argparse.Namespace, results: Results) -> None:
    """What the proxies do side by side."""
    with place.proxies(starts) as proxies:
        for key, scenario in SCENARIOS.items():
            if key in options.only:
                figures = compare(scenario, proxies, options.rounds, options.seconds)
                results.throughput(key, scenario.title, figures)
        for key, tls in (("latency", False), ("tls-latency", True)):
            if key in options.only:
                title = f"{'HTTPS' if tls else 'HTTP'} at half of what each can do"
                times = latency(proxies, options.rounds, options.seconds, tls)
                results.latency(key.replace("-", "_"), title, times)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured; the median counts")
    parser.add_argument("--seconds", type=int, default=4, help="how long each time")
    everything = [*SCENARIOS, *OTHERS]
    parser.add_argument("--only", type=some(everything), default=everything, help=", ".join(everything))
    parser.add_argument("--proxies", type=some(PROXIES), default=list(PROXIES), help=", ".join(PROXIES))
    parser.add_argument("--quick", action="store_true", help="one short round: whether it works, no figures")
    options = parser.parse_args()
    if options.quick:
        options.rounds = options.seconds = 1
    return options


class some:
    """An option's value: names with commas between them."""

    def __init__(self, known: Sequence[str] | dict[str, Start]) -> None:
        self._known = list(known)

    def __call__(self, text: str) -> list[str]:
        names = text.split(",")
        if wrong := [name for name in names if name not in self._known]:
            raise argparse.ArgumentTypeError(f"{wrong[0]!r} is none of {', '.join(self._known)}")
        return names


if __name__ == "__main__":
    main()
