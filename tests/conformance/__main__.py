"""All of them, one after the other; the table goes to stdout, the exit status is 1 if anything failed."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.debian import require
from tests.conformance.http2 import http2
from tests.conformance.redbot import redbot
from tests.conformance.result import Result, line, output
from tests.conformance.slow import LIMITS, slow
from tests.proxy.running import ROOT, Proxy
from tests.proxy.secure import HTTPS, certify
from tests.proxy.upstreams import Conversation, Upstream, answer

NAME = "conformance.example"
PLACE = "127.0.0.1"
"""The slow clients and REDbot ask for a place that a name server knows."""

PAGE = "Content-Type: text/html\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
RESPONSES = {
    "/": answer(b"<p>hello</p>", extra=PAGE),
    "/chunked": f"HTTP/1.1 200 OK\r\n{PAGE}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n".encode(),
    "/cached": answer(
        b"<p>hello</p>", extra=PAGE + 'ETag: "a"\r\nCache-Control: max-age=60\r\nVary: Accept\r\n'
    ),
    "/none": f"HTTP/1.1 204 No Content\r\n{PAGE}\r\n".encode(),
}
SUITES = {
    "request smuggling, published cases": "tests/proxy/test_smuggling.py",
    "h2spec's cases, HTTP/2 smuggling": "tests/proxy/test_http2_frames.py",
    "Autobahn's cases": "tests/proxy/test_websocket_cases.py",
}


def app(conversation: Conversation) -> None:
    while True:
        seen = conversation.request()
        response = RESPONSES.get(seen.target, RESPONSES["/"])
        conversation.send(
            response if seen.method != "HEAD" else response.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        )


def results() -> Iterator[Result]:
    """Each as soon as it is there."""
    for suite, path in SUITES.items():
        said = output(sys.executable, "-m", "pytest", "-q", path, seconds=600)
        summary = re.sub(r"[= ]*in [0-9.]+s.*", "", line(said, " passed")).strip("= ")
        yield Result("tests/proxy", suite, "failed" not in summary and "passed" in summary, summary)
    server = Upstream(app)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        proxy = Proxy(folder / "state", *HTTPS, *LIMITS)
        try:
            certify(proxy, NAME)
            for host, of in ((NAME, "tls"), (PLACE, "plain")):
                proxy.route(server.target, host=host, app=of, ssl_redirect=False)
            yield from http2(proxy.tls_port, NAME, folder)
            yield from redbot(
                ROOT / ".cache" / "redbot", f"http://{server.target}", f"http://{PLACE}:{proxy.port}"
            )
            yield from slow(f"http://{PLACE}:{proxy.port}/")
        finally:
            proxy.stop()
            server.stop()


def main() -> None:
    """Install what is missing, run, and print."""
    require("slowhttptest", h2load="nghttp2-client", nghttp="nghttp2-client")
    passed = True
    print(f"{'suite':14}{'case':50}{'':6}")
    for result in results():
        passed &= result.passed
        print(
            f"{result.suite:14}{result.case:50}{'ok' if result.passed else 'FAILED':8}{result.said}",
            flush=True,
        )
    sys.exit(not passed)


if __name__ == "__main__":
    main()
