"""Transfer-Encoding beside Content-Length, and Transfer-Encoding that not everybody recognises."""

from tests.proxy.smuggling.attack import (
    CHUNKED,
    GARDEN,
    HIDDEN,
    HOP_BY_HOP,
    LAST_CHUNK,
    LLHTTP,
    PORTSWIGGER,
    POST,
    REBORN,
    SMUGGLER,
    Attack,
    cve,
    length,
    refused,
    served,
)

BODY = LAST_CHUNK + HIDDEN


def both(name: str, line: bytes, source: str = SMUGGLER) -> Attack:
    """A spelling of Transfer-Encoding beside a Content-Length that covers what is hidden."""
    return refused(name, source, POST + line + b"\r\n" + length(BODY) + b"\r\n" + BODY)


def alone(name: str, line: bytes, source: str = SMUGGLER) -> Attack:
    """The same without Content-Length."""
    return refused(f"{name}, alone", source, POST + line + b"\r\n\r\n" + BODY)


ATTACKS: tuple[Attack, ...] = (
    refused("CL.TE", PORTSWIGGER, POST + length(BODY) + CHUNKED + b"\r\n" + BODY),
    refused("TE.CL", PORTSWIGGER, POST + CHUNKED + b"Content-Length: 4\r\n\r\n5c\r\n" + BODY),
    refused(
        "TE.0",
        "https://www.bugcrowd.com/blog/unveiling-te-0-http-request-smuggling/",
        b"OPTIONS /first HTTP/1.1\r\nHost: victim.example\r\n" + length(b"") + CHUNKED + b"\r\n" + BODY,
    ),
    refused("CL.TE with length 0", REBORN, POST + length(b"") + CHUNKED + b"\r\n" + BODY),
    refused(
        "TE.TE: a second, unknown one", PORTSWIGGER, POST + CHUNKED + b"Transfer-Encoding: x\r\n\r\n" + BODY
    ),
    refused(
        "TE.TE: the unknown one first",
        PORTSWIGGER,
        POST + b"Transfer-Encoding: x\r\n" + CHUNKED + b"\r\n" + BODY,
    ),
    refused("TE.TE: another case", REBORN, POST + CHUNKED + b"Transfer-encoding: cow\r\n\r\n" + BODY),
    refused("chunked twice", GARDEN, POST + CHUNKED * 2 + b"\r\n1\r\nZ\r\n" + BODY),
    refused("chunked, chunked", LLHTTP, POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + BODY),
    refused("identity", cve("2022-1705"), POST + b"Transfer-Encoding: identity\r\n\r\n" + BODY),
    refused(
        "identity beside a length",
        GARDEN,
        POST + b"Transfer-Encoding: identity\r\n" + length(BODY) + b"\r\n" + BODY,
    ),
    refused(
        "identity, chunked", cve("2024-6827"), POST + b"Transfer-Encoding: identity, chunked\r\n\r\n" + BODY
    ),
    refused("gzip, chunked", cve("2019-16786"), POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + BODY),
    refused("chunked, gzip", cve("2022-32213"), POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n" + BODY),
    refused("chunked with a parameter", GARDEN, POST + b"Transfer-Encoding: chunked;q=1\r\n\r\n" + BODY),
    refused("an empty element", cve("2024-1135"), POST + b"Transfer-Encoding: ,chunked\r\n\r\n" + BODY),
    refused("an empty element at the end", GARDEN, POST + b"Transfer-Encoding: chunked,\r\n\r\n" + BODY),
    refused("empty", GARDEN, POST + b"Transfer-Encoding:\r\n\r\n" + BODY),
    refused(
        "empty beside a length", GARDEN, POST + b"Transfer-Encoding:\r\n" + length(BODY) + b"\r\n" + BODY
    ),
    refused(
        "folded over two lines",
        cve("2022-32215"),
        POST + b"Transfer-Encoding: chunked\r\n , identity\r\n\r\n" + BODY,
    ),
    refused(
        "in HTTP/1.0",
        GARDEN,
        b"POST /first HTTP/1.0\r\nHost: victim.example\r\nConnection: keep-alive\r\n"
        + CHUNKED
        + b"\r\n"
        + BODY,
    ),
    refused(
        "in HTTP/1.0 beside a length",
        REBORN,
        b"POST /first HTTP/1.0\r\nHost: victim.example\r\n" + CHUNKED + length(BODY) + b"\r\n" + BODY,
    ),
    refused(
        "behind a bare CR",
        cve("2023-30589"),
        POST + b"X: x\rTransfer-Encoding: chunked\r\n" + length(BODY) + b"\r\n" + BODY,
    ),
    refused(
        "behind a bare LF",
        cve("2022-32214"),
        POST + b"X: x\nTransfer-Encoding: chunked\r\n" + length(BODY) + b"\r\n" + BODY,
    ),
    refused("behind a NUL", GARDEN, POST + b"X: x\x00\r\n" + CHUNKED + length(BODY) + b"\r\n" + BODY),
    refused(
        "behind an empty name", cve("2023-25725"), POST + b":x\r\n" + CHUNKED + length(BODY) + b"\r\n" + BODY
    ),
    refused("behind an empty header of CR", cve("2022-35256"), POST + b"X:\r\r\n" + CHUNKED + b"\r\n" + BODY),
    refused(
        "behind a header without a colon",
        cve("2019-20444"),
        POST + b"X\r\n" + CHUNKED + length(BODY) + b"\r\n" + BODY,
    ),
    both("a space before the name", b" Transfer-Encoding: chunked"),
    both("a tab after the colon", b"Transfer-Encoding:\tchunked"),
    both("tabs around the colon", b"Transfer-Encoding\t:\tchunked"),
    both("a space in the name", b"Transfer Encoding: chunked"),
    both("a space before the colon", b"Transfer-Encoding : chunked", cve("2019-16869")),
    both("two spaces", b"Transfer-Encoding:  chunked"),
    both("a vertical tab", b"Transfer-Encoding:\x0bchunked", cve("2019-15605")),
    both("a form feed", b"Transfer-Encoding:\x0cchunked"),
    both("chunked, cow", b"Transfer-Encoding: chunked, cow"),
    both("cow, chunked", b"Transfer-Encoding: cow, chunked"),
    both("wrapped by LF", b"Transfer-Encoding:\n chunked"),
    both("wrapped by CRLF", b"Transfer-Encoding:\r\n chunked"),
    both("quotes", b'Transfer-Encoding: "chunked"'),
    both("apostrophes", b"Transfer-Encoding: 'chunked'"),
    both("chunk", b"Transfer-Encoding: chunk"),
    both("mixed case", b"TrAnSFer-EnCODinG: cHuNkeD"),
    both("capitals", b"TRANSFER-ENCODING: CHUNKED"),
    both("a CR at the end", b"Transfer-Encoding: chunked\r"),
    both("a tab at the end", b"Transfer-Encoding: chunked\t"),
    both("cow and chunked", b"Transfer-Encoding: cow\r\nTransfer-Encoding: chunked"),
    both("a CR in the name", b"Transfer\r-Encoding: chunked"),
    both("among words", b"Transfer-Encoding: cow chunked bar"),
    both("FF before it", b"Transfer-Encoding:\xffchunked"),
    both("an accent in the value", b"Transfer-Encoding: ch\x96nked"),
    both("an accent in the name", b"Transf\x82r-Encoding: chunked"),
    both("no-break spaces", b"Transfer-Encoding: \xa0chunked\xa0", GARDEN),
    both("next lines", b"Transfer-Encoding: \x85chunked", GARDEN),
    both("the long s and Kelvin sign of Unicode", "Tran\u017ffer-Encoding: chun\u212aed".encode(), GARDEN),
    alone("quotes", b'Transfer-Encoding: "chunked"'),
    alone("chunk", b"Transfer-Encoding: chunk"),
    alone("xchunked", b"Transfer-Encoding: xchunked", PORTSWIGGER),
    alone("a vertical tab", b"Transfer-Encoding:\x0bchunked", cve("2019-15605")),
    alone("no-break spaces", b"Transfer-Encoding: \xa0chunked\xa0", GARDEN),
    alone("a CR at the end", b"Transfer-Encoding: chunked\r"),
    served(
        "an underscore in the name",
        SMUGGLER,
        POST + b"Transfer_Encoding: chunked\r\n" + length(BODY) + b"\r\n" + BODY,
        BODY,
    ),
    served(
        "Content-Encoding",
        SMUGGLER,
        POST + b"Content-Encoding: chunked\r\n" + length(BODY) + b"\r\n" + BODY,
        BODY,
    ),
    served(
        "Transfer-Encoding named by Connection",
        HOP_BY_HOP,
        POST + b"Connection: Transfer-Encoding\r\n" + CHUNKED + b"\r\n" + b"1\r\na\r\n" + LAST_CHUNK,
        b"a",
    ),
    served(
        "spaces after chunked",
        LLHTTP,
        POST + b"Transfer-Encoding: chunked  \r\n\r\n1\r\na\r\n" + LAST_CHUNK,
        b"a",
    ),
    served(
        "capitals, alone", SMUGGLER, POST + b"TRANSFER-ENCODING: CHUNKED\r\n\r\n1\r\na\r\n" + LAST_CHUNK, b"a"
    ),
    served("TE is another header", REBORN, POST + b"TE: chunked\r\n" + length(BODY) + b"\r\n" + BODY, BODY),
)
