"""Calls the admin API from inside the proxy's container: ``python3 -m iopproxy.control.client METHOD PATH``.

The JSON body of a PUT or POST is read from stdin, the answer's is printed. Exit status: 0 for a 2xx, 1 for another
answer, 2 when there was none. Only the standard library is imported: it starts in a moment.
"""

from __future__ import annotations

import os
import sys
from http.client import HTTPConnection, HTTPException
from pathlib import Path

__all__ = ["call", "main"]

_LONGEST = 86400.0
"""Seconds to wait for an answer: a drain or a check may take its time, and both end by themselves."""


def call(method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
    """(status, body) of the answer. Raises OSError or HTTPException when there is none."""
    state = Path(os.environ.get("IOP_PROXY_STATE", "/var/lib/iop-proxy"))
    token = (state / "admin.token").read_text("ascii").strip()
    host, _, port = os.environ.get("IOP_PROXY_ADMIN", "127.0.0.1:8080").rpartition(":")
    connection = HTTPConnection(host, int(port), timeout=_LONGEST)
    try:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        connection.request(method, path, body=body, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def main(argv: list[str]) -> int:
    """Make one call; the exit status."""
    if len(argv) != 2:
        sys.stderr.write("usage: python3 -m iopproxy.control.client METHOD PATH\n")
        return 2
    method, path = argv
    try:
        status, answer = call(method, path, sys.stdin.buffer.read() if method in ("PUT", "POST") else None)
    except (OSError, HTTPException, ValueError) as error:
        sys.stderr.write(f"The proxy's admin API can't be reached: {error}\n")
        return 2
    sys.stdout.buffer.write(answer)
    return 0 if 200 <= status <= 299 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
