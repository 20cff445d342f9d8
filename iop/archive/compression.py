"""gzip both ways, as streams: memory is bounded by the chunk, whatever the size."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from iop.errors import ShipError

__all__ = ["MAGIC", "gzipped", "inflated"]

#: How a gzip stream begins (RFC 1952, section 2.3.1). No tar begins so.
MAGIC = b"\x1f\x8b"

_CHUNK = 1 << 20
_GZIP = zlib.MAX_WBITS | 16


def gzipped(chunks: Iterable[bytes], level: int = 6) -> Iterator[bytes]:
    """The chunks as one gzip stream. zlib writes no name and a zero mtime: same input, same bytes."""
    packer = zlib.compressobj(level, zlib.DEFLATED, _GZIP)
    for chunk in chunks:
        if packed := packer.compress(chunk):
            yield packed
    yield packer.flush()


def inflated(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """What a gzip stream holds, in chunks of at most 1 MiB. Raises ShipError when it is damaged or cut short."""
    unpacker = zlib.decompressobj(_GZIP)
    try:
        for packed in chunks:
            rest = packed
            while rest:
                if unpacker.eof:  # a gzip file may be several streams, one after another (section 2.2)
                    unpacker = zlib.decompressobj(_GZIP)
                yield unpacker.decompress(rest, _CHUNK)
                rest = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
        yield unpacker.flush()
    except zlib.error as error:
        raise ShipError(f"a layer's gzip stream is damaged: {error}") from error
    if not unpacker.eof:
        raise ShipError("a layer's gzip stream ends too early")
