"""Content-Length that one server reads one way and the next another; bodies that somebody ignores."""

from tests.proxy.smuggling.attack import (
    BROWSER,
    GARDEN,
    GET,
    H1SPEC,
    HIDDEN,
    HOP_BY_HOP,
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

ATTACKS: tuple[Attack, ...] = (
    refused("two lengths", cve("2020-10108"), POST + length(b"") + length(HIDDEN) + b"\r\n" + HIDDEN),
    refused(
        "two lengths, the long one first", REBORN, POST + length(HIDDEN) + length(b"") + b"\r\n" + HIDDEN
    ),
    refused("the same length twice", LLHTTP, POST + length(b"a") * 2 + b"\r\na"),
    refused("a list of lengths", cve("2019-16792"), POST + b"Content-Length: 0, 40\r\n\r\n" + HIDDEN),
    refused("a list of the same", LLHTTP, POST + b"Content-Length: 1, 1\r\n\r\na"),
    refused("a list with nothing", GARDEN, POST + b"Content-Length: ,1\r\n\r\na"),
    refused("a plus", cve("2021-32715"), POST + b"Content-Length: +1\r\n\r\na"),
    refused("a minus", H1SPEC, POST + b"Content-Length: -1\r\n\r\na"),
    refused("minus zero", GARDEN, POST + b"Content-Length: -0\r\n\r\n"),
    refused("a minus that overflows", H1SPEC, POST + b"Content-Length: -123456789123456789123456789\r\n\r\n"),
    refused("hexadecimal", GARDEN, POST + b"Content-Length: 0x1\r\n\r\na"),
    refused("an underscore", cve("2023-47627"), POST + b"Content-Length: 1_0\r\n\r\n0123456789"),
    refused("a space inside", cve("2018-7159"), POST + b"Content-Length: 1 0\r\n\r\n0123456789"),
    refused("a fraction", GARDEN, POST + b"Content-Length: 1.0\r\n\r\na"),
    refused("an exponent", GARDEN, POST + b"Content-Length: 1e1\r\n\r\n0123456789"),
    refused("a word", H1SPEC, POST + b"Content-Length: abc\r\n\r\n"),
    refused("quotes", GARDEN, POST + b'Content-Length: "1"\r\n\r\na'),
    refused("a semicolon", GARDEN, POST + b"Content-Length: 1;1\r\n\r\na"),
    refused("empty", cve("2023-40225"), POST + b"Content-Length:\r\n\r\n" + HIDDEN),
    refused("empty, then one", cve("2023-40225"), POST + b"Content-Length:\r\n" + length(b"a") + b"\r\na"),
    refused("64 bits and one more", LLHTTP, POST + b"Content-Length: 18446744073709551617\r\n\r\na"),
    refused(
        "a length that overflows 64 bits far", GARDEN, POST + b"Content-Length: %s\r\n\r\n" % (b"9" * 40)
    ),
    refused("digits that aren't ASCII", GARDEN, POST + "Content-Length: \u0661\r\n\r\na".encode()),
    refused("a no-break space", GARDEN, POST + b"Content-Length: 1\xa0\r\n\r\na"),
    refused("a NUL after it", GARDEN, POST + b"Content-Length: 1\x00\r\n\r\na"),
    refused("a vertical tab before it", GARDEN, POST + b"Content-Length:\x0b1\r\n\r\na"),
    refused("a form feed after it", cve("2019-16789"), POST + b"Content-Length: 1\x0c\r\n\r\na"),
    refused("a space before the colon", cve("2023-40518"), POST + b"Content-Length : 40\r\n\r\n" + HIDDEN),
    refused("a tab before the colon", cve("2021-22959"), POST + b"Content-Length\t: 40\r\n\r\n" + HIDDEN),
    refused(
        "a tab before the name",
        GARDEN,
        b"POST /first HTTP/1.1\r\n\tContent-Length: 1\r\nHost: victim.example\r\n\r\na",
    ),
    refused("folded", LLHTTP, POST + b"Content-Length:\r\n 1\r\n\r\na"),
    refused(
        "a name that overflows", cve("2021-40346"), POST + b"Content-Length" + b"0" * 240 + b"aaa:\r\n" * 200
    ),
    refused(
        "no name before a second one", cve("2023-25725"), POST + b": \r\n" + length(HIDDEN) + b"\r\n" + HIDDEN
    ),
    served("leading zeros", GARDEN, POST + b"Content-Length: 0001\r\n\r\na", b"a"),
    served("tabs around it", GARDEN, POST + b"Content-Length:\t1\t \r\n\r\na", b"a"),
    served("an underscore in the name", GARDEN, POST + b"Content_Length: 40\r\n\r\n", b""),
    served("CL.0: GET with a body", BROWSER, GET + length(HIDDEN) + b"\r\n" + HIDDEN, HIDDEN),
    served(
        "CL.0: HEAD with a body",
        BROWSER,
        b"HEAD /first HTTP/1.1\r\nHost: victim.example\r\n" + length(HIDDEN) + b"\r\n" + HIDDEN,
        HIDDEN,
    ),
    served(
        "CL.0: OPTIONS with a body",
        BROWSER,
        b"OPTIONS /first HTTP/1.1\r\nHost: victim.example\r\n" + length(HIDDEN) + b"\r\n" + HIDDEN,
        HIDDEN,
    ),
    served("CL.0: a body that is a request", PORTSWIGGER, POST + length(HIDDEN) + b"\r\n" + HIDDEN, HIDDEN),
    served(
        "a name of the length's in Connection",
        HOP_BY_HOP,
        POST + b"Connection: Content-Length\r\n" + length(HIDDEN) + b"\r\n" + HIDDEN,
        HIDDEN,
    ),
    ends(
        "a body in HTTP/1.0",
        PORTSWIGGER,
        b"POST /first HTTP/1.0\r\nHost: victim.example\r\n" + length(HIDDEN) + b"\r\n" + HIDDEN,
        HIDDEN,
    ),
    served(
        "0.CL: Expect with a body at once",
        MUST_DIE,
        POST + b"Expect: 100-continue\r\n" + length(HIDDEN) + b"\r\n" + HIDDEN,
        HIDDEN,
    ),
    served(
        "0.CL: Expect with a word more",
        MUST_DIE,
        POST + b"Expect: y 100-continue\r\n" + length(HIDDEN) + b"\r\n" + HIDDEN,
        HIDDEN,
    ),
    served(
        "0.CL: Expect on GET",
        MUST_DIE,
        GET + b"Expect: 100-continue\r\n" + length(HIDDEN) + b"\r\n" + HIDDEN,
        HIDDEN,
    ),
    refused(
        "Expect folded", MUST_DIE, POST + b"Expect:\r\n 100-continue\r\n" + length(HIDDEN) + b"\r\n" + HIDDEN
    ),
)
