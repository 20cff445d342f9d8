"""An image from this machine to a server: thin when the server has part of it, in full on any doubt.

Everything streams: ``docker save`` here, the archive made thin and compressed on the way, one SSH channel,
``docker load`` there. No archive touches a disk and memory does not grow with the image.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator

from attrs import frozen

from iop import archive, local
from iop.commands import image as commands
from iop.commands.shell import script
from iop.connection import Server
from iop.console import Progress, console
from iop.errors import RemoteError, ShipError

__all__ = ["Shipped", "ship"]


@frozen
class Shipped:
    """What a transfer cost: bytes on the wire, bytes of the image, and how it went in a word or two."""

    sent: int
    size: int
    how: str


def ship(server: Server, tag: str, progress: Progress | None = None) -> Shipped:
    """Bring ``tag`` to the server. Raises ShipError when it did not arrive whole."""
    layers, size = _inspect(tag)
    listed = server.script(script(commands.layers()), "listing its images").stdout.splitlines()
    chains = [tuple(json.loads(line) or ()) for line in listed if line.startswith("[")]
    skip = archive.common_prefix(layers, chains)
    sent = 0
    if skip:
        try:
            sent = _thin(server, tag, layers, skip, progress)
        except ShipError as error:  # an archive that we can't read may still be one that Docker can
            console().output(str(error))
        if sent and _arrived(server, tag, layers):
            return Shipped(sent, size, f"{skip} of {len(layers)} layers were there")
    sent += _full(server, tag, size, progress)
    if not _arrived(server, tag, layers):
        raise ShipError(
            f"{server.original_host}: {tag} was sent whole, but Docker there can't use it",
            "see what it says: journalctl -u docker; is its disk full? (df -h /var/lib/docker)",
        )
    return Shipped(sent, size, "in full, after a thin load failed" if skip else "in full")


def _thin(server: Server, tag: str, layers: tuple[str, ...], skip: int, progress: Progress | None) -> int:
    with local.reading(commands.save(tag)) as saved:
        index = archive.read_index(saved, keep=layers[skip:])
    meter = _Meter(archive.total(index, skip), progress)
    chunks = archive.thin(lambda: local.reading(commands.save(tag)), index, skip)
    return _load(server, tag, meter, chunks, check=False)


def _full(server: Server, tag: str, size: int, progress: Progress | None) -> int:
    with local.reading(commands.save(tag)) as saved:
        chunks = iter(lambda: saved.read(1 << 16), b"")
        return _load(server, tag, _Meter(size, progress), chunks, check=True)


def _load(server: Server, tag: str, meter: _Meter, chunks: Iterable[bytes], *, check: bool) -> int:
    """Stream an archive into ``docker load``; the bytes on the wire. A failed thin load is no error yet."""
    try:
        server.pipe(commands.LOAD, meter.sent(archive.gzipped(meter.read(chunks))), f"loading {tag}")
    except RemoteError:
        if check:
            raise
    return meter.wire


def _arrived(server: Server, tag: str, layers: tuple[str, ...]) -> bool:
    """Whether the engine has every layer of the image and can make a container from it."""
    result = server.script(script(*commands.usable(tag)), f"checking {tag}", check=False)
    lines = [line for line in result.stdout.splitlines() if line.startswith("[")]
    return result.exited == 0 and bool(lines) and tuple(json.loads(lines[-1])) == layers


def _inspect(tag: str) -> tuple[tuple[str, ...], int]:
    template = "{{json .RootFS.Layers}} {{.Size}}"
    words = local.output(("docker", "image", "inspect", "--format", template, tag)).rpartition(" ")
    return tuple(json.loads(words[0]) or ()), int(words[2])


class _Meter:
    """Counts the archive's bytes for the progress line and the compressed ones for the account."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self.wire = 0
        self._done = 0
        self._total = total
        self._tell: Callable[[int, int], None] = progress.bytes if progress else lambda _done, _total: None

    def read(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._done += len(chunk)
            self._tell(min(self._done, self._total), self._total)
            yield chunk

    def sent(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.wire += len(chunk)
            yield chunk
