"""Docker commands about images, on this machine (argv) and on a server (shell text)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from iop.commands.shell import line, quiet

__all__ = ["LOAD", "build", "layers", "save", "usable"]

LOAD = "gzip -dc | docker load"
"""What a server does with the stream. gzip is on every Debian; the engine itself unpacks no zstd before 23."""


def build(
    tag: str,
    *,
    context: Path,
    dockerfile: Path,
    args: Sequence[str] = (),
    target: str | None = None,
    platform: str | None = None,
    buildkit: bool = False,
) -> tuple[str, ...]:
    """``docker build``. Build args are named only: Docker takes their values from the environment.

    The legacy builder would leave the container of a step that failed.
    """
    words = ["docker", *(("buildx", "build", "--load") if buildkit else ("build", "--force-rm"))]
    words += ["--tag", tag, "--file", str(dockerfile)]
    for name in args:
        words += ["--build-arg", name]
    if target:
        words += ["--target", target]
    if platform:
        words += ["--platform", platform]
    return (*words, str(context))


def save(tag: str) -> tuple[str, ...]:
    """``docker save`` to standard output."""
    return ("docker", "save", tag)


def layers() -> str:
    """The layer chains (diff ids) of every image on the engine, one JSON list a line."""
    inspect = line("docker", "image", "inspect", "--format", "{{json .RootFS.Layers}}")
    return f'ids=$(docker image ls --quiet --no-trunc | sort -u); if [ -n "$ids" ]; then {inspect} $ids; fi'


def usable(tag: str) -> tuple[str, ...]:
    """Fails unless a container can be made from the image; prints its layers as one JSON list.

    The exit status of ``docker load`` proves nothing: on a containerd store it is 0 for an image without its base.
    """
    probe = f"container=$({line('docker', 'create', tag, 'true')})"
    return (
        probe,
        quiet('docker rm --volumes "$container"'),
        line("docker", "image", "inspect", "--format", "{{json .RootFS.Layers}}", tag),
    )
