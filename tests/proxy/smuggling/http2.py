"""HTTP/2 that becomes ambiguous, or more than one request, once it is written as HTTP/1.1 (H2.CL, H2.TE, injection)."""

from __future__ import annotations

from dataclasses import dataclass

from tests.proxy.smuggling.attack import HTTP2, cve

RFC = "https://www.rfc-editor.org/rfc/rfc9113#section-8.2.1"
Fields = list[tuple[str, str]]

METHOD, SCHEME, HOST, PATH = (
    (":method", "POST"),
    (":scheme", "https"),
    (":authority", "victim.example"),
    (":path", "/first"),
)
HEAD: Fields = [METHOD, SCHEME, HOST, PATH]
HIDDEN = b"GET /smuggled HTTP/1.1\r\nHost: victim.example\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"


@dataclass(frozen=True)
class Attack2:
    """A request's fields and body; all are to be refused unless ``whole``: then the app gets exactly this body."""

    name: str
    source: str
    fields: Fields
    body: bytes = b""
    whole: bool = False
    trailers: tuple[tuple[str, str], ...] = ()


def replaced(name: str, value: str) -> Fields:
    """The usual head with another pseudo-header."""
    return [(key, value if key == name else usual) for key, usual in HEAD]


INJECTED = "x\r\nTransfer-Encoding: chunked"
SECOND = " HTTP/1.1\r\nHost: victim.example\r\n\r\nGET /smuggled"

