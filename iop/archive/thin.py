"""The second pass: the archive again, without the layers that the server has."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import IO

from iop.archive import tar
from iop.archive.compression import inflated
from iop.archive.index import Index, Layer
from iop.archive.layout import blob, documents
from iop.errors import ShipError

__all__ = ["common_prefix", "thin", "total"]

_CHUNK = 1 << 20


def common_prefix(diff_ids: Sequence[str], images: Iterable[Sequence[str]]) -> int:
    """How many layers from the base up some image on the server shares with ``diff_ids``.

    An engine knows a layer by its chain, all layers below it included: a layer it has above another base counts
    for nothing.
    """
    return max((_shared(diff_ids, image) for image in images), default=0)


def thin(again: Callable[[], AbstractContextManager[IO[bytes]]], index: Index, skip: int) -> Iterator[bytes]:
    """The image as an archive that lacks its first ``skip`` layers, in chunks of at most 1 MiB.

    ``again`` opens a second ``docker save`` of the image that ``index`` was read from; it is called when a layer to
    send was not kept from the first. The same archive gives the same bytes. Raises ShipError when the stream holds
    something else; what was sent until then must not be loaded.
    """
    wanted = _wanted(index, skip)
    kept = [wanted.pop(each.member) for each in [*wanted.values()] if each.diff_id in index.kept]
    files = [(blob(each.diff_id), index.kept[each.diff_id]) for each in kept]
    for name, content in [*documents(index), *files]:
        yield tar.header(name, len(content))
        yield from (content[at : at + _CHUNK] for at in range(0, len(content), _CHUNK))
        yield tar.padding(len(content))
    if wanted:
        with again() as stream:
            yield from _streamed(stream, wanted)
    yield tar.END


def total(index: Index, skip: int) -> int:
    """The bytes ``thin`` gives."""
    sizes = [len(content) for _, content in documents(index)]
    sizes += [layer.size for layer in _wanted(index, skip).values()]
    return sum(map(tar.file_size, sizes)) + len(tar.END)


def _shared(ours: Sequence[str], theirs: Sequence[str]) -> int:
    count = 0
    for one, other in zip(ours, theirs, strict=False):
        if one != other:
            break
        count += 1
    return count


def _wanted(index: Index, skip: int) -> dict[str, Layer]:
    """The layers to send by member, each content once. One that is skipped below may be needed again above."""
    by_content = {layer.diff_id: layer for layer in reversed(index.layers[skip:])}
    return {layer.member: layer for layer in by_content.values()}


def _streamed(stream: IO[bytes], wanted: dict[str, Layer]) -> Iterator[bytes]:
    """The layers that are ``wanted`` by member, from an archive; none is left in there at the end."""
    for member in tar.members(stream):
        if layer := wanted.pop(member.name, None):
            yield tar.header(blob(layer.diff_id), layer.size)
            yield from _verified(inflated(member.chunks()) if layer.compressed else member.chunks(), layer)
            yield tar.padding(layer.size)
    if wanted:
        raise ShipError("the image changed while it was being sent", "run iop again")


def _verified(chunks: Iterable[bytes], layer: Layer) -> Iterator[bytes]:
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
        if size > layer.size:
            break
        yield chunk
    if size != layer.size or f"sha256:{digest.hexdigest()}" != layer.diff_id:
        raise ShipError("the image changed while it was being sent", "run iop again")
