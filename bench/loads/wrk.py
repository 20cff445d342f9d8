"""wrk: HTTP/1.1 as fast as the proxy answers."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile

from peers.proxy import HOST, Proxy

from loads.load import CONNECTIONS, Done, Load

_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


def wrk(
    path: str = "/",
    *,
    tls: bool = False,
    close: bool = False,
    script: str = "",
    connections: int = CONNECTIONS,
) -> Load:
    """``close``: a new connection for each request. ``script``: Lua that makes the requests."""

    def load(proxy: Proxy, seconds: float) -> Done:
        url = f"https://{HOST}:{proxy.https}{path}" if tls else f"http://{HOST}:{proxy.http}{path}"
        argv = ["wrk", "--threads", "1", "--connections", str(connections)]
        argv += ["--duration", f"{max(1, round(seconds))}s"]
        argv += ["--header", "Connection: close"] if close else []
        with tempfile.NamedTemporaryFile("w", suffix=".lua") as lua:
            lua.write(script)
            lua.flush()
            argv += ["--script", lua.name] if script else []
            done = subprocess.run([*argv, url], capture_output=True, text=True, check=False)
        if done.returncode != 0 or "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
            sys.exit(f"requests through {proxy.name} failed:\n{done.stdout}{done.stderr}")
        return parse(done.stdout)

    return load


def parse(output: str) -> Done:
    """What wrk printed."""
    found = re.search(r"(\d+) requests in ([\d.]+)(us|ms|s|m),", output)
    if found is None or found[1] == "0":
        raise SystemExit(f"wrk said something unexpected:\n{output}")
    return Done(int(found[1]), float(found[2]) * _UNITS[found[3]])
