"""h2load: HTTP/2 over TLS, many requests at once on each connection."""

from __future__ import annotations

import re
import subprocess
import sys

from peers.proxy import HOST, Proxy

from loads.load import Done, Load


def h2load(path: str = "/", *, connections: int = 8, streams: int = 8) -> Load:
    """``connections`` with ``streams`` requests at once on each."""

    def load(proxy: Proxy, seconds: float) -> Done:
        argv = ["h2load", "--npn-list=h2", f"--clients={connections}", f"--max-concurrent-streams={streams}"]
        argv += [f"--duration={max(1, round(seconds))}", f"--connect-to=127.0.0.1:{proxy.https}"]
        done = subprocess.run(
            [*argv, f"https://{HOST}:{proxy.https}{path}"], capture_output=True, text=True, check=False
        )
        if done.returncode != 0 or " 0 failed, 0 errored" not in done.stdout:
            sys.exit(f"requests through {proxy.name} failed:\n{done.stdout}{done.stderr}")
        return parse(done.stdout, seconds)

    return load


def parse(output: str, seconds: float) -> Done:
    """What h2load printed. Only complete answers with a 2xx count."""
    codes = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", output)
    if codes is None or codes[1] == "0" or set(codes.groups()[1:]) != {"0"}:
        raise SystemExit(f"h2load said something unexpected:\n{output}")
    if "Application protocol: h2" not in output:
        raise SystemExit(f"that wasn't HTTP/2:\n{output}")
    return Done(int(codes[1]), float(max(1, round(seconds))))
