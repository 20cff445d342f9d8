"""Images of any size go through in the memory of a few chunks."""

import hashlib
import io
import json
import tarfile
import tracemalloc
from collections.abc import Iterator

from iop.archive import gzipped, read_index, thin, total

BLOCK = bytes(range(256)) * 4096
LAYER_BLOCKS, LAYER_COUNT = 100, 3
LIMIT = 64 << 20


class Generated(io.RawIOBase):
    """A ``docker save`` of 300 MiB that never exists as a whole."""

    def __init__(self) -> None:
        self._parts = self._archive()
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        if not self._rest:
            self._rest = next(self._parts, b"")
        given, self._rest = self._rest[:size], self._rest[size:]
        return given

    @staticmethod
    def _archive() -> Iterator[bytes]:
        ids = []
        for number in range(LAYER_COUNT):
            digest = hashlib.sha256()
            yield header(f"blobs/sha256/layer{number}", LAYER_BLOCKS * len(BLOCK))
            for _ in range(LAYER_BLOCKS):
                block = bytes([number]) + BLOCK[1:]
                digest.update(block)
                yield block
            ids.append(f"sha256:{digest.hexdigest()}")
        names = [f"blobs/sha256/layer{number}" for number in range(LAYER_COUNT)]
        yield document("config", {"rootfs": {"diff_ids": ids}})
        yield document("manifest.json", [{"Config": "config", "RepoTags": ["a/b:1"], "Layers": names}])
        yield bytes(1024)


class Everything:
    """Every layer is wished for."""

    def __contains__(self, digest: object) -> bool:
        return True


def header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf()


def document(name: str, value: object) -> bytes:
    content = json.dumps(value).encode()
    return header(name, len(content)) + content + bytes(-len(content) % 512)


def test_memory_stays_flat_over_an_image_of_300_mib() -> None:
    tracemalloc.start()
    try:
        index = read_index(Generated(), keep=Everything())
        sent = sum(map(len, gzipped(thin(Generated, index, 1), level=1)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert total(index, 1) > (LAYER_COUNT - 1) * LAYER_BLOCKS * len(BLOCK) > sent > 0
    assert peak < LIMIT
