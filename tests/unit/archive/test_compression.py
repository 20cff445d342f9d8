import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iop.archive import gzipped
from iop.archive.compression import inflated
from iop.errors import ShipError


@given(st.lists(st.binary(max_size=5000)))
def test_what_is_packed_can_be_unpacked(chunks: list[bytes]) -> None:
    packed = b"".join(gzipped(chunks))
    assert gzip.decompress(packed) == b"".join(chunks)
    assert b"".join(inflated([packed])) == b"".join(chunks)


def test_the_same_input_gives_the_same_bytes() -> None:
    assert b"".join(gzipped([b"one", b"two"])) == b"".join(gzipped([b"onetwo"]))
    assert b"".join(gzipped([b"one"]))[4:8] == bytes(4)  # no time of day


@given(st.binary(max_size=3000), st.binary(max_size=3000), st.integers(1, 700))
def test_several_streams_in_a_row_are_one(one: bytes, other: bytes, cut: int) -> None:
    packed = gzip.compress(one) + gzip.compress(other)
    pieces = [packed[at : at + cut] for at in range(0, len(packed), cut)]
    assert b"".join(inflated(pieces)) == one + other


def test_what_unpacks_to_a_lot_comes_in_bounded_chunks() -> None:
    sizes = [len(chunk) for chunk in inflated([zlib.compress(bytes(50 << 20), wbits=31)])]
    assert sum(sizes) == 50 << 20
    assert max(sizes) <= 1 << 20


@pytest.mark.parametrize("packed", [gzip.compress(b"x" * 999)[:-9], gzip.compress(b"x" * 999)[:-4] + b"junk"])
def test_a_damaged_stream_is_refused(packed: bytes) -> None:
    with pytest.raises(ShipError):
        list(inflated([packed]))
