"""Request lines, header lines, hosts and connections that are read in two ways."""

from tests.proxy.smuggling.attack import (
    CHUNKED,
    GARDEN,
    GET,
    H1SPEC,
    HIDDEN,
    LAST_CHUNK,
    LLHTTP,
    MUST_DIE,
    PORTSWIGGER,
    POST,
    REBORN,
    Attack,
    cve,
    ends,
    length,
    refused,
    served,
)

H2C = "https://bishopfox.com/blog/h2c-smuggling-request"
UPGRADE = "https://github.com/0ang3el/websocket-smuggle"
HOST = b"Host: victim.example\r\n"
LINE = b"GET /first HTTP/1.1\r\n"

ATTACKS: tuple[Attack, ...] = (
    # The request line
    refused("HTTP/0.9", GARDEN, b"GET /smuggled\r\n" + HIDDEN),
    refused("HTTP/0.9 with a space", H1SPEC, b"GET / \r\n\r\n"),
    refused("an LF in place of a space", GARDEN, b"GET /first\nHTTP/1.1\r\n" + HOST + b"\r\n"),
    refused("a tab in place of a space", GARDEN, b"GET\t/first\tHTTP/1.1\r\n" + HOST + b"\r\n"),
    served("two spaces", GARDEN, b"GET /first  HTTP/1.1\r\n" + HOST + b"\r\n", b""),
    refused("a space behind the version", GARDEN, b"GET /first HTTP/1.1 \r\n" + HOST + b"\r\n"),
    refused("a CR behind the version", GARDEN, b"GET /first HTTP/1.1\r\r\n" + HOST + b"\r\n"),
    refused(
        "a request in the target", MUST_DIE, b"GET /first HTTP/1.1 /smuggled HTTP/1.1\r\n" + HOST + b"\r\n"
    ),
    refused("a version with two digits", GARDEN, b"GET /first HTTP/1.32\r\n" + HOST + b"\r\n"),
    refused("HTTP/1.2", GARDEN, b"GET /first HTTP/1.2\r\n" + HOST + b"\r\n"),
    refused("HTTP/9.9", H1SPEC, b"GET /first HTTP/9.9\r\n" + HOST + b"\r\n"),
    refused("CRs in the version", GARDEN, b"GET /first HTTP/\r\r1.1\r\n" + HOST + b"\r\n"),
    refused("a small version", GARDEN, b"GET /first http/1.1\r\n" + HOST + b"\r\n"),
    refused("a method with separators", GARDEN, b'G=":<>(e),[T];?" /first HTTP/1.1\r\n' + HOST + b"\r\n"),
    refused("words before the method", H1SPEC, b"Extra lineGET /first HTTP/1.1\r\n" + HOST + b"\r\n"),
    refused("a target that isn't one", GARDEN, b"GET ! HTTP/1.1\r\n" + HOST + b"\r\n"),
    refused("a NUL in the target", GARDEN, b"GET /\x00first HTTP/1.1\r\n" + HOST + b"\r\n"),
    refused("a fragment", GARDEN, b"GET /first#/smuggled HTTP/1.1\r\n" + HOST + b"\r\n"),
    refused(
        "HTTP/2's preface",
        "https://www.rfc-editor.org/rfc/rfc9113#section-3.4",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ),
    refused("CONNECT", PORTSWIGGER, b"CONNECT victim.example:443 HTTP/1.1\r\n" + HOST + b"\r\n"),
    refused(
        "TRACE with a body", REBORN, b"TRACE /first HTTP/1.1\r\n" + HOST + length(HIDDEN) + b"\r\n" + HIDDEN
    ),
    # Ends of lines
    refused("LF alone", LLHTTP, b"GET /first HTTP/1.1\nHost: victim.example\n\n"),
    refused("LF at the end of the head", LLHTTP, LINE + HOST + b"\n"),
    refused("LF after one header", cve("2022-32214"), GET + b"X: a\nContent-Length: 40\r\n\r\n" + HIDDEN),
    refused("LF, CR at the end", LLHTTP, GET + b"X: a\n\r\n"),
    refused("CR in place of an end of line", cve("2023-30589"), LINE + b"Host: victim.example\rX: a\r\n\r\n"),
    refused("CR CR LF", GARDEN, GET + b"X: a\r\r\n\r\n"),
    refused("CR at the end of the head", H1SPEC, GET + b"\rX: a\r\n\r\n"),
    refused("a space, then the end", GARDEN, GET + b" \r\n\r\n" + HIDDEN),
    refused("a folded Host", LLHTTP, LINE + b"Host:\r\n victim.example\r\n\r\n"),
    refused("a folded header", LLHTTP, GET + b"X: a\r\n\tGET /smuggled HTTP/1.1\r\n\r\n"),
    refused("a first line that is folded", cve("2022-32213"), LINE + b" " + HOST + b"\r\n"),
    # Names and values
    refused("a control character in a value", H1SPEC, GET + b"X: test\x07\r\n\r\n"),
    refused("a DEL in a value", GARDEN, GET + b"X: test\x7f\r\n\r\n"),
    refused("a NUL and CR in a value", GARDEN, GET + b"X: v\x00\ralue\r\n\r\n"),
    refused("brackets in a name", H1SPEC, GET + b"X-Invalid[]: test\r\n\r\n"),
    refused("a letter that isn't ASCII in a name", GARDEN, GET + b"\xefoo: bar\r\n\r\n"),
    refused("no name", GARDEN, GET + b": ignored\r\n\r\n"),
    refused("a name with a space", LLHTTP, GET + b"Bad Header: a\r\n\r\n"),
    refused("a name with a NUL", GARDEN, GET + b"X\x00: a\r\n\r\n"),
    # Hosts
    refused("two hosts", REBORN, GET + b"Host: other.example\r\n\r\n"),
    refused("the same host twice", H1SPEC, GET + HOST + b"\r\n"),
    refused("a second host after a space", MUST_DIE, LINE + b" Host: other.example\r\n" + HOST + b"\r\n"),
    refused("a host with a space", H1SPEC, LINE + b"Host: victim.example other\r\n\r\n"),
    refused("a host with a comma", REBORN, LINE + b"Host: victim.example,other\r\n\r\n"),
    refused("a host with a path", REBORN, LINE + b"Host: victim.example/smuggled\r\n\r\n"),
    refused("a host with credentials", REBORN, LINE + b"Host: other@victim.example\r\n\r\n"),
    refused("a host with a NUL", GARDEN, LINE + b"Host: victim.example\x00other\r\n\r\n"),
    refused("no host", H1SPEC, LINE + b"\r\n"),
    refused("an absolute target without Host", PORTSWIGGER, b"GET http://victim.example/ HTTP/1.1\r\n\r\n"),
    refused(
        "an absolute target with credentials",
        REBORN,
        b"GET http://x@victim.example/ HTTP/1.1\r\n" + HOST + b"\r\n",
    ),
    refused(
        "an absolute target of another scheme",
        REBORN,
        b"GET gopher://victim.example/ HTTP/1.1\r\n" + HOST + b"\r\n",
    ),
    refused("a target that is an authority", REBORN, b"GET victim.example:80 HTTP/1.1\r\n" + HOST + b"\r\n"),
    served(
        "an absolute target and another Host",
        PORTSWIGGER,
        b"GET http://victim.example/first HTTP/1.1\r\nHost: other.example\r\n\r\n",
        b"",
    ),
    served(
        "an absolute target with a query at once",
        GARDEN,
        b"GET http://victim.example?first HTTP/1.1\r\n" + HOST + b"\r\n",
        b"",
    ),
    served(
        "a path that looks like a URL",
        REBORN,
        b"GET //other.example/first HTTP/1.1\r\n" + HOST + b"\r\n",
        b"",
    ),
    # Connections
    ends("close, then a request", PORTSWIGGER, GET + b"Connection: close\r\n\r\n" + HIDDEN, b""),
    ends("close among other options", PORTSWIGGER, GET + b"Connection: x, close ,y\r\n\r\n" + HIDDEN, b""),
    ends(
        "close beside keep-alive",
        GARDEN,
        GET + b"Connection: keep-alive\r\nConnection: close\r\n\r\n" + HIDDEN,
        b"",
    ),
    ends("HTTP/1.0 without keep-alive", GARDEN, b"GET /first HTTP/1.0\r\n" + HOST + b"\r\n" + HIDDEN, b""),
    served(
        "Host named by Connection", cve("2022-31813"), GET + b"Connection: Host, X-Forwarded-For\r\n\r\n", b""
    ),
    served(
        "h2c's upgrade",
        H2C,
        GET + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        b"HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n",
        b"",
    ),
    served(
        "h2c's upgrade with a body",
        H2C,
        POST + b"Connection: Upgrade\r\nUpgrade: h2c\r\n" + length(HIDDEN) + b"\r\n" + HIDDEN,
        HIDDEN,
    ),
    served(
        "an upgrade with a chunked body",
        UPGRADE,
        POST + b"Connection: Upgrade\r\nUpgrade: x\r\n" + CHUNKED + b"\r\n1\r\na\r\n" + LAST_CHUNK,
        b"a",
    ),
    served(
        "an upgrade that is declined",
        UPGRADE,
        GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 1338\r\n\r\n",
        b"",
    ),
    served("an upgrade nobody names in Connection", UPGRADE, GET + b"Upgrade: websocket\r\n\r\n", b""),
    refused(
        "an upgrade with two framings",
        UPGRADE,
        POST + b"Connection: Upgrade\r\nUpgrade: x\r\n" + CHUNKED + length(b"abcde") + b"\r\n" + LAST_CHUNK,
    ),
    served("an empty line before a request", LLHTTP, b"\r\n" + GET + b"\r\n", b""),
    # What follows a refused request, or comes before it
    refused(
        "a good one, then two framings",
        REBORN,
        GET + b"\r\n" + POST + CHUNKED + length(HIDDEN) + b"\r\n" + HIDDEN,
        b"",
    ),
    refused(
        "a good one, then a bad chunk", LLHTTP, GET + b"\r\n" + POST + CHUNKED + b"\r\nzz\r\n" + HIDDEN, b""
    ),
    refused("a body that is longer than said", PORTSWIGGER, POST + length(b"") + b"\r\nx=" + HIDDEN, b""),
    refused(
        "two good ones, then none",
        PORTSWIGGER,
        (GET + b"\r\n") * 2 + b"\x16\x03\x01\x02\r\n\r\n" + HIDDEN,
        b"",
        b"",
    ),
)
