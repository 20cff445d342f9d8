"""Building images with the Docker of this machine: BuildKit where it exists, the legacy builder otherwise."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from iop import local
from iop.commands import image as commands
from iop.dockerignore import ignored
from iop.errors import BuildError

__all__ = ["build", "has", "pull", "python"]

PULL_SECONDS = 300


def build(
    tag: str,
    *,
    context: Path,
    dockerfile: Path,
    args: Mapping[str, str] | None = None,
    target: str | None = None,
    platform: str | None = None,
    secrets: Path | None = None,
) -> None:
    """Build ``tag``. Raises BuildError with the builder's last lines, or when it could take in ``secrets``.

    ``platform`` is asked for only when it is not the engine's own: the legacy builder refuses the flag.
    """
    if not dockerfile.is_file():
        raise BuildError(f"no Dockerfile at {dockerfile}", "add one, or set build.dockerfile in iop.yml")
    if secrets is not None:
        _keep_secrets_out(secrets, context)
    argv = commands.build(
        tag,
        context=context,
        dockerfile=dockerfile,
        args=tuple(args or ()),
        target=target,
        platform=platform if platform != _engine_platform() else None,
        buildkit=_buildkit(),
    )
    local.watched(argv, f"building {tag}", env=args)


def has(tag: str) -> bool:
    """Whether this machine's Docker has the image. Raises IopError when there is no Docker to ask."""
    _engine_platform()
    return local.succeeds(("docker", "image", "inspect", tag))


def pull(tag: str, platform: str) -> bool:
    """Get an image from its registry; False when none can be reached or it isn't there."""
    return local.succeeds(("docker", "pull", "--quiet", "--platform", platform, tag), PULL_SECONDS)


def python(tag: str) -> str:
    """The version of the Python in an image, as ``3.11``. Raises IopError when there is none."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    return local.output(("docker", "run", "--rm", "--network", "none", tag, "python3", "-c", code)).strip()


def _keep_secrets_out(secrets: Path, context: Path) -> None:
    """A `COPY . .` would take .iop/secrets into the image, and so to the server."""
    if not secrets.exists() or not secrets.is_relative_to(context):
        return
    listed = context / ".dockerignore"
    lines = listed.read_text().splitlines() if listed.is_file() else []
    path = secrets.relative_to(context).as_posix()
    if not ignored(path, lines):
        raise BuildError(
            f"{secrets} is in the build context: it could get into the image",
            f"exclude it: echo {path} >> {listed}",
        )


@cache
def _buildkit() -> bool:
    return local.succeeds(("docker", "buildx", "version"))


@cache
def _engine_platform() -> str:
    version = json.loads(local.output(("docker", "version", "--format", "{{json .Server}}")))
    return f"{version['Os']}/{version['Arch']}"
