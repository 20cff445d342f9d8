"""The first pass over a ``docker save`` archive: which member is which layer, and whether all of them are there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Iterable, Iterator, Mapping
from itertools import chain
from typing import IO, Any

from attrs import define, field, frozen

from iop.archive import tar
from iop.archive.compression import MAGIC, inflated
from iop.errors import ShipError

__all__ = ["Index", "Layer", "read_index"]

_DOCUMENT_LIMIT = 4 << 20
_KEPT_LIMIT = 16 << 20
_REMEDY = "build the image again; if that doesn't help, pull its base image again"


@frozen
class Layer:
    """One layer: ``diff_id`` is ``sha256:…`` of its uncompressed tar, ``size`` that tar's bytes."""

    diff_id: str
    member: str
    size: int
    compressed: bool


@frozen
class Index:
    """An image as its archive holds it, layers from the base up. ``config`` is the exact JSON that is hashed.

    ``kept`` has the uncompressed content of some small layers by diff id.
    """

    config: bytes
    tags: tuple[str, ...]
    layers: tuple[Layer, ...]
    kept: Mapping[str, bytes] = field(factory=dict, eq=False, repr=False)

    @property
    def image_id(self) -> str:
        """``sha256:…`` of the config, which is how an engine without the containerd store names the image."""
        return f"sha256:{hashlib.sha256(self.config).hexdigest()}"

    @property
    def diff_ids(self) -> tuple[str, ...]:
        """The layers' digests in order."""
        return tuple(layer.diff_id for layer in self.layers)


@frozen
class _Blob:
    """A file of the archive: the digest and size of its uncompressed content."""

    digest: str
    size: int
    compressed: bool


@define
class _Contents:
    """What the first pass remembers of an archive: a few dozen bytes a member, and the JSON documents."""

    blobs: dict[str, _Blob] = field(factory=dict)
    links: dict[str, str] = field(factory=dict)
    documents: dict[str, bytes] = field(factory=dict)
    kept: dict[str, bytes] = field(factory=dict)

    def room(self) -> int:
        """How many more bytes may be kept."""
        return _KEPT_LIMIT - sum(map(len, self.kept.values()))

    def json(self, name: str) -> Any:
        """A document, parsed. Raises ShipError when it isn't there or isn't JSON."""
        try:
            return json.loads(self.documents[name])
        except (KeyError, ValueError) as error:
            raise ShipError(f"the image archive holds no usable {name}", _REMEDY) from error

    def find(self, path: str) -> str:
        """The member that holds the content of ``path``: identical layers are saved as links to the first."""
        for _ in self.links:
            path = self.links.get(path, path)
        return path


def read_index(stream: IO[bytes], keep: Container[str] = ()) -> Index:
    """Read a ``docker save`` archive of one image to its end, and check every layer against the image's config.

    Layers whose diff id is in ``keep`` stay in memory as long as they are at most 16 MiB together.
    Understands what Docker 20.10 and later write, from both image stores. Raises ShipError, naming what is
    missing, when the archive isn't whole: a containerd store may leave layers out (moby issue 49473).
    """
    contents = _read(stream, keep)
    images = contents.json("manifest.json")
    if not isinstance(images, list) or len(images) != 1:
        raise ShipError("the archive must hold exactly one image")
    image = images[0]
    tags = tuple(image.get("RepoTags") or ())
    config = contents.documents.get(image["Config"])
    if config is None:
        raise ShipError(f"the archive of {_name(tags)} lacks the image's config", _REMEDY)
    layers = _layers(contents, json.loads(config), image["Layers"], _name(tags))
    return Index(config, tags, layers, contents.kept)


def _read(stream: IO[bytes], keep: Container[str]) -> _Contents:
    contents = _Contents()
    for member in tar.members(stream):
        if member.target is not None:
            contents.links[member.name] = member.target
            continue
        chunks = member.chunks()
        first = next(chunks, b"")
        whole: Iterable[bytes] = chain([first], chunks)
        if member.size <= _DOCUMENT_LIMIT and first[:1] in (b"{", b"["):
            contents.documents[member.name] = content = b"".join(whole)
            whole = [content]
        room = contents.room() if keep else 0
        blob, content = _blob(whole, room, compressed=first.startswith(MAGIC))
        contents.blobs[member.name] = blob
        if blob.digest in keep and len(content) == blob.size:
            contents.kept[blob.digest] = content
    return contents


def _blob(chunks: Iterable[bytes], room: int, *, compressed: bool) -> tuple[_Blob, bytes]:
    """What is known of a content, and its first ``room`` bytes or a chunk less."""
    digest, size, content = hashlib.sha256(), 0, bytearray()
    for chunk in inflated(chunks) if compressed else chunks:
        digest.update(chunk)
        size += len(chunk)
        if size <= room:
            content += chunk
    return _Blob(f"sha256:{digest.hexdigest()}", size, compressed), bytes(content)


def _layers(contents: _Contents, config: Mapping[str, Any], paths: list[str], name: str) -> tuple[Layer, ...]:
    diff_ids: list[str] = config["rootfs"]["diff_ids"] or []
    if len(diff_ids) != len(paths):
        raise ShipError(f"the archive of {name} lists {len(paths)} of {len(diff_ids)} layers", _REMEDY)
    found = [(diff_id, contents.find(path)) for diff_id, path in zip(diff_ids, paths, strict=True)]
    missing = [diff_id for diff_id, member in found if member not in contents.blobs]
    if missing:
        raise ShipError(f"docker save left {_count(missing, diff_ids)} out of {name}: {missing[0]}", _REMEDY)
    return tuple(_checked(found, contents.blobs, name))


def _checked(found: list[tuple[str, str]], blobs: Mapping[str, _Blob], name: str) -> Iterator[Layer]:
    for diff_id, member in found:
        blob = blobs[member]
        if blob.digest != diff_id:
            raise ShipError(f"a layer of {name} is damaged: {member} is not {diff_id}", _REMEDY)
        yield Layer(diff_id, member, blob.size, blob.compressed)


def _count(missing: list[str], diff_ids: list[str]) -> str:
    return f"{len(missing)} of {len(diff_ids)} layers"


def _name(tags: tuple[str, ...]) -> str:
    return tags[0] if tags else "the image"
