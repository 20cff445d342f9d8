"""Every byte that smuggler.py's exhaustive list puts before, into and behind a framing header's line."""

from collections.abc import Iterator

from tests.proxy.smuggling.attack import HIDDEN, LAST_CHUNK, POST, SMUGGLER, Attack, refused

BYTES = (*range(0x01, 0x20), *range(0x7F, 0x100))
PLACES = {
    "before the name": b"%cTransfer-Encoding: chunked",
    "behind the name": b"Transfer-Encoding%c: chunked",
    "before the value": b"Transfer-Encoding:%cchunked",
    "behind the value": b"Transfer-Encoding: chunked%c",
}
BODY = LAST_CHUNK + HIDDEN


def attacks(place: str) -> Iterator[Attack]:
    """Transfer-Encoding with the byte in it, beside a Content-Length that covers what is hidden."""
    for byte in BYTES:
        line = PLACES[place] % byte
        data = POST + line + b"\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
        yield refused(f"{byte:02x} {place}", SMUGGLER, data)
