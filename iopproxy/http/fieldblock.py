"""HPACK for responses (RFC 7541) without a dynamic table: what a field looks like depends on the field alone.

So names are encoded once and kept, no memory is spent per connection however large a table the client offers, and
the compression tells nothing about one response to who can see the size of another.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

from hpack.hpack import Encoder, encode_integer
from hpack.table import HeaderTable

__all__ = ["StaticEncoder"]

_STATIC: Final = {
    pair: bytes([0x80 | index]) for index, pair in reversed([*enumerate(HeaderTable.STATIC_TABLE, 1)])
}
"""Fields that are one byte (RFC 7541 section 6.1)."""
_NAMES: Final = {name: encoded[0] & 0x7F for (name, _), encoded in _STATIC.items()}
_LENGTHS: Final = [bytes([length]) for length in range(127)]
_NO_TABLE: Final = b"\x20"
"""A dynamic table size update to 0 (RFC 7541 section 6.3)."""
_CACHED_SIZE: Final = 64


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
        parts = [] if self._said else [_NO_TABLE]
        self._said = True
        for field in headers:
            known = _STATIC.get(field)
            if known is None:
                name, value = field
                value = value.strip(b" \t")
                size = len(value)
                known = (
                    (_cached_name(name) if len(name) <= _CACHED_SIZE else _name(name))
                    + (_LENGTHS[size] if size < 127 else encode_integer(size, 7))
                    + value
                )
            parts.append(known)
        return b"".join(parts)


def _name(name: bytes) -> bytes:
    """A literal field's name, of a field that isn't indexed (RFC 7541 section 6.2.2)."""
    name = name.lower()
    index = _NAMES.get(name)
    if index:
        return bytes(encode_integer(index, 4))
    return b"\0" + bytes(encode_integer(len(name), 7)) + name


_cached_name = lru_cache(maxsize=4096)(_name)
