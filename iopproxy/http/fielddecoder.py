"""HPACK for requests (RFC 7541): what hpack's decoder does, in a quarter of its time.

Its own looks at each field through slices, copies and log messages, and copies the rest of the block for each literal:
a third of all the work for a small request. The table, Huffman's code and long integers are still its.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from hpack.exceptions import HPACKDecodingError, OversizedHeaderListError
from hpack.hpack import Decoder, decode_integer
from hpack.huffman_table import decode_huffman
from hpack.struct import HeaderTuple

__all__ = ["FieldDecoder"]

_OVERHEAD: Final = 32
"""Of each field (RFC 9113 section 6.5.2)."""
_CACHED_SIZE: Final = 128
_RESIZES: Final = 2
"""Of the table in one block: to its smallest size since the last one, and to its last (RFC 7541 section 4.2)."""


class FieldDecoder(Decoder):
    """Raises what hpack's decoder raises, and refuses a table that is resized again and again.

    The fields don't say whether they may be indexed: nobody here passes HPACK on.
    """

    def decode(self, data: bytes, raw: bool = False) -> list[HeaderTuple]:
        """The fields of a block, as bytes whatever ``raw`` says."""
        fields: list[HeaderTuple] = []
        lookup, add = self.header_table.get_by_index, self.header_table.add
        at, size, room, resizes = 0, len(data), self.max_header_list_size, 0
        while at < size:
            first = data[at]
            if first & 0x80:
                index, at = _integer(data, at, 7)
                field = lookup(index)
            elif first & 0xE0 == 0x20:
                if fields:
                    raise HPACKDecodingError("Table size update not at the start of the block")
                resizes += 1
                if resizes > _RESIZES:
                    raise HPACKDecodingError("Too many table size updates")
                at += self._update_encoding_context(data[at : at + 16])
                continue
            else:
                index, at = _integer(data, at, 6 if first & 0x40 else 4)
                if index:
                    name = lookup(index)[0]
                else:
                    name, at = _string(data, at)
                value, at = _string(data, at)
                field = (name, value)
                if first & 0x40:
                    add(name, value)
            fields.append(field)  # type: ignore[arg-type]  # a HeaderTuple only says whether it may be indexed
            room -= _OVERHEAD + len(field[0]) + len(field[1])
            if room < 0:
                raise OversizedHeaderListError("The field section is too large")
        self._assert_valid_table_size()
        return fields


def _integer(data: bytes, at: int, bits: int) -> tuple[int, int]:
    """(an integer that begins with the lower ``bits`` of a byte, where it ends); RFC 7541 section 5.1."""
    most = (1 << bits) - 1
    number = data[at] & most
    if number < most:
        return number, at + 1
    number, used = decode_integer(data[at : at + 16], bits)
    return number, at + used


def _string(data: bytes, at: int) -> tuple[bytes, int]:
    """(a string, where it ends); RFC 7541 section 5.2."""
    if at >= len(data):
        raise HPACKDecodingError("Truncated header block")
    coded = data[at] & 0x80
    length, at = _integer(data, at, 7)
    end = at + length
    text = data[at:end]
    if len(text) != length:
        raise HPACKDecodingError("Truncated header block")
    if coded:
        text = _cached_text(text) if length <= _CACHED_SIZE else decode_huffman(text)
    return text, end


_cached_text = lru_cache(maxsize=4096)(decode_huffman)
