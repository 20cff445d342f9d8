"""What one attack is, and the pieces it is written with."""

from __future__ import annotations

from dataclasses import dataclass

GET = b"GET /first HTTP/1.1\r\nHost: victim.example\r\n"
POST = b"POST /first HTTP/1.1\r\nHost: victim.example\r\n"
"""The beginning of a head."""

CHUNKED = b"Transfer-Encoding: chunked\r\n"
HIDDEN = b"GET /smuggled HTTP/1.1\r\nHost: victim.example\r\n\r\n"
"""What must never become a request."""

LAST_CHUNK = b"0\r\n\r\n"
PORTSWIGGER = "https://portswigger.net/web-security/request-smuggling"
REBORN = "https://portswigger.net/research/http-desync-attacks-request-smuggling-reborn"
BROWSER = "https://portswigger.net/research/browser-powered-desync-attacks"
MUST_DIE = "https://portswigger.net/research/http1-must-die"
HTTP2 = "https://portswigger.net/research/http2"
SMUGGLER = "https://github.com/defparam/smuggler/blob/master/configs/exhaustive.py"
GARDEN = "https://github.com/narfindustries/http-garden/blob/main/TROPHIES.md"
LLHTTP = "https://github.com/nodejs/llhttp/tree/main/test/request"
H1SPEC = "https://github.com/uNetworking/h1spec"
CHUNKS = "https://w4ke.info/2025/06/18/funky-chunks.html"


TRAILERS = "https://www.rfc-editor.org/rfc/rfc9110#section-6.5.1"
HOP_BY_HOP = "https://nathandavison.com/blog/abusing-http-hop-by-hop-request-headers"


def cve(number: str) -> str:
    """Where a published hole is described."""
    return f"https://nvd.nist.gov/vuln/detail/CVE-{number}"


@dataclass(frozen=True)
class Attack:
    """Bytes of a client, where they were published, and what the proxy must make of them.

    ``bodies``: of the requests that reach the app, in order. ``refused``: an error follows, and the end of the
    connection. ``ends``: the connection ends after them without an error.
    """

    name: str
    source: str
    data: bytes
    bodies: tuple[bytes, ...] = ()
    refused: bool = False
    ends: bool = False


def refused(name: str, source: str, data: bytes, *before: bytes) -> Attack:
    """Nothing but the requests ``before`` (their bodies) reaches the app."""
    return Attack(name, source, data, before, refused=True)


def served(name: str, source: str, data: bytes, *bodies: bytes) -> Attack:
    """Clear after all: exactly these requests, and whatever comes next on the connection is the next one."""
    return Attack(name, source, data, bodies)


def ends(name: str, source: str, data: bytes, *bodies: bytes) -> Attack:
    """As ``served``, but whatever comes next is not a request any more."""
    return Attack(name, source, data, bodies, ends=True)


def length(body: bytes) -> bytes:
    """The Content-Length line of a body."""
    return b"Content-Length: %d\r\n" % len(body)
