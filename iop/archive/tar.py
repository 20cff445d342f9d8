"""Tar archives as streams: the members of one that is read, the headers of one that is written."""

from __future__ import annotations

import posixpath
import tarfile
from collections.abc import Iterator
from typing import IO

from attrs import frozen

from iop.errors import ShipError

__all__ = ["END", "Member", "file_size", "header", "members", "padding"]

#: Two empty blocks end an archive.
END = bytes(2 * tarfile.BLOCKSIZE)

_CHUNK = 1 << 20


@frozen
class Member:
    """A file, or a link to another member (``target``). Its content can be read once, before the next member."""

    name: str
    size: int
    target: str | None
    _content: IO[bytes] | None

    def chunks(self) -> Iterator[bytes]:
        """The content, at most 1 MiB at a time. Raises ShipError when the archive ends inside it."""
        try:
            while self._content is not None and (chunk := self._content.read(_CHUNK)):
                yield chunk
        except tarfile.TarError as error:
            raise ShipError(f"the image archive ends inside {self.name}") from error


def members(stream: IO[bytes]) -> Iterator[Member]:
    """The files and links of a tar stream, in its order. Raises ShipError for what is no tar or ends too early.

    The stream is read to its very end: a ``docker save`` cut off in its last padding would exit with an error.
    """
    try:
        with tarfile.open(fileobj=stream, mode="r|", bufsize=_CHUNK) as tar:
            while (info := tar.next()) is not None:
                tar.members = []  # type: ignore[attr-defined]  # else it keeps every header it saw
                if info.isfile():
                    yield Member(posixpath.normpath(info.name), info.size, None, tar.extractfile(info))
                elif info.issym() or info.islnk():
                    base = posixpath.dirname(info.name) if info.issym() else ""
                    target = posixpath.normpath(posixpath.join(base, info.linkname))
                    yield Member(posixpath.normpath(info.name), 0, target, None)
        while stream.read(_CHUNK):
            pass
    except tarfile.TarError as error:
        raise ShipError(f"the image archive ends too early: {error}") from error


def header(name: str, size: int) -> bytes:
    """The header of a file of ``size`` bytes: nothing in it depends on when, where or by whom it is written."""
    info = tarfile.TarInfo(name)
    info.size = size
    # Of the formats only GNU's carries sizes from 8 GiB on without an extra member.
    return info.tobuf(tarfile.GNU_FORMAT)


def padding(size: int) -> bytes:
    """What follows a content of ``size`` bytes up to the next block."""
    return bytes(-size % tarfile.BLOCKSIZE)


def file_size(size: int) -> int:
    """The bytes a file takes in an archive: header, content and padding."""
    return tarfile.BLOCKSIZE + size + len(padding(size))
