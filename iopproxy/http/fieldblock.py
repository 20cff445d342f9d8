"""HPACK for responses (RFC 7541) without a dynamic table: what a field looks like depends on the field alone.

So each is encoded once and kept, no memory is spent per connection however large a table the client offers, and
the compression tells nothing about one response to who can see the size of another.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

from hpack.hpack import Encoder, encode_integer
from hpack.table import HeaderTable

from iopproxy.http.headers import Header

__all__ = ["StaticEncoder"]

_INDEX: Final = {pair: index for index, pair in reversed([*enumerate(HeaderTable.STATIC_TABLE, 1)])}
_NAME_INDEX: Final = {name: index for (name, _), index in _INDEX.items()}
_NO_TABLE: Final = b"\x20"
"""A dynamic table size update to 0 (RFC 7541 section 6.3)."""
_CACHED_SIZE: Final = 128


class StaticEncoder(Encoder):
    """Encodes names, of whatever case, and values without touching the dynamic table."""

    _said = False

    @property
    def header_table_size(self) -> int:
        """What the table may hold: nothing."""
        return 0

    @header_table_size.setter
    def header_table_size(self, value: int) -> None:
        """The client offers another size. It wants to be told that its table stays empty (RFC 7541 section 4.2)."""
        self._said = False

    def encode(self, headers: Iterable[Any], huffman: bool = False) -> bytes:
        """A header block of (name, value) pairs. Huffman's code would cost more time than the bytes it saves."""
        block = b"".join([_field(pair) for pair in headers])
        if self._said:
            return block
        self._said = True
        return _NO_TABLE + block


def _field(pair: Header) -> bytes:
    return _cached(pair) if len(pair[1]) <= _CACHED_SIZE else _encoded(pair)


def _encoded(pair: Header) -> bytes:
    name, value = pair[0].lower(), pair[1].strip(b" \t")
    index = _INDEX.get((name, value))
    if index is not None:
        return bytes([0x80 | index])
    index = _NAME_INDEX.get(name)
    shown = bytes(encode_integer(index, 4)) if index else b"\0" + bytes(encode_integer(len(name), 7)) + name
    return shown + bytes(encode_integer(len(value), 7)) + value


_cached = lru_cache(maxsize=4096)(_encoded)
