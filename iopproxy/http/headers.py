"""What each header line means to a proxy, and which lines go on (RFC 9110 section 7.6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final

__all__ = [
    "CONNECTION",
    "DATE",
    "ENCODING",
    "EXPECT",
    "FORWARDED",
    "HOPS",
    "HOST",
    "LENGTH",
    "OTHER",
    "REQUEST_ID",
    "STRICT",
    "TE",
    "TRAILER",
    "UPGRADE",
    "Header",
    "kind",
    "named",
    "options",
    "trailers",
    "upgrades",
    "without",
]

Header = tuple[bytes, bytes]

OTHER: Final = 0
"""Goes on as it is."""
DROPPED: Final = 1
"""Belongs to one connection only."""
CONNECTION: Final = 2
HOST: Final = 3
LENGTH: Final = 4
ENCODING: Final = 5
FORWARDED: Final = 6
"""Says who the client is; believed only where the route says so."""
EXPECT: Final = 7
DATE: Final = 8
REQUEST_ID: Final = 9
TE: Final = 10
TRAILER: Final = 11
"""Announces trailers, so it goes on where they do."""
UPGRADE: Final = 12
STRICT: Final = 13
"""Strict-Transport-Security: an app's own counts more than ours."""
HOPS: Final = 14
"""Max-Forwards."""

_KINDS: Final = {
    b"connection": CONNECTION,
    b"host": HOST,
    b"content-length": LENGTH,
    b"transfer-encoding": ENCODING,
    b"expect": EXPECT,
    b"date": DATE,
    b"keep-alive": DROPPED,
    b"proxy-connection": DROPPED,
    b"proxy-authenticate": DROPPED,
    b"proxy-authorization": DROPPED,
    b"te": TE,
    b"trailer": TRAILER,
    b"upgrade": UPGRADE,
    b"http2-settings": DROPPED,
    b"forwarded": FORWARDED,
    b"x-real-ip": FORWARDED,
    b"x-request-id": REQUEST_ID,
    b"strict-transport-security": STRICT,
    b"max-forwards": HOPS,
}

_NOT_IN_TRAILERS: Final = frozenset(
    b"age authorization cache-control content-encoding content-range content-type cookie expires if-match "
    b"if-modified-since if-none-match if-range if-unmodified-since location max-forwards pragma range "
    b"retry-after set-cookie vary warning www-authenticate".split()
)
"""Beside what has a meaning to us: a recipient that merged these into the head would be misled by them."""


_HTTP: Final = (b"h2", b"h3", b"http/")
_FORWARDED: Final = b"x-forwarded-"
_NAMES: Final = 4096
_NAME_SIZE: Final = 64
_OPTIONS: Final = frozenset({b"", b"close", b"keep-alive", b"te", b"upgrade"})
_CONNECTION_SIZE: Final = 128
"""Longer values aren't kept in a cache: who sends them decides how long they are, and how many there are."""


def _kind(name: bytes) -> int:
    lower = name.lower()
    if b"_" in lower and _meaning(lower.replace(b"_", b"-")) != OTHER:
        return DROPPED
    return _meaning(lower)


def _meaning(lower: bytes) -> int:
    return FORWARDED if lower.startswith(_FORWARDED) else _KINDS.get(lower, OTHER)


class _Kinds(dict[bytes, int]):
    """Meanings that were found out once. Clients choose names, so neither many nor long ones are kept."""

    def __missing__(self, name: bytes) -> int:
        found = _kind(name)
        if len(name) <= _NAME_SIZE:
            if len(self) >= _NAMES:
                self.clear()
            self[name] = found
        return found


kind: Final[Callable[[bytes], int]] = _Kinds().__getitem__
"""The meaning of a header's name, in whatever case.

A name with underscores that CGI-like servers would take for one of ours (X_Forwarded_For) is DROPPED.
"""


def options(value: bytes) -> list[bytes]:
    """The members of a comma-separated list, in lower case."""
    return [each.strip(b" \t").lower() for each in value.split(b",")]


def upgrades(offer: bytes) -> bytes | None:
    """The protocols of an Upgrade that are offered to a target: any but HTTP in another version.

    A target that spoke HTTP/2 through a tunnel would get requests that nobody has read.
    """
    protocols = [each.strip(b" \t") for each in offer.split(b",")]
    return b", ".join(each for each in protocols if each and not each.lower().startswith(_HTTP)) or None


def named(connection: bytes) -> frozenset[bytes]:
    """The header names, in lower case, that a Connection line takes away beyond those that never go on."""
    return _cached_named(connection) if len(connection) <= _CONNECTION_SIZE else _named(connection)


def _named(connection: bytes) -> frozenset[bytes]:
    return frozenset(name for name in options(connection) if name not in _OPTIONS and kind(name) != DROPPED)


_cached_named = lru_cache(maxsize=256)(_named)


def trailers(lines: Iterable[Header]) -> list[Header]:
    """The trailer fields that go on: none about framing, routing, access or content (RFC 9110 section 6.5.1)."""
    return [each for each in lines if kind(each[0]) == OTHER and each[0].lower() not in _NOT_IN_TRAILERS]


def without(headers: Iterable[Header], names: frozenset[bytes]) -> list[Header]:
    """The lines whose name isn't in ``names``."""
    return [each for each in headers if each[0].lower() not in names]