ATTACKS: tuple[Attack2, ...] = (
    Attack2("H2.CL: a length that is too short", HTTP2, [*HEAD, ("content-length", "0")], HIDDEN),
    Attack2("H2.CL: a length that is too long", cve("2021-36740"), [*HEAD, ("content-length", "99")], HIDDEN),
    Attack2("H2.CL: two lengths", HTTP2, [*HEAD, ("content-length", "0"), ("content-length", "48")], HIDDEN),
    Attack2("H2.CL: a list", HTTP2, [*HEAD, ("content-length", "0,48")], HIDDEN),
    Attack2("H2.CL: a plus", HTTP2, [*HEAD, ("content-length", "+48")], HIDDEN),
    Attack2("H2.CL: no digits", HTTP2, [*HEAD, ("content-length", "")], HIDDEN),
    Attack2("H2.CL: a line in it", HTTP2, [*HEAD, ("content-length", "48\r\nx: y")], HIDDEN),
    Attack2("H2.TE", HTTP2, [*HEAD, ("transfer-encoding", "chunked")], LAST_CHUNK + HIDDEN),
    Attack2("H2.TE with a capital", HTTP2, [*HEAD, ("Transfer-Encoding", "chunked")], LAST_CHUNK + HIDDEN),
    Attack2("H2.TE with a space", HTTP2, [*HEAD, ("transfer-encoding ", "chunked")], LAST_CHUNK + HIDDEN),
    Attack2("H2.TE before a colon", HTTP2, [*HEAD, ("transfer-encoding:", "chunked")], LAST_CHUNK + HIDDEN),
    Attack2("H2.TE in a name", HTTP2, [*HEAD, ("x: y\r\ntransfer-encoding", "chunked")], LAST_CHUNK + HIDDEN),
    Attack2(
        "H2.TE in a name, with its value",
        HTTP2,
        [*HEAD, ("transfer-encoding: chunked\r\nx", "y")],
        LAST_CHUNK + HIDDEN,
    ),
    Attack2("H2.TE in a value", HTTP2, [*HEAD, ("x", INJECTED)], LAST_CHUNK + HIDDEN),
    Attack2(
        "a bare LF in a value", HTTP2, [*HEAD, ("x", "y\ntransfer-encoding: chunked")], LAST_CHUNK + HIDDEN
    ),
    Attack2(
        "a bare CR in a value", HTTP2, [*HEAD, ("x", "y\rtransfer-encoding: chunked")], LAST_CHUNK + HIDDEN
    ),
    Attack2("a NUL in a value", RFC, [*HEAD, ("x", "y\0z")]),
    Attack2("a request in a value", HTTP2, [*HEAD, ("x", "y\r\n\r\n" + HIDDEN.decode())]),
    Attack2("a request in the path", HTTP2, replaced(":path", "/first" + SECOND)),
    Attack2("a space in the path", cve("2022-45060"), replaced(":path", "/first HTTP/1.1")),
    Attack2("a line in the path", HTTP2, replaced(":path", "/first\r\nx: y")),
    Attack2("a path without a slash", HTTP2, replaced(":path", "@other.example/")),
    Attack2("an empty path", RFC, replaced(":path", "")),
    Attack2(
        "a request in the method", HTTP2, replaced(":method", "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\nPOST")
    ),
    Attack2("a space in the method", cve("2022-45060"), replaced(":method", "GET /smuggled")),
    Attack2("CONNECT", HTTP2, replaced(":method", "CONNECT")),
    Attack2("a path in the scheme", HTTP2, replaced(":scheme", "https://other.example/x?")),
    Attack2("a line in the scheme", HTTP2, replaced(":scheme", "https\r\nx: y")),
    Attack2("a line in the host", HTTP2, replaced(":authority", "victim.example\r\nx: y")),
    Attack2("a path in the host", HTTP2, replaced(":authority", "victim.example/smuggled")),
    Attack2("a space in the host", HTTP2, replaced(":authority", "victim.example x")),
    Attack2("credentials in the host", HTTP2, replaced(":authority", "x@victim.example")),
    Attack2("another Host", HTTP2, [*HEAD, ("host", "other.example")]),
    Attack2("two hosts", HTTP2, [*HEAD[:2], HEAD[3], ("host", "victim.example"), ("host", "victim.example")]),
    Attack2("no host", RFC, [each for each in HEAD if each[0] != ":authority"]),
    Attack2("two paths", HTTP2, [*HEAD[:3], (":path", "/smuggled"), HEAD[3]]),
    Attack2("two methods", HTTP2, [(":method", "GET"), *HEAD]),
    Attack2("two hosts of HTTP/2", HTTP2, [*HEAD, (":authority", "other.example")]),
    Attack2("a pseudo-header behind others", RFC, [*HEAD[:3], ("x", "y"), HEAD[3]]),
    Attack2("a pseudo-header nobody knows", RFC, [*HEAD, (":smuggled", "y")]),
    Attack2("Connection", RFC, [*HEAD, ("connection", "keep-alive")]),
    Attack2("Upgrade", "https://bishopfox.com/blog/h2c-smuggling-request", [*HEAD, ("upgrade", "h2c")]),
    Attack2("Keep-Alive", RFC, [*HEAD, ("keep-alive", "timeout=5")]),
    Attack2("Proxy-Connection", RFC, [*HEAD, ("proxy-connection", "keep-alive")]),
    Attack2("a name that is empty", RFC, [*HEAD, ("", "y")]),
    Attack2("a name with a space", RFC, [*HEAD, ("x y", "z")]),
    Attack2("a colon in a name", HTTP2, [*HEAD, ("x:y", "z")]),
    Attack2("a capital in a name", RFC, [*HEAD, ("X", "y")]),
    Attack2("a name that isn't ASCII", RFC, [*HEAD, ("\u00e9", "y")]),
    Attack2("a space before a value", RFC, [*HEAD, ("x", " y")]),
    Attack2("a space behind a value", RFC, [*HEAD, ("x", "y ")]),
    Attack2("a request in the trailers", HTTP2, HEAD, b"x", trailers=(("x", "y\r\n\r\n" + HIDDEN.decode()),)),
    Attack2("a line in a trailer's name", HTTP2, HEAD, b"x", trailers=(("x\r\ny", "z"),)),
    Attack2("a pseudo-header in the trailers", RFC, HEAD, b"x", trailers=((":path", "/smuggled"),)),
    Attack2("a body that is a request", HTTP2, HEAD, HIDDEN, whole=True),
    Attack2("a body of GET's", HTTP2, replaced(":method", "GET"), HIDDEN, whole=True),
    Attack2("a body that looks chunked", HTTP2, HEAD, LAST_CHUNK + HIDDEN, whole=True),
    Attack2(
        "a length that is right", HTTP2, [*HEAD, ("content-length", str(len(HIDDEN)))], HIDDEN, whole=True
    ),
    Attack2("an underscore for a dash", HTTP2, [*HEAD, ("content_length", "0")], HIDDEN, whole=True),
)
