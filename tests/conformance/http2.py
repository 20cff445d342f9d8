"""h2load and nghttp, of nghttp2: many streams, bodies, and header blocks of every shape."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.conformance.result import Result, line, output


def http2(port: int, name: str, folder: Path) -> Iterator[Result]:
    """Requests by the thousand: every one is to succeed."""
    body = folder / "body"
    body.write_bytes(b"x" * 300_000)
    url = f"https://{name}/"
    cases = {
        "5,000 requests, 20 connections, 50 streams each": ("-n", "5000", "-c", "20", "-m", "50"),
        "one connection, 100 streams": ("-n", "3000", "-c", "1", "-m", "100"),
        "200 uploads of 300 KB": ("-n", "200", "-c", "4", "-m", "10", "-d", str(body)),
        "windows of 1 KB": ("-n", "500", "-c", "4", "-m", "10", "-w", "10", "-W", "10"),
        "a header table of 0": ("-n", "500", "-c", "4", "--header-table-size=0"),
        "HTTP/1.1 over TLS": ("-n", "2000", "-c", "20", "--h1"),
    }
    for case, options in cases.items():
        said = output("h2load", *options, f"--connect-to=127.0.0.1:{port}", url)
        done = line(said, "requests:").removeprefix("requests: ")
        total = options[1]
        passed = f" {total} succeeded, 0 failed, 0 errored" in done
        yield Result("h2load", case, passed and f"status codes: {total} 2xx" in said, done)
    with_trailer = ("--trailer", "x-checksum: 1", "-d", str(body))
    for case, options in {"a request": (), "a body": ("-d", str(body)), "trailers": with_trailer}.items():
        address = f"https://127.0.0.1:{port}/"
        said = output(
            "nghttp", "-v", "-n", *options, "-H", f":authority: {name}", f"--header=host: {name}", address
        )
        yield Result("nghttp", case, ":status: 200" in said, line(said, ":status:"))
