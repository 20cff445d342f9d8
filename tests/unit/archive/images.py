"""Image archives made by hand, in each layout that ``docker save`` has written."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Sequence

CHANGED = b"changed " * 400


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def layer(name: str, content: bytes) -> bytes:
    """A layer's tar with one file in it."""
    return archive([(name, content)])


def archive(members: Sequence[tuple[str, bytes]], links: Sequence[tuple[str, str]] = ()) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for name, to in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, to
            tar.addfile(info)
    return target.getvalue()


def config(layers: Sequence[bytes]) -> bytes:
    ids = [digest(each) for each in layers]
    return json.dumps(
        {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": ids}}
    ).encode()


def docker_manifest(config_name: str, names: Sequence[str], tags: Sequence[str] | None) -> bytes:
    return json.dumps([{"Config": config_name, "RepoTags": tags, "Layers": list(names)}]).encode()


def legacy(layers: Sequence[bytes], tags: Sequence[str] | None = ("shop/web:1",)) -> bytes:
    """Docker 20.10 to 24: layers under ids that say nothing, equal ones as links, the manifest last."""
    body = config(layers)
    name = f"{hashlib.sha256(body).hexdigest()}.json"
    members: list[tuple[str, bytes]] = [(name, body)]
    links, names, first = [], [], {}
    for number, content in enumerate(layers):
        folder = hashlib.sha256(b"%d" % number).hexdigest()
        members += [(f"{folder}/VERSION", b"1.0"), (f"{folder}/json", b'{"id":"x"}')]
        names.append(f"{folder}/layer.tar")
        if content in first:
            links.append((names[-1], f"../{first[content]}/layer.tar"))
        else:
            first[content] = folder
            members.append((names[-1], content))
    return archive([*members, ("manifest.json", docker_manifest(name, names, tags))], links)


def oci(
    layers: Sequence[bytes],
    tags: Sequence[str] | None = ("shop/web:1",),
    *,
    packed: bool = False,
    without: Sequence[int] = (),
) -> bytes:
    """Docker 25 and later. ``packed``: as a containerd store keeps layers; ``without``: layers it leaves out."""
    body = config(layers)
    blobs = [gzip.compress(each) if packed else each for each in layers]
    names = [f"blobs/sha256/{hashlib.sha256(each).hexdigest()}" for each in blobs]
    name = f"blobs/sha256/{hashlib.sha256(body).hexdigest()}"
    kept = {names[n]: blob for n, blob in enumerate(blobs) if n not in without}
    return archive(
        [
            (name, body),
            *kept.items(),
            ("index.json", b'{"schemaVersion":2,"manifests":[]}'),
            ("manifest.json", docker_manifest(name, names, tags)),
            ("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'),
        ]
    )


class Trickle(io.RawIOBase):
    """A pipe that gives the content in the pieces it is told to, over and over."""

    def __init__(self, content: bytes, pieces: Sequence[int]) -> None:
        self._content = io.BytesIO(content)
        self._pieces = pieces
        self._turn = 0

    def read(self, size: int = -1) -> bytes:
        piece = self._pieces[self._turn % len(self._pieces)]
        self._turn += 1
        return self._content.read(piece if size < 0 else min(piece, size))
