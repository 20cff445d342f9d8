"""Images from Debian packages alone, for machines that reach no image registry.

A tag ends in a hash of how the image is made, parents included, so that a changed recipe makes a new image.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from attrs import frozen

from iop.disposable import cache
from iop.disposable.debian import Tree
from iop.disposable.docker import docker, exists, follow
from iop.disposable.pace import Say, paced

__all__ = ["base", "python_base", "server_image"]


@frozen
class _Recipe:
    """An image made from ``parent`` by the Dockerfile of that name in this package."""

    name: str
    release: str
    parent: str

    @property
    def dockerfile(self) -> bytes:
        return (Path(__file__).parent / f"Dockerfile.{self.name}").read_bytes()

    @property
    def tag(self) -> str:
        digest = hashlib.sha256(self.dockerfile + self.parent.encode()).hexdigest()
        return f"iop-{self.name}-{self.release}:{digest[:12]}"


def base(release: str, say: Say) -> str:
    """The image of a minimal Debian (``bookworm`` or ``trixie``); made, once, when the engine lacks it."""
    tree = Tree(release)
    tag = f"iop-debian-{release}:{tree.digest}"
    if not exists("image", tag):
        with cache.locked(f"debian-{release}"):
            if not exists("image", tag):
                archive = tree.archive(say)
                say(f"importing Debian {release}")
                docker("import", str(archive), tag)
    return tag


def python_base(say: Say) -> str:
    """A slim Debian 12 with Python 3.11 and little else: 89 MB, some 35 MB compressed.

    Debian 12's, so that a machine with the lowest Python we support has the same one as its image.
    """
    return _built("python", "bookworm", base("bookworm", say), say)


def server_image(release: str, prepared: bool, say: Say) -> str:
    """A Debian server with systemd and sshd; ``prepared`` ones have that release's Docker as well."""
    bare = _built("server", release, base(release, say), say)
    return _built("prepared", release, bare, say) if prepared else bare


def _built(name: str, release: str, parent: str, say: Say) -> str:
    recipe = _Recipe(name, release, parent)
    if exists("image", recipe.tag):
        return recipe.tag
    with cache.locked(f"{name}-{release}"):
        if not exists("image", recipe.tag):
            say(f"building the {name} image for Debian {release}")
            tell = paced(say, f"{name} {release}")
            for line in follow(_build(recipe), stdin=recipe.dockerfile):
                tell(line)
    return recipe.tag


def _build(recipe: _Recipe) -> list[str]:
    # The machine's own network: Docker's default bridge has an MTU that may not suit it.
    words = ["docker", "build", "--network", "host", "--tag", recipe.tag]
    return [*words, "--build-arg", f"BASE={recipe.parent}", "-"]
